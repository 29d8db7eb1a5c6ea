"""Webhooks: verified, kept once with their raw body, answered at once, handled later."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import db, in_transaction, insert_once
from portal.kernel import clock
from portal.ledger import Leg, post_entry
from portal.models import (
    AccountRole,
    Dispute,
    DisputeState,
    GatewayEvent,
    GatewayEventState,
    Payment,
    PaymentAttempt,
)
from portal.payment_collection.gateway import DisputeSeen, EventSeen, gateway
from portal.payment_collection.settling import settle
from portal.tasks import lease, wake

SETTLES = ("checkout.session.", "payment_intent.")


def keep_event(seen: EventSeen, body: bytes) -> bool:
    """Store a verified event; False when the same event came before (that is fine)."""
    state, note = GatewayEventState.WAITING, ""
    if seen.unsupported:
        state, note = GatewayEventState.PARKED, seen.unsupported
    event = GatewayEvent(
        gateway=gateway().name,
        event_ref=seen.event_ref,
        kind=seen.kind,
        object_ref=seen.session_ref or seen.payment_ref,
        body=body,
        state=state,
        note=note,
    )
    if not insert_once(event):
        return False
    if state is GatewayEventState.WAITING:
        wake("gateway_event", event.id)
    return True


def waiting_events() -> Iterable[int]:
    """Events nobody has handled and nobody holds."""
    now = clock.now()
    return db.session.scalars(
        sa.select(GatewayEvent.id)
        .where(
            GatewayEvent.state == GatewayEventState.WAITING,
            sa.or_(GatewayEvent.claimed_until.is_(None), GatewayEvent.claimed_until <= now),
        )
        .order_by(GatewayEvent.id)
        .limit(1000)
    ).all()


def handle_event(event_id: int) -> None:
    """Act on one event: the body says where to look, the gateway says what is true.

    An event nobody can match is parked for a person, never dropped.
    """
    if not lease(GatewayEvent, event_id, states=[GatewayEventState.WAITING]):
        db.session.rollback()
        return
    db.session.commit()
    event = db.session.get_one(GatewayEvent, event_id, populate_existing=True)
    seen = gateway().read_event(event.body)
    if seen.dispute is not None:
        dispute = seen.dispute
        state, note = in_transaction(lambda: _record_dispute(dispute))
    elif seen.kind.startswith(SETTLES):
        state, note = _settle_for(seen)
    else:
        state, note = GatewayEventState.IGNORED, "No action belongs to this kind of event."
    in_transaction(lambda: _close(event_id, state, note))


def retry_event(event: GatewayEvent) -> None:
    """A person asks to look at a parked event again."""
    event.state, event.claimed_until, event.note = GatewayEventState.WAITING, None, ""
    record("retried", event, f"Event {event.event_ref} is looked at again.")
    wake("gateway_event", event.id)


def _settle_for(seen: EventSeen) -> tuple[GatewayEventState, str]:
    found = db.session.scalar(
        sa.select(PaymentAttempt.id).where(
            sa.or_(
                PaymentAttempt.public_id == (seen.reference or "-"),
                PaymentAttempt.session_ref == (seen.session_ref or "-"),
                PaymentAttempt.payment_ref == (seen.payment_ref or "-"),
            )
        )
    )
    if found is None:
        return GatewayEventState.PARKED, "No payment attempt of ours belongs to this event."
    in_transaction(lambda: _learn_session(found, seen.session_ref))
    state = settle(found)
    return GatewayEventState.HANDLED, f"The attempt is {state}."


def _learn_session(attempt_id: int, session_ref: str) -> None:
    """The webhook may be the first to tell which page the gateway opened for an attempt."""
    attempt = db.session.get_one(PaymentAttempt, attempt_id)
    if session_ref and attempt.session_ref is None:
        attempt.session_ref = session_ref


def _record_dispute(seen: DisputeSeen) -> tuple[GatewayEventState, str]:
    """Held funds leave the clearing account until the dispute is won."""
    payment = db.session.scalar(
        sa.select(Payment).where(
            Payment.provider == gateway().name, Payment.provider_ref == seen.payment_ref
        )
    )
    if payment is None:
        return GatewayEventState.PARKED, "No payment of ours belongs to this dispute."
    dispute = db.session.scalar(
        sa.select(Dispute).where(Dispute.dispute_ref == seen.dispute_ref).with_for_update()
    )
    if dispute is None:
        dispute = Dispute(
            gateway=gateway().name,
            dispute_ref=seen.dispute_ref,
            payment_id=payment.id,
            amount=seen.amount,
            reason=seen.reason,
        )
        if not insert_once(dispute):
            return GatewayEventState.HANDLED, "Already recorded."
        payment.disputed = True
        _book_dispute(dispute, payment, held=True)
        record("disputed", payment, f"The payer's bank disputes {seen.amount}: {seen.reason}.")
    if seen.outcome == "won" and dispute.state is DisputeState.OPEN:
        dispute.state, payment.disputed = DisputeState.WON, False
        _book_dispute(dispute, payment, held=False)
        record("dispute won", payment, f"The dispute over {dispute.amount} was won.")
    if seen.outcome == "lost" and dispute.state is DisputeState.OPEN:
        dispute.state = DisputeState.LOST
        record("dispute lost", payment, f"The dispute over {dispute.amount} was lost.")
        return GatewayEventState.PARKED, "The dispute was lost: decide what the customer owes now."
    return GatewayEventState.HANDLED, f"The dispute is {dispute.state}."


def _book_dispute(dispute: Dispute, payment: Payment, *, held: bool) -> None:
    amount = dispute.amount if held else -dispute.amount
    post_entry(
        on=today(),
        memo=f"Dispute {dispute.dispute_ref} {'opened' if held else 'won'}",
        source=("dispute", dispute.id),
        legs=[Leg(AccountRole.DISPUTED, amount), Leg(payment.type.account_id, -amount)],
    )


def _close(event_id: int, state: GatewayEventState, note: str) -> None:
    event = db.session.get_one(GatewayEvent, event_id)
    event.state, event.note, event.claimed_until = state, note, None
    event.attempts += 1
