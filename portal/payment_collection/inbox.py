"""Webhooks: verified, kept once with their raw body, answered at once, handled later."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, in_transaction, insert_once, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.models import GatewayEvent, GatewayEventState, PaymentAttempt
from portal.payment_collection.disputes import look_at_dispute
from portal.payment_collection.gateway import EventSeen, gateway, has_gateway
from portal.payment_collection.method_events import act_on_method
from portal.payment_collection.payout_events import act_on_payout
from portal.payment_collection.refunds_elsewhere import find_refunds
from portal.payment_collection.settling import settle
from portal.payment_collection.setups import settle_setup, setup_of_event
from portal.tasks import lease, wake

DISPUTES = ("charge.dispute.",)
REFUNDS = ("charge.refunded", "charge.refund.", "refund.")
SETTLES = ("checkout.session.", "payment_intent.", "setup_intent.")
ABOUT_METHODS = ("payment_method.", "mandate.")
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
        object_ref=seen.object_ref or seen.session_ref or seen.payment_ref,
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
    except OutsideFailure as failure:
        db.session.rollback()
        note = str(failure)
        if failure.permanent:
            in_transaction(lambda: _count_failure(event_id, note))
            raise
        in_transaction(lambda: _wait_for_the_gateway(event_id, note))
        return
    except Exception as error:
        db.session.rollback()
        words = f"{type(error).__name__}: {error}"
        in_transaction(lambda: _count_failure(event_id, words))
        raise
    in_transaction(lambda: _close(event_id, state, note))


def _act_on(seen: EventSeen) -> tuple[GatewayEventState, str]:
    if seen.kind.startswith(DISPUTES):
        return look_at_dispute(seen.object_ref)
    if seen.kind.startswith(REFUNDS):
        return find_refunds(seen.payment_ref)
    if seen.kind.startswith(SETTLES):
        return _settle_for(seen)
    if seen.kind.startswith("payout."):
        return act_on_payout(seen)
    if seen.kind.startswith(ABOUT_METHODS):
        return act_on_method(seen)
    return GatewayEventState.IGNORED, "No action belongs to this kind of event."


def retry_event(event: GatewayEvent) -> None:
    """A person asks to look at a parked event again."""
    event.state, event.claimed_until, event.note = GatewayEventState.WAITING, None, ""
    event.attempts = 0
    record("retried", event, f"Event {event.event_ref} is looked at again.")
    wake("gateway_event", event.id)


def set_event_aside(event_id: int, *, by: str) -> None:
    """A person says that nothing has to be done about it. DomainError unless it is parked."""
    found = lock_rows(GatewayEvent, [event_id])
    if not found or found[0].state is not GatewayEventState.PARKED:
        raise DomainError("Only a parked event can be set aside.")
    event = found[0]
    event.state, event.note = GatewayEventState.IGNORED, f"Set aside by {by}. {event.note}"[:500]
    record("set aside", event, f"Event {event.event_ref} was set aside.")


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


def _close(event_id: int, state: GatewayEventState, note: str) -> None:
    event = db.session.get_one(GatewayEvent, event_id)
    if state is GatewayEventState.WAITING and clock.now() - event.created_at > PATIENCE:
        state = GatewayEventState.PARKED
    event.state, event.note, event.claimed_until = state, note, None
    event.attempts += 1
    if state is GatewayEventState.WAITING:
        event.claimed_until = clock.now() + timedelta(minutes=5)


def _wait_for_the_gateway(event_id: int, words: str) -> None:
    """An outage is nobody's news: however long it takes, the event is acted on afterwards."""
    event = db.session.get_one(GatewayEvent, event_id)
    event.note = words[:500]
    event.claimed_until = clock.now() + timedelta(minutes=5)


def _count_failure(event_id: int, words: str) -> None:
    event = db.session.get_one(GatewayEvent, event_id)
    event.attempts += 1
    event.note = words[:500]
    event.claimed_until = clock.now() + timedelta(minutes=2**event.attempts)
    if event.attempts >= MOST_FAILURES:
        event.state, event.claimed_until = GatewayEventState.PARKED, None
