"""Do the books hold? Trial balance and the invariants behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money, db
from portal.kernel.money import Money
from portal.ledger.accounts import account_id_for
from portal.ledger.payment_checks import PAYMENT_CHECKS
from portal.models import (
    ON_THE_BOOKS,
    Account,
    AccountRole,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentApplication,
)


@dataclass(frozen=True)
class TrialBalanceRow:
    """One account's balance as of a day: debit positive."""

    account: Account
    balance: Money


def trial_balance(on: date) -> list[TrialBalanceRow]:
    """Every account with entries up to and including that day, by number."""
    sums = (  # in the covering index alone, then the few accounts
        sa.select(JournalLine.account_id, sa.func.sum(JournalLine.amount).label("balance"))
        .where(JournalLine.entry_date <= on)
        .group_by(JournalLine.account_id)
        .subquery()
    )
    query = (
        sa.select(Account, sums.c.balance)
        .join(sums, sums.c.account_id == Account.id)
        .order_by(Account.number)
    )
    return [TrialBalanceRow(account, balance) for account, balance in db.session.execute(query)]


def verify_books() -> list[str]:
    """Every invariant of the books; empty when all hold, else a sentence per broken row."""
    return [sentence for check in CHECKS for sentence in check()]


def _unbalanced_entries() -> Iterator[str]:
    query = (
        sa.select(JournalLine.entry_id, sa.func.sum(JournalLine.amount))
        .group_by(JournalLine.entry_id)
        .having(sa.func.sum(JournalLine.amount) != NO_MONEY)
    )
    for entry_id, off in db.session.execute(query):
        yield f"Journal entry {entry_id} is out of balance by {off}."


def _line_dates() -> Iterator[str]:
    query = (
        sa.select(JournalLine.entry_id)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.entry_date != JournalEntry.entry_date)
    )
    for entry_id in db.session.scalars(query):
        yield f"Journal entry {entry_id} and its lines disagree about the date."


def _applied_per_invoice() -> sa.Subquery:
    return (
        sa.select(
            PaymentApplication.invoice_id,
            sa.func.sum(PaymentApplication.amount).label("applied"),
        )
        .group_by(PaymentApplication.invoice_id)
        .subquery()
    )


def _invoice_balances() -> Iterator[str]:
    applied = _applied_per_invoice()
    share = sa.func.coalesce(applied.c.applied, NO_MONEY)
    turned_into_credit = sa.and_(Invoice.total < NO_MONEY, Invoice.state.in_(ON_THE_BOOKS))
    left = sa.case((turned_into_credit, NO_MONEY), else_=as_money(Invoice.total - share))
    query = (
        sa.select(Invoice.reference_number, Invoice.balance, left)
        .outerjoin(applied, applied.c.invoice_id == Invoice.id)
        .where(Invoice.balance != left)
    )
    for number, stored, derived in db.session.execute(query):
        yield f"Invoice {number} says its balance is {stored}; its payments say {derived}."


def _credits_of_documents() -> Iterator[str]:
    """What a document on the books takes off is a row of credit, once; nothing else is one."""
    rows = (
        sa.select(
            Payment.document_id,
            sa.func.sum(Payment.amount).label("amount"),
            sa.func.count().label("how_many"),
        )
        .where(Payment.document_id.is_not(None), Payment.returned_on.is_(None))
        .group_by(Payment.document_id)
        .subquery()
    )
    gives = sa.and_(Invoice.total < NO_MONEY, Invoice.state.in_(ON_THE_BOOKS))
    owed = sa.case((gives, as_money(-Invoice.total)), else_=NO_MONEY)
    given = sa.func.coalesce(rows.c.amount, NO_MONEY)
    query = (
        sa.select(Invoice.reference_number, owed, given)
        .outerjoin(rows, rows.c.document_id == Invoice.id)
        .where(sa.or_(owed != given, rows.c.how_many > 1))
    )
    for number, wanted, found in db.session.execute(query):
        yield f"Document {number} gives {wanted} of credit, and {found} of it was recorded."


def _invoice_totals() -> Iterator[str]:
    lines = (
        sa.select(InvoiceLine.invoice_id, sa.func.sum(InvoiceLine.total).label("total"))
        .group_by(InvoiceLine.invoice_id)
        .subquery()
    )
    taxes = (
        sa.select(InvoiceTax.invoice_id, sa.func.sum(InvoiceTax.amount).label("total"))
        .group_by(InvoiceTax.invoice_id)
        .subquery()
    )
    query = (
        sa.select(Invoice.reference_number)
        .outerjoin(lines, lines.c.invoice_id == Invoice.id)
        .outerjoin(taxes, taxes.c.invoice_id == Invoice.id)
        .where(
            sa.or_(
                Invoice.subtotal != sa.func.coalesce(lines.c.total, NO_MONEY),
                Invoice.tax_total != sa.func.coalesce(taxes.c.total, NO_MONEY),
            )
        )
    )
    for number in db.session.scalars(query):
        yield f"Invoice {number} does not add up to its lines and taxes."


def _settled_dates() -> Iterator[str]:
    query = sa.select(Invoice.reference_number).where(
        (Invoice.balance == NO_MONEY) != Invoice.settled_on.is_not(None),
        Invoice.state.in_(ON_THE_BOOKS),
    )
    for number in db.session.scalars(query):
        yield f"Invoice {number}: settled date and balance disagree."


def _last_application_dates() -> Iterator[str]:
    newest = (
        sa.select(
            PaymentApplication.invoice_id,
            sa.func.max(PaymentApplication.applied_on).label("day"),
        )
        .group_by(PaymentApplication.invoice_id)
        .subquery()
    )
    query = (
        sa.select(Invoice.reference_number)
        .outerjoin(newest, newest.c.invoice_id == Invoice.id)
        .where(Invoice.last_applied_on.is_distinct_from(newest.c.day))
    )
    for number in db.session.scalars(query):
        yield f"Invoice {number} misses the day of its last payment."


def _receivable_ties_to_subledger() -> Iterator[str]:
    """A/R per invoice in the journal equals that invoice's balance (0 while not on the books)."""
    control = (
        sa.select(JournalLine.invoice_id, sa.func.sum(JournalLine.amount).label("amount"))
        .where(JournalLine.account_id == account_id_for(AccountRole.RECEIVABLE))
        .group_by(JournalLine.invoice_id)
        .subquery()
    )
    owed = sa.case((Invoice.state.in_(ON_THE_BOOKS), Invoice.balance), else_=NO_MONEY)
    booked = sa.func.coalesce(control.c.amount, NO_MONEY)
    query = (
        sa.select(Invoice.reference_number, owed, booked)
        .outerjoin(control, control.c.invoice_id == Invoice.id)
        .where(owed != booked)
    )
    for number, subledger, journal in db.session.execute(query):
        yield f"Accounts Receivable has {journal} for invoice {number}, which says {subledger}."
    astray = db.session.scalar(sa.select(control.c.amount).where(control.c.invoice_id.is_(None)))
    if astray:
        yield f"Accounts Receivable has {astray} that belongs to no invoice."


CHECKS = (
    _unbalanced_entries,
    _line_dates,
    _invoice_totals,
    _invoice_balances,
    _credits_of_documents,
    _settled_dates,
    _last_application_dates,
    _receivable_ties_to_subledger,
    *PAYMENT_CHECKS,
)
