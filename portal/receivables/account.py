"""A customer's account: everything that changed what they owe, with the balance after each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa

from portal.db import Page, PageRequest, as_money, db, total_of
from portal.kernel.money import ZERO, Money
from portal.models import ON_THE_BOOKS, Invoice, InvoiceKind, Payment, PaymentOrigin, PaymentType


class AccountEvent(StrEnum):
    DOCUMENT = "document"
    PAYMENT = "payment"
    REFUND = "refund"
    RETURN = "return"
    VOIDED_REFUND = "voided_refund"


@dataclass(frozen=True)
class AccountLine:
    """One event; `amount` is positive when more is owed by it, `balance` what is owed after it.

    A negative balance is credit. `id` is the invoice's or the payment's, `kind` the invoice's.
    """

    on: date
    event: AccountEvent
    id: int
    words: str
    kind: InvoiceKind | None
    amount: Money
    balance: Money


def account_lines(customer_id: int, page: PageRequest) -> Page[AccountLine]:
    """One page of a customer's account, newest first.

    Documents on the books count from their date, money from the day it came, went back or was
    returned; what it was applied to moves nothing between the customer and us. So the newest
    balance is open invoices − credit − deposits on Pending invoices.
    """
    events = account_events(customer_id).cte("events")
    order = (events.c.day, events.c.rank, events.c.row_id)
    balance = as_money(sa.func.sum(events.c.amount).over(order_by=order)).label("balance")
    total = db.session.scalar(sa.select(sa.func.count()).select_from(events)) or 0
    number = min(max(page.number, 1), max((total + page.size - 1) // page.size, 1))
    query = (
        sa.select(events, balance)
        .order_by(*(column.desc() for column in order))
        .limit(page.size)
        .offset((number - 1) * page.size)
    )
    rows = [account_line(row) for row in db.session.execute(query)]
    return Page(rows, total, number, page.size)


def account_balance(customer_id: int) -> Money:
    """What the customer owes, less all their money that is not used up; negative is credit."""
    events = account_events(customer_id).subquery()
    return db.session.scalar(sa.select(total_of(events.c.amount))) or ZERO


def account_line(row: sa.Row[tuple[object, ...]]) -> AccountLine:
    """An event as people read it, from (day, rank, row_id, words, kind, amount, balance)."""
    return AccountLine(
        on=row.day,
        event=_event(row.rank, row.amount),
        id=row.row_id,
        words=row.words,
        kind=InvoiceKind(row.kind) if row.kind else None,
        amount=row.amount,
        balance=row.balance,
    )


def _event(rank: int, amount: Money) -> AccountEvent:
    rising = amount > ZERO
    match rank:
        case 0:
            return AccountEvent.DOCUMENT
        case 1:
            return AccountEvent.REFUND if rising else AccountEvent.PAYMENT
        case _returned:
            return AccountEvent.RETURN if rising else AccountEvent.VOIDED_REFUND


def account_events(customer_id: int) -> sa.CompoundSelect[tuple[object, ...]]:
    """Documents, money in and out, money returned: every row once, none of an application."""
    documents = sa.select(
        Invoice.invoice_date.label("day"),
        sa.literal(0).label("rank"),
        Invoice.id.label("row_id"),
        sa.func.coalesce(Invoice.document_number, Invoice.reference_number).label("words"),
        sa.cast(Invoice.kind, sa.String).label("kind"),
        Invoice.total.label("amount"),
    ).where(Invoice.customer_id == customer_id, Invoice.state.in_(ON_THE_BOOKS))
    words = PaymentType.name + sa.literal(" ") + Payment.reference
    mine = sa.and_(Payment.customer_id == customer_id, Payment.origin == PaymentOrigin.MONEY)
    money = sa.select(
        Payment.received_on, sa.literal(1), Payment.id, words, sa.literal(""),
        as_money(-Payment.amount),
    ).join(PaymentType).where(mine)  # fmt: skip
    returned = sa.select(
        Payment.returned_on, sa.literal(2), Payment.id, words, sa.literal(""), Payment.amount
    ).join(PaymentType).where(mine, Payment.returned_on.is_not(None))  # fmt: skip
    return sa.union_all(documents, money, returned)
