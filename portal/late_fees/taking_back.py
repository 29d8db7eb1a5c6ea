"""Taking a late fee back, with a reason: a draft is cancelled, a final one credited in full."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import db
from portal.invoices import cancel_invoice, lock_in_order, post_invoice, start_credit_note
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Invoice, InvoiceState, LateFee, ReviewState, User


def fees_of(document: Invoice) -> Sequence[LateFee]:
    """The periods an interest invoice charges by rule; none when it was made by hand."""
    query = sa.select(LateFee).where(LateFee.document_id == document.id)
    return db.session.scalars(query.order_by(LateFee.starts_on)).all()


def taking_back_problem(document: Invoice) -> str | None:
    """The first reason why it cannot be taken back, in words, or None."""
    fees = fees_of(document)
    if not fees:
        return "This is no late fee that was charged by rule."
    if fees[0].taken_back_on is not None:
        return f"It was taken back on {fees[0].taken_back_on}."
    if document.state is InvoiceState.CANCELLED:
        return "It was cancelled already."
    return None


def take_back_fee(document: Invoice, *, because: str, by: User | None = None) -> Invoice | None:
    """Cancel the draft, or credit the final document; the credit note, if it took one.

    The same periods are not charged again. Raises InvalidFields without a reason, DomainError
    when it was taken back already, PeriodClosed.
    """
    because = because.strip()
    if not because:
        raise InvalidFields({"because": "Say why; the customer's timeline keeps it."})
    lock_in_order([document.id])
    db.session.refresh(document)
    if problem := taking_back_problem(document):
        raise DomainError(problem)
    note = None
    if document.state is InvoiceState.PENDING:
        cancel_invoice(document, because=because)
    else:
        note = start_credit_note(document, because=because)
        note.review_state = ReviewState.REVIEWED  # somebody was asked, and said why
        db.session.flush()
        post_invoice(note, by=by)
    for fee in fees_of(document):
        fee.taken_back_on, fee.taken_back_because = today(), because
    record("taken back", document, f"The late fee of {document.total} was taken back: {because}")
    return note
