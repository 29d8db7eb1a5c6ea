"""A payment that was marked as returned by mistake: the money did stay after all."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.db import claim, db
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.ledger import require_open_period, reverse_entry
from portal.models import Payment, PaymentApplication, PaymentOrigin
from portal.payments.applying import apply_locked, lock_both
from portal.payments.returning import live_entry


def undo_return(payment: Payment, *, because: str) -> Money:
    """It counts again, as if it had never been returned; gives what went back onto invoices.

    The reversal is reversed on its own day, so that no day between says otherwise. What this
    return took off invoices goes back, on the day it was taken off and as far as they still owe
    it; the rest is the customer's credit. Raises PeriodClosed for one of these days, or
    DomainError for what `undo_return_problem` says and without a reason.
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
    back = _put_back(payment, rows)
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
    """What its return took off invoices: the rows that took it back, oldest first.

    What was moved, or came off in an earlier return that was undone, is not among them.
    """
    if payment.returned_on is None:
        return []
    query = (
        sa.select(PaymentApplication)
        .where(
            PaymentApplication.payment_id == payment.id,
            PaymentApplication.returned_with_id == live_entry(payment).id,
        )
        .order_by(PaymentApplication.reverses_id)
        .options(joinedload(PaymentApplication.invoice))
    )
    return list(db.session.scalars(query))


def _put_back(payment: Payment, rows: Sequence[PaymentApplication]) -> Money:
    back = ZERO
    for row in rows:
        share = min(-row.amount, payment.unapplied)
        back += apply_locked(payment, row.invoice, share, row.applied_on)
    return back
