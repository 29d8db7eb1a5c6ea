"""Correcting a payment while it is Pending: reversed and entered again in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.audit import record_changes
from portal.company import today
from portal.db import bump, db
from portal.invoices import posting_under_way
from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition
from portal.kernel.money import ZERO, Money
from portal.ledger import post_entries, require_open_period, reverse_entry
from portal.models import PAYMENT, Payment, PaymentApplication, PaymentOrigin, PaymentType
from portal.payments.applying import apply_locked
from portal.payments.receiving import receipt_entry
from portal.payments.returning import SAID, ReturnReason, live_entry, refunded_from, take_out
from portal.payments.taking_back import (
    lock_with_invoices,
    once_applied,
    take_back_newest,
    unapply,
)


@dataclass(frozen=True)
class PaymentWords:
    """What may be corrected of a payment (servicetitan-rules §9.2)."""

    type: PaymentType
    amount: Money
    received_on: date
    reference: str = ""
    memo: str = ""


def change_payment(payment: Payment, words: PaymentWords, *, version: int) -> None:
    """Save a corrected payment; the row keeps its id, the ledger reverses and enters again.

    What is applied above a smaller amount is taken back, newest first; what was applied before
    a later day moves to that day; what was taken back or given back since keeps the day and the
    amount it came from. Raises Conflict, PeriodClosed for the old or the new day,
    InvalidTransition, InvalidFields, or DomainError for what `change_problem` says.
    """
    bump(payment, version)
    require_open_period(payment.received_on)
    require_open_period(words.received_on)
    rows = lock_with_invoices(payment)
    bump(payment, version)  # saved by somebody else while we waited
    if problem := change_problem(payment):
        raise DomainError(problem)
    _check(payment, words)
    before = _plain(payment)
    old = (payment.type.account_id, payment.amount, payment.received_on)
    if (words.type.account_id, words.amount, words.received_on) != old:
        _enter_again(payment, words, rows)
    payment.type, payment.reference, payment.memo = words.type, words.reference, words.memo
    db.session.flush()
    record_changes(payment, "The payment was corrected.", before, _plain(payment))


def delete_payment(payment: Payment, *, version: int) -> None:
    """Undo a Pending payment that was never made: it keeps its row and counts for nothing.

    Everything is undone on the day it was dated. Raises as `change_payment` does.
    """
    bump(payment, version)
    require_open_period(payment.received_on)
    rows = lock_with_invoices(payment)
    bump(payment, version)
    if problem := change_problem(payment):
        raise DomainError(problem)
    if refunded_from(payment):
        raise DomainError("Money of it was already given back. Void that refund first.")
    for row, until in once_applied(payment):
        raise DomainError(
            f"It was on invoice {row.invoice.number} until {until.isoformat()}. "
            "Record it as returned instead."
        )
    words = SAID[ReturnReason.ENTERED_IN_ERROR]
    days = [(row, row.applied_on) for row in rows]
    take_out(payment, days, on=payment.received_on, words=words)


def change_problem(payment: Payment) -> str | None:
    """The first reason why this payment cannot be corrected, in words, or None."""
    try:
        PAYMENT.after(payment.state, "edit")
    except InvalidTransition as error:
        return str(error)
    if payment.is_refund:
        return "This gives money back. Void it and make another one instead."
    if payment.origin is PaymentOrigin.DOCUMENT:
        return "This is the credit of a document. Correct the document instead."
    if payment.returned_on:
        return f"It was returned on {payment.returned_on.isoformat()}."
    if payment.provider is not None or payment.type.online:
        return "It was not taken at the desk, so it is not corrected here."
    if payment.disputed:
        return "The payer's bank disputes this money: wait for what it decides."
    return posting_under_way(payment.batch_id)


def _check(payment: Payment, words: PaymentWords) -> None:
    errors = {}
    if words.received_on > today():
        errors["received_on"] = "Money cannot be received in the future."
    elif words.received_on > (first := _first_used(payment)):
        errors["received_on"] = f"Money of it was used on {first.isoformat()} already."
    if words.amount <= ZERO:
        errors["amount"] = (
            "Give an amount above zero. If no money came, delete the payment: "
            "it then counts for $0 and is bypassed."
        )
    elif words.amount < (given_back := refunded_from(payment)):
        errors["amount"] = f"{given_back} of it were already given back."
    elif words.amount < payment.amount and (pairs := once_applied(payment)):
        row, until = pairs[-1]
        errors["amount"] = (
            f"It was on invoice {row.invoice.number} until {until.isoformat()}: its amount "
            "cannot fall. Record it as returned and enter it again."
        )
    if errors:
        raise InvalidFields(errors)


def _first_used(payment: Payment) -> date:
    """The day from which what is over tells of its money, and which it cannot come after.

    What is still applied may move with it; what was taken back later or given back may not.
    """
    query = sa.select(sa.func.min(Payment.received_on)).where(
        sa.or_(Payment.refunds_id == payment.id, Payment.gives_back_id == payment.id),
        Payment.returned_on.is_(None),
    )
    given = db.session.scalar(query)
    used = [row.applied_on for row, _ in once_applied(payment)]
    return min([*used, *([given] if given else [])], default=date.max)


def _enter_again(payment: Payment, words: PaymentWords, rows: list[PaymentApplication]) -> None:
    too_early = [row for row in rows if row.applied_on < words.received_on]
    for row in too_early:
        unapply(row, on=row.applied_on)
    missing = payment.amount - payment.unapplied - words.amount
    take_back_newest([row for row in rows if row not in too_early], missing)
    db.session.flush()
    reverse_entry(live_entry(payment), on=payment.received_on, memo="Payment corrected")
    payment.unapplied += words.amount - payment.amount
    payment.type, payment.amount = words.type, words.amount
    payment.received_on = words.received_on
    db.session.flush()
    post_entries([receipt_entry(payment)])
    for row in reversed(too_early):  # the oldest first, as far as the money goes
        apply_locked(payment, row.invoice, row.amount, words.received_on)


def _plain(payment: Payment) -> dict[str, str]:
    return {
        "amount": str(payment.amount),
        "paid by": payment.type.name,
        "received on": payment.received_on.isoformat(),
        "reference": payment.reference,
        "note": payment.memo,
    }
