"""Webhooks: verified, kept once with their raw body, answered at once, handled later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import db, in_transaction, insert_once, lock_rows, reading
from portal.kernel import clock
from portal.ledger import Leg, next_open_day, post_entry
from portal.models import (
    AccountRole,
    Dispute,
    DisputeState,
    GatewayEvent,
    GatewayEventState,
    Payment,
    PaymentAttempt,
)
from portal.payment_collection.gateway import DisputeSeen, EventSeen, gateway, has_gateway
from portal.payment_collection.method_events import act_on_method
from portal.payment_collection.settling import settle
from portal.payment_collection.setups import settle_setup, setup_of_event
from portal.tasks import lease, wake

SETTLES = ("checkout.session.", "payment_intent.", "setup_intent.")
ABOUT_METHODS = ("payment_method.", "mandate.")
# Money that left at the processor and that our books do not know of yet.
FOR_A_PERSON = ("charge.refunded", "charge.refund.", "refund.", "payout.failed")
PATIENCE = timedelta(days=1)  # events come in any order: a dispute may be here before its payment
MOST_FAILURES = 5


def is_kept(seen: EventSeen) -> bool:
    """Whether this event came before. Only reads, so a repeat never waits for a writer.

    Ends the session's transaction: ask before anything else.
    """
    with reading():
        known = db.session.scalar(
            sa.select(GatewayEvent.id).where(
                GatewayEvent.gateway == gateway().name, GatewayEvent.event_ref == seen.event_ref
            )
        )
        db.session.rollback()
    return known is not None


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
    """Events of this gateway that nobody has handled and nobody holds."""
    if not has_gateway():
        return []
    now = clock.now()
    return db.session.scalars(
        sa.select(GatewayEvent.id)
        .where(
            GatewayEvent.state == GatewayEventState.WAITING,
            GatewayEvent.gateway == gateway().name,
            sa.or_(GatewayEvent.claimed_until.is_(None), GatewayEvent.claimed_until <= now),
        )
        .order_by(GatewayEvent.id)
        .limit(1000)
    ).all()


def handle_event(event_id: int) -> None:
    """Act on one event: the body says where to look, the gateway says what is true.

    An event nobody can match is parked for a person, never dropped; so is one that keeps
    failing.
    """
    if not lease(GatewayEvent, event_id, states=[GatewayEventState.WAITING]):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        body = db.session.get_one(GatewayEvent, event_id, populate_existing=True).body
        db.session.rollback()
    try:
        state, note = _act_on(gateway().read_event(body))
    except Exception as error:
        db.session.rollback()
        words = f"{type(error).__name__}: {error}"
        in_transaction(lambda: _count_failure(event_id, words))
        raise
    in_transaction(lambda: _close(event_id, state, note))


def _act_on(seen: EventSeen) -> tuple[GatewayEventState, str]:
    if seen.dispute is not None:
        dispute = seen.dispute
        return in_transaction(lambda: _record_dispute(dispute))
    if seen.kind.startswith(SETTLES):
        return _settle_for(seen)
    if seen.kind.startswith(ABOUT_METHODS):
        return act_on_method(seen)
    if seen.kind.startswith(FOR_A_PERSON):
        return GatewayEventState.PARKED, (
            "Money moved at the payment processor itself. Compare with it and record it here."
        )
    return GatewayEventState.IGNORED, "No action belongs to this kind of event."


def retry_event(event: GatewayEvent) -> None:
    """A person asks to look at a parked event again."""
    event.state, event.claimed_until, event.note = GatewayEventState.WAITING, None, ""
    event.attempts = 0
    record("retried", event, f"Event {event.event_ref} is looked at again.")
    wake("gateway_event", event.id)


def _settle_for(seen: EventSeen) -> tuple[GatewayEventState, str]:
    with reading():
        found = db.session.execute(
            sa.select(PaymentAttempt.id, PaymentAttempt.session_ref).where(
                sa.or_(
                    PaymentAttempt.public_id == (seen.reference or "-"),
                    PaymentAttempt.session_ref == (seen.session_ref or "-"),
                    PaymentAttempt.payment_ref == (seen.payment_ref or "-"),
                )
            )
        ).first()
        db.session.rollback()
    if found is None and (setup_id := setup_of_event(seen.reference, seen.session_ref)):
        return GatewayEventState.HANDLED, f"Saving the method: {settle_setup(setup_id)}."
    if found is None:
        return GatewayEventState.PARKED, "No payment attempt of ours belongs to this event."
    if found.session_ref is None and seen.session_ref:
        in_transaction(lambda: _learn_session(found.id, seen.session_ref))
    state = settle(found.id)
    return GatewayEventState.HANDLED, f"The attempt is {state}."


def _learn_session(attempt_id: int, session_ref: str) -> None:
    """The webhook may be the first to tell which page the gateway opened for an attempt."""
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    if attempt.session_ref is None:
        attempt.session_ref = session_ref


def _record_dispute(seen: DisputeSeen) -> tuple[GatewayEventState, str]:
    """Held funds leave the clearing account until the dispute is won."""
    payment = db.session.scalar(
        sa.select(Payment).where(
            Payment.provider == gateway().name, Payment.provider_ref == seen.payment_ref
        )
    )
    if payment is None:
        return GatewayEventState.WAITING, "No payment of ours belongs to this dispute."
    dispute = db.session.scalar(
        sa.select(Dispute).where(Dispute.dispute_ref == seen.dispute_ref).with_for_update()
    )
    if dispute is None and seen.outcome == "inquiry":
        record("inquiry", payment, f"The payer's bank asks about {seen.amount}: {seen.reason}.")
        return GatewayEventState.HANDLED, "An inquiry: the bank holds no money for it."
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
    if dispute.state is DisputeState.LOST:
        return GatewayEventState.PARKED, "The dispute was lost: decide what the customer owes now."
    return GatewayEventState.HANDLED, f"The dispute is {dispute.state}."


def _book_dispute(dispute: Dispute, payment: Payment, *, held: bool) -> None:
    amount = dispute.amount if held else -dispute.amount
    post_entry(
        on=next_open_day(today()),
        memo=f"Dispute {dispute.dispute_ref} {'opened' if held else 'won'}",
        source=("dispute", dispute.id),
        legs=[Leg(AccountRole.DISPUTED, amount), Leg(payment.type.account_id, -amount)],
    )


def _close(event_id: int, state: GatewayEventState, note: str) -> None:
    event = db.session.get_one(GatewayEvent, event_id)
    if state is GatewayEventState.WAITING and clock.now() - event.created_at > PATIENCE:
        state = GatewayEventState.PARKED
    event.state, event.note, event.claimed_until = state, note, None
    event.attempts += 1
    if state is GatewayEventState.WAITING:
        event.claimed_until = clock.now() + timedelta(minutes=5)


def _count_failure(event_id: int, words: str) -> None:
    event = db.session.get_one(GatewayEvent, event_id)
    event.attempts += 1
    event.note = words[:500]
    event.claimed_until = clock.now() + timedelta(minutes=2**event.attempts)
    if event.attempts >= MOST_FAILURES:
        event.state, event.claimed_until = GatewayEventState.PARKED, None
