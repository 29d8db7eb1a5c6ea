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
    ON_THE_BOOKS,
    AttemptShare,
    AttemptState,
    Invoice,
    InvoiceState,
    JournalEntry,
    PaymentAttempt,
    SentState,
)
from portal.payment_collection.attempts import has_live_attempt, is_foreign, live_attempts_on
from portal.payment_collection.charging import cancel_charge
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payment_collection.settling import settle
from portal.tasks import wake

CLOSABLE = LIVE_ATTEMPTS - {AttemptState.PROCESSING}


def close_stale_checkouts(event: InvoiceChanged) -> None:
    """What is owed changed: the worker looks whether an open page asks for too much now.

    Only reads: the caller holds the invoice, and nobody waits for an attempt meanwhile.
    """
    if not has_live_attempt(event.invoice.id):
        return
    for attempt in live_attempts_on([event.invoice.id]):
        if attempt.state in CLOSABLE and not attempt.is_parked:
            wake("stale_checkout", attempt.id)


def stale_attempts() -> Iterable[int]:
    """Pages that still have to be closed: the gateway was not reached, or a wake-up was lost."""
    return db.session.scalars(_stale()).all() if has_gateway() else []


def _stale() -> sa.Select[int]:
    """Attempts that ask for what is not owed any more; never one that waits for a person."""
    visible = sa.or_(Invoice.state.in_(ON_THE_BOOKS), Invoice.sent_state != SentState.NOT_SENT)
    wrong = (
        sa.select(AttemptShare.id)
        .join(Invoice, Invoice.id == AttemptShare.invoice_id)
        .where(
            AttemptShare.attempt_id == PaymentAttempt.id,
            AttemptShare.live,
            sa.or_(
                AttemptShare.amount > Invoice.balance,
                Invoice.state == InvoiceState.CANCELLED,
                ~visible,
                sa.and_(Invoice.state == InvoiceState.PENDING, _changed_since()),
            ),
        )
    )
    return sa.select(PaymentAttempt.id).where(
        PaymentAttempt.state.in_(CLOSABLE),
        sa.or_(
            PaymentAttempt.state != AttemptState.UNKNOWN, PaymentAttempt.next_check_at.is_not(None)
        ),
        sa.or_(PaymentAttempt.session_ref.is_not(None), PaymentAttempt.method_id.is_not(None)),
        wrong.exists(),
    )


def _changed_since() -> sa.ColumnElement[bool]:
    """A page was made for an invoice that is not final: it became editable, or was changed, since.

    One that was sent before it was final may be paid as it stands.
    """
    booked = sa.exists(
        sa.select(JournalEntry.id).where(
            JournalEntry.source_kind == "invoice",
            JournalEntry.source_id == Invoice.id,
            JournalEntry.created_at >= PaymentAttempt.created_at,
        )
    )
    return sa.or_(AttemptShare.invoice_total != Invoice.total, booked)


def close_stale(attempt_id: int) -> None:
    """Close one page at the gateway, then record what became of it; tried until it works."""
    attempt = db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True)
    stale = _stale().where(PaymentAttempt.id == attempt_id)
    session_ref, is_stale = attempt.session_ref, db.session.scalar(stale) is not None
    is_charge, foreign = attempt.method_id is not None, is_foreign(attempt)
    db.session.rollback()
    if not is_stale:
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
