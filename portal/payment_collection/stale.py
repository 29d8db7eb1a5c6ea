"""Open pages and charges that ask for more than is owed by now: found and closed by the worker.

Whoever changes an invoice holds its lock, and an attempt is locked before its invoices: so
nothing is marked there. The worker is only told where to look; whether an attempt asks for too
much is computed, so that a lost wake-up is made good by the sweep.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portal.db import db
from portal.invoices import InvoiceChanged
from portal.kernel.errors import OutsideFailure
from portal.models import (
    LIVE_ATTEMPTS,
    AttemptShare,
    AttemptState,
    Invoice,
    InvoiceState,
    PaymentAttempt,
)
from portal.payment_collection.attempts import has_live_attempt, is_foreign, live_attempts_on
from portal.payment_collection.charging import cancel_charge
from portal.payment_collection.checkout import asks_too_much
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payment_collection.settling import settle
from portal.tasks import wake

CLOSABLE = LIVE_ATTEMPTS - {AttemptState.PROCESSING}


def close_stale_checkouts(event: InvoiceChanged) -> None:
    """What is owed changed: open pages that may ask for too much are closed by the worker.

    Only reads: the caller holds the invoice, and nobody waits for an attempt meanwhile.
    """
    if not has_live_attempt(event.invoice.id):
        return
    for attempt in live_attempts_on([event.invoice.id]):
        wrong = event.invoice.is_editable or asks_too_much(attempt)
        if wrong and attempt.state in CLOSABLE:
            wake("stale_checkout", attempt.id)


def stale_attempts() -> Iterable[int]:
    """Pages that still have to be closed: the gateway was not reached, or a wake-up was lost."""
    if not has_gateway():
        return []
    too_much = (
        sa.select(AttemptShare.attempt_id)
        .join(Invoice, Invoice.id == AttemptShare.invoice_id)
        .where(
            AttemptShare.live,
            sa.or_(AttemptShare.amount > Invoice.balance, Invoice.state == InvoiceState.CANCELLED),
        )
    )
    return db.session.scalars(
        sa.select(PaymentAttempt.id).where(
            PaymentAttempt.id.in_(too_much),
            PaymentAttempt.state.in_(CLOSABLE),
            sa.or_(PaymentAttempt.session_ref.is_not(None), PaymentAttempt.method_id.is_not(None)),
        )
    ).all()


def close_stale(attempt_id: int) -> None:
    """Close one page at the gateway, then record what became of it; tried until it works."""
    attempt = db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    session_ref, closable = attempt.session_ref, attempt.state in CLOSABLE
    is_charge, foreign = attempt.method_id is not None, is_foreign(attempt)
    db.session.rollback()
    if not closable:
        return
    if is_charge and not foreign:
        cancel_charge(attempt_id, "What is owed changed meanwhile, so nothing was charged.")
        return
    if session_ref is None:
        return
    if not foreign:
        try:
            gateway().close_checkout(session_ref)
        except OutsideFailure:
            return  # the sweep tries again; settling copes with money that still comes
    settle(attempt_id)
