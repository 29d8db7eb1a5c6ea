"""Undoing a refund that was never made."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import bump, claim, db, lock_rows
from portal.invoices import cancel_invoice, unpost_invoice
from portal.kernel.errors import DomainError
from portal.ledger import require_open_period, reverse_entry
from portal.models import PAYMENT, GatewayRefund, Invoice, InvoiceKind, Payment
from portal.payments.applying import lock_invoices
from portal.payments.money_gone import GATEWAY_KEY
from portal.payments.returning import SAID, ReturnReason, live_entry

NO_REFUND = "This is no refund."
BECAUSE = SAID[ReturnReason.ENTERED_IN_ERROR]


def void_refund(given: Payment, *, version: int) -> None:
    """Reverse a Pending refund on its own day; what it gave back is credit again.

    The refund document made with it leaves the books and is cancelled, so revenue is as it
    was. Raises Conflict, PeriodClosed, or DomainError for what `void_problem` says and when
    the document was exported.
    """
    bump(given, version)
    require_open_period(given.received_on)
    if not given.is_refund:
        raise DomainError(NO_REFUND)
    document = _lock(given)
    bump(given, version)  # saved by somebody else while we waited
    if problem := void_problem(given):
        raise DomainError(problem)
    row = given.refunds
    assert row is not None
    row.unapplied -= given.amount
    db.session.flush()
    reverse_entry(live_entry(given), on=given.received_on, memo="Refund voided")
    claim(given, returned_on=given.received_on, returned_because=BECAUSE)
    if document is not None:
        unpost_invoice(document, because=f"its refund was {BECAUSE}")
        cancel_invoice(document, because=f"its refund was {BECAUSE}")
    _tell(given, row)


def void_problem(given: Payment) -> str | None:
    """The first reason why this refund cannot be voided, in words, or None."""
    if not given.is_refund:
        return NO_REFUND
    if given.returned_on:
        return "It was already voided."
    if went_through_gateway(given):
        return "It left at the card processor: only what is said there can undo it."
    if not PAYMENT.allows(given.state, "edit"):
        return f"It is already {given.state}: unpost it first."
    return None


def went_through_gateway(given: Payment) -> bool:
    """Whether the gateway moved this money, sent by us or not; a lost dispute is such too."""
    sent = sa.select(GatewayRefund.id).where(GatewayRefund.refund_id == given.id)
    return (given.external_key or "").startswith(GATEWAY_KEY) or bool(db.session.scalar(sent))


def _lock(given: Payment) -> Invoice | None:
    """Invoices, then payments; gives the refund document that was made with it."""
    row = given.refunds
    assert row is not None
    document = row.document
    if document is not None and document.kind is InvoiceKind.REFUND:
        lock_invoices([one for one in (document, document.adjusts) if one is not None])
    else:
        document = None
    lock_rows(Payment, [given.id, row.id])
    return document


def _tell(given: Payment, row: Payment) -> None:
    record("voided", given, f"Voided: {BECAUSE}.")
    money = given.gives_back
    assert money is not None
    for one in dict.fromkeys((row, money)):
        record("refund voided", one, f"The refund of {-given.amount} was voided: {BECAUSE}.")
