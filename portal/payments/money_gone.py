"""Money of a payment that left without anybody here having given it back (decisions/0007).

A refund made at the card processor, a dispute that was lost: the same negative row as a refund,
so that books, credit and the limit of later refunds hold together.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, insert_once
from portal.invoices import InvoiceChanged
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.ledger import next_open_day, post_entries
from portal.models import AccountRole, Payment, RefundEffect, RefundReason
from portal.payments.applying import take_from
from portal.payments.receiving import receipt_entry
from portal.payments.refund_sources import left_to_give_back
from portal.payments.taking_back import earliest_day, lock_with_invoices, take_back_newest

GATEWAY_KEY = "gateway:"  # what every key begins with


@dataclass(frozen=True)
class MoneyGone:
    """What left: `key` identifies it for ever, `out_of` is the account it is waited for on."""

    amount: Money
    on: date
    reason: str
    out_of: AccountRole
    key: str
    reference: str = ""


def record_money_gone(payment: Payment, gone: MoneyGone) -> Payment | None:
    """Let a payment count less by what left: Dr Customer Deposits, Cr `gone.out_of`.

    Its credit falls first, then what it paid, newest first: those invoices are owed again. Never
    more than came in and was not given back: the row made says how much it was, None is nothing.
    The same key is the same money and is recorded once. Dated `gone.on`, or the first later open
    day on which the money was not counted elsewhere. Raises Conflict when the payment was
    applied to one more invoice meanwhile.
    """
    rows = lock_with_invoices(payment)
    if known := money_gone_by(gone.key):
        return known
    amount = min(gone.amount, left_to_give_back(payment))
    if amount <= ZERO:
        return None
    on = next_open_day(max(gone.on, earliest_day(payment)))
    missing = amount - payment.unapplied
    if missing > ZERO:
        take_back_newest(rows, missing, on=on)
    take_from(payment, amount)
    given = _insert(payment, gone, amount, on)
    post_entries([receipt_entry(given, gone.out_of)])
    _tell(given, payment, gone)
    for invoice in dict.fromkeys(row.invoice for row in rows):
        tell(InvoiceChanged(invoice))
    return given


def money_gone_by(key: str) -> Payment | None:
    """What was recorded under this key."""
    return db.session.scalar(
        sa.select(Payment).where(Payment.external_key == f"{GATEWAY_KEY}{key}")
    )


def losses_of(key: str) -> list[Payment]:
    """Everything recorded under keys that begin so, in order; some may have come back."""
    begins = Payment.external_key.startswith(f"{GATEWAY_KEY}{key}", autoescape=True)
    return list(db.session.scalars(sa.select(Payment).where(begins).order_by(Payment.id)))


def house_reason(name: str) -> RefundReason:
    """A reason the house itself gives; made when it is first needed, never offered."""
    query = sa.select(RefundReason).where(RefundReason.name == name)
    if known := db.session.scalar(query):
        return known
    insert_once(RefundReason(name=name, effect=RefundEffect.REOPENS_INVOICE, active=False))
    return db.session.scalars(query).one()


def _insert(payment: Payment, gone: MoneyGone, amount: Money, on: date) -> Payment:
    given = Payment(
        customer=payment.customer, type=payment.type, amount=-amount, unapplied=ZERO,
        received_on=on, reference=gone.reference, external_key=f"{GATEWAY_KEY}{gone.key}",
        livemode=payment.livemode, refunds=payment, gives_back=payment,
        refund_reason=house_reason(gone.reason), applications=[],
    )  # fmt: skip
    db.session.add(given)
    db.session.flush()
    return given


def _tell(given: Payment, payment: Payment, gone: MoneyGone) -> None:
    what = f"{-given.amount} of it left: {gone.reason}."
    record("given back", given, f"{-given.amount} left: {gone.reason}.")
    record("refunded", payment, what)
