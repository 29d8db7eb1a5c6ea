"""Do payments, refunds and customer credit hold against each other and the journal?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.db import NO_MONEY, as_money, db
from portal.kernel.money import Money
from portal.ledger.accounts import account_id_for
from portal.models import (
    ON_THE_BOOKS,
    AccountRole,
    Invoice,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentApplication,
    PaymentOrigin,
)


@cache
def _payments_query() -> sa.Executable:
    applied, refunded = _applied_per_payment(), _refunded_per(Payment.refunds_id)
    rest = as_money(
        sa.case((Payment.amount > NO_MONEY, _counts()), else_=NO_MONEY)
        - sa.func.coalesce(applied.c.applied, NO_MONEY)
        - sa.func.coalesce(refunded.c.refunded, NO_MONEY)
    )
    return (
        sa.select(Payment.id, Payment.unapplied, rest)
        .outerjoin(applied, applied.c.payment_id == Payment.id)
        .outerjoin(refunded, refunded.c.payment_id == Payment.id)
        .where(Payment.unapplied != rest)
    )


def _payments() -> Iterator[str]:
    """unapplied = (amount, or zero once returned) − applications − refunds out of it."""
    for payment_id, stored, derived in db.session.execute(_payments_query()):
        yield f"Payment {payment_id} says {stored} is unapplied; its applications say {derived}."


def _applied_per_payment() -> sa.Subquery:
    return (
        sa.select(
            PaymentApplication.payment_id,
            sa.func.sum(PaymentApplication.amount).label("applied"),
        )
        .group_by(PaymentApplication.payment_id)
        .subquery()
    )


def _refunded_per(source: InstrumentedAttribute[int | None]) -> sa.Subquery:
    """What refunds that still count took from each payment, by `source`; positive."""
    return (
        sa.select(source.label("payment_id"), (-sa.func.sum(Payment.amount)).label("refunded"))
        .where(source.is_not(None), Payment.returned_on.is_(None))
        .group_by(source)
        .subquery()
    )


def _counts() -> sa.ColumnElement[Money]:
    return sa.case((Payment.returned_on.is_(None), Payment.amount), else_=NO_MONEY)


@cache
def _overdrawn_query() -> sa.Executable:
    given = _refunded_per(Payment.gives_back_id)
    return (
        sa.select(Payment.id, _counts(), as_money(given.c.refunded))
        .join(given, given.c.payment_id == Payment.id)
        .where(given.c.refunded > _counts())
    )


@cache
def _astray_query() -> sa.Executable:
    source, money = aliased(Payment), aliased(Payment)
    return (
        sa.select(Payment.id)
        .join(source, source.id == Payment.refunds_id)
        .outerjoin(money, money.id == Payment.gives_back_id)
        .where(
            sa.or_(
                source.customer_id != Payment.customer_id,
                money.customer_id.is_distinct_from(Payment.customer_id),
                money.origin != PaymentOrigin.MONEY,
            )
        )
    )


def _refunds_within_receipts() -> Iterator[str]:
    """Never more given back than came in, and always the customer's own money."""
    for payment_id, received, refunded in db.session.execute(_overdrawn_query()):
        yield f"Payment {payment_id} brought {received}, and {refunded} of it were given back."
    for (refund_id,) in db.session.execute(_astray_query()):
        yield f"Refund {refund_id} gives back money its customer never paid."


@cache
def _receipts_are_booked_query(account_id: int) -> sa.Executable:
    booked = (
        sa.select(JournalEntry.source_id, sa.func.sum(JournalLine.amount).label("amount"))
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalEntry.source_kind == "payment",
            JournalLine.account_id == account_id,
        )
        .group_by(JournalEntry.source_id)
        .subquery()
    )
    worth = sa.case((Payment.origin == PaymentOrigin.MONEY, _counts()), else_=NO_MONEY)
    credited = as_money(-sa.func.coalesce(booked.c.amount, NO_MONEY))  # a liability is a credit
    return (
        sa.select(Payment.id, worth, credited)
        .outerjoin(booked, booked.c.source_id == Payment.id)
        .where(worth != credited)
    )


def _receipts_are_booked() -> Iterator[str]:
    """What each payment's own entries did to Customer Deposits is what it is worth."""
    for payment_id, stored, journal in db.session.execute(
        _receipts_are_booked_query(account_id_for(AccountRole.CUSTOMER_DEPOSITS))
    ):
        yield f"Payment {payment_id} is worth {stored}; the journal has {journal} for it."


@cache
def _deposits_tie_to_payments_query(account_id: int) -> sa.Executable:
    unapplied = sa.select(Payment.customer_id, Payment.unapplied.label("held"))
    waiting = (
        sa.select(Invoice.customer_id, PaymentApplication.amount)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .where(Invoice.state.not_in(ON_THE_BOOKS))
    )
    booked = sa.select(JournalLine.customer_id, JournalLine.amount).where(
        JournalLine.account_id == account_id
    )
    both = sa.union_all(unapplied, waiting, booked).subquery()  # a liability is a credit
    off = sa.func.sum(both.c.held)
    query = sa.select(both.c.customer_id, off).group_by(both.c.customer_id)
    return query.having(off != NO_MONEY)


def _deposits_tie_to_payments() -> Iterator[str]:
    """Per customer, Customer Deposits is what is unapplied plus what waits on Pending invoices.

    Refunds and returned rows hold nothing; the credit of documents counts like any money.
    """
    for customer_id, difference in db.session.execute(
        _deposits_tie_to_payments_query(account_id_for(AccountRole.CUSTOMER_DEPOSITS))
    ):
        whose = f"customer {customer_id}" if customer_id else "no customer"
        yield f"Customer Deposits is off by {difference} for {whose}."


PAYMENT_CHECKS = (
    _payments,
    _refunds_within_receipts,
    _receipts_are_booked,
    _deposits_tie_to_payments,
)
