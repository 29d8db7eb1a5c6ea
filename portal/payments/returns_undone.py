"""A payment that was marked as returned by mistake: the money did stay after all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.audit import record
from portal.db import claim, db
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.ledger import require_open_period, reverse_entry
from portal.models import Invoice, Payment, PaymentApplication, PaymentOrigin
from portal.payments.applying import apply_locked, lock_both
from portal.payments.returning import live_entry


def undo_return(payment: Payment, *, because: str) -> Money:
    """It counts again, as if it had never been returned; gives what went back onto invoices.

    The reversal is reversed on its own day, so that no day between says otherwise. What was
    taken off invoices that day goes back on as far as they still owe it; the rest is the
    customer's credit. Raises PeriodClosed for that day, or DomainError for what
    `undo_return_problem` says and without a reason.
    """
    if payment.returned_on is not None:
        require_open_period(payment.returned_on)
    lock_both([row.invoice for row in taken_off(payment)], payment)
    if problem := undo_return_problem(payment):
        raise DomainError(problem)
    if not because.strip():
        raise DomainError("Say why it counts again.", field="because")
    assert payment.returned_on is not None
    day = payment.returned_on
    rows = taken_off(payment)
    reverse_entry(live_entry(payment), on=day, memo="Return undone: the money stayed")
    claim(payment, unapplied=payment.amount, returned_on=None, returned_because="", bypass=False)
    back = _put_back(payment, rows, day)
    record(
        "return undone",
        payment,
        f"It was not returned on {day.isoformat()} after all: {because.strip()}. {back} went back "
        f"onto invoices, {payment.unapplied} is credit.",
    )
    return back


def undo_return_problem(payment: Payment) -> str | None:
    """The first reason why the return of this payment cannot be undone, in words, or None."""
    if payment.returned_on is None:
        return "This payment was not returned."
    if payment.is_refund:
        return "This gives money back. Make the refund again instead."
    if payment.origin is PaymentOrigin.DOCUMENT:
        return "This is the credit of a document. Post the document again instead."
    if payment.provider is not None:
        return "It was paid online: the card processor says there whether it stays."
    if payment.bypass:
        return "It was posted as counting for nothing. Unpost it first, or enter it again."
    return None


def taken_off(payment: Payment) -> Sequence[PaymentApplication]:
    """What its return took off invoices, oldest first: whatever was taken back on that day."""
    back = aliased(PaymentApplication)
    query = (
        sa.select(PaymentApplication)
        .join(back, back.reverses_id == PaymentApplication.id)
        .where(PaymentApplication.payment_id == payment.id, back.applied_on == payment.returned_on)
        .order_by(PaymentApplication.id)
        .options(joinedload(PaymentApplication.invoice))
    )
    return list(db.session.scalars(query))


def _put_back(payment: Payment, rows: Sequence[PaymentApplication], day: date) -> Money:
    wanted: dict[Invoice, Money] = {}
    for row in rows:
        wanted[row.invoice] = wanted.get(row.invoice, ZERO) + row.amount
    back = ZERO
    for invoice, amount in wanted.items():
        back += apply_locked(payment, invoice, min(amount, payment.unapplied), day)
    return back
