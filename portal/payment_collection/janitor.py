"""Looking again: attempts whose outcome is unknown or pending converge without any webhook.

The schedule is that of `retries`. What stays unknown after the last look is parked for a person,
still live: money that comes after all is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from portal.db import db, in_transaction, lock_rows
from portal.kernel import clock
from portal.kernel.errors import NotFound, OutsideFailure
from portal.models import LIVE_ATTEMPTS, AttemptState, PaymentAttempt
from portal.payment_collection.attempts import (
    is_foreign,
    retire_foreign,
)
from portal.payment_collection.charging import cancel_charge, carry_out
from portal.payment_collection.checkout import (
    has_outlived_its_key,
    mark_opened,
    never_reached,
    order_for,
)
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payment_collection.retries import next_look
from portal.payment_collection.settling import settle


def due_attempts() -> Iterable[int]:
    """Living attempts whose next look is due."""
    if not has_gateway():
        return []
    return db.session.scalars(
        sa.select(PaymentAttempt.id)
        .where(PaymentAttempt.next_check_at <= clock.now(), PaymentAttempt.state.in_(LIVE_ATTEMPTS))
        .order_by(PaymentAttempt.next_check_at)
        .limit(200)
    ).all()


def recheck(attempt_id: int) -> AttemptState:
    """One look of the janitor, or of a person who pressed the button; idempotent."""
    attempt = db.session.get(PaymentAttempt, attempt_id, populate_existing=True)
    if attempt is None:
        raise NotFound("No such payment attempt.")
    if is_foreign(attempt):
        db.session.rollback()
        retire_foreign(attempt_id)
        return db.session.get_one(PaymentAttempt, attempt_id, populate_existing=True).state
    if attempt.method_id is not None:
        return _look_after_charge(attempt)
    if attempt.session_ref is None and attempt.is_live:
        return _find_session(attempt)
    in_transaction(lambda: _count(attempt_id))
    return settle(attempt_id)


def _look_after_charge(attempt: PaymentAttempt) -> AttemptState:
    """What became of a charge; one that was never carried out is, if it is still meant.

    Without its reference it was never confirmed: it is prepared again with the same key, for
    as long as the gateway remembers keys.
    """
    attempt_id, payment_ref, live = attempt.id, attempt.payment_ref, attempt.is_live
    too_old = has_outlived_its_key(attempt)
    db.session.rollback()
    if payment_ref is None and live and too_old:
        return cancel_charge(attempt_id, "The payment processor was never reached.")
    in_transaction(lambda: _count(attempt_id))
    state = settle(attempt_id)
    if state is AttemptState.OPEN or (payment_ref is None and live):
        return carry_out(attempt_id)
    return state


def _find_session(attempt: PaymentAttempt) -> AttemptState:
    """The answer to opening was lost: ask again with the same key, or give up after a day."""
    attempt_id = attempt.id
    if has_outlived_its_key(attempt):
        return in_transaction(lambda: never_reached(attempt_id))
    order = order_for(attempt)
    db.session.rollback()
    try:
        opened = gateway().open_checkout(order)
    except OutsideFailure as failure:
        words = str(failure)
        return in_transaction(lambda: _still_unknown(attempt_id, words))
    in_transaction(
        lambda: mark_opened(attempt_id, opened.session_ref, opened.url, opened.expires_at)
    )
    in_transaction(lambda: _count(attempt_id))
    return settle(attempt_id)


def _count(attempt_id: int) -> None:
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    attempt.checks += 1


def _still_unknown(attempt_id: int, words: str) -> AttemptState:
    attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
    attempt.checks += 1
    attempt.misses += 1
    attempt.failure = words
    if attempt.is_live:
        attempt.state = AttemptState.UNKNOWN
        attempt.next_check_at = next_look(
            checks=attempt.checks, misses=attempt.misses, is_pending=False
        )
    return attempt.state
