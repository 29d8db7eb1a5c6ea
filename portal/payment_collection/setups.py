"""What became of a visit that should save a method: one function for everybody who asks.

The return page, the webhook worker and the janitor call `settle_setup`, in any order.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from portal.db import db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.models import LIVE_SETUPS, SETUP, MethodSetup, SetupState
from portal.payment_collection.gateway import CheckoutState, SetupSeen, gateway, has_gateway
from portal.payment_collection.keeping import keep_method
from portal.payment_collection.retries import next_look


def settle_setup(setup_id: int) -> SetupState:
    """Ask the gateway what became of a visit and record exactly that, once.

    Ends the session's transaction. Unknown is not failed: an unreachable gateway says nothing.
    """
    db.session.rollback()
    with reading():
        setup = db.session.get_one(MethodSetup, setup_id, populate_existing=True)
        state, session_ref, public_id = setup.state, setup.session_ref, setup.public_id
        foreign = is_foreign_setup(setup)
        db.session.rollback()
    if state is SetupState.SUCCEEDED or session_ref is None:
        return state
    if foreign:
        return in_transaction(lambda: end_setup(setup_id, "expire", ""))
    try:
        seen = gateway().look_up_setup(session_ref)
        if seen.reference != public_id:
            raise OutsideFailure("The page found belongs to another customer's visit.")
    except OutsideFailure as error:
        failure = error
        return in_transaction(lambda: lost_track_of_setup(setup_id, failure))
    return in_transaction(lambda: _record(setup_id, seen))


def setup_by_public_id(public_id: str) -> MethodSetup | None:
    return db.session.scalar(
        sa.select(MethodSetup)
        .where(MethodSetup.public_id == public_id)
        .execution_options(populate_existing=True)
    )


def setup_of_event(reference: str, session_ref: str) -> int | None:
    """Which visit a webhook is about: it names our reference or the gateway's page."""
    with reading():
        found = db.session.scalar(
            sa.select(MethodSetup.id).where(
                sa.or_(
                    MethodSetup.public_id == (reference or "-"),
                    MethodSetup.session_ref == (session_ref or "-"),
                )
            )
        )
        db.session.rollback()
    return found


def due_setups() -> Iterable[int]:
    """Visits nobody reported the end of, whose next look is due."""
    if not has_gateway():
        return []
    return db.session.scalars(
        sa.select(MethodSetup.id)
        .where(MethodSetup.next_check_at <= clock.now(), MethodSetup.state.in_(LIVE_SETUPS))
        .order_by(MethodSetup.next_check_at)
        .limit(200)
    ).all()


def _record(setup_id: int, seen: SetupSeen) -> SetupState:
    setup = lock_rows(MethodSetup, [setup_id])[0]
    setup.misses = 0
    if setup.state is SetupState.SUCCEEDED:
        return setup.state
    match seen.state:
        case CheckoutState.SUCCEEDED if seen.method is not None:
            setup.state, setup.failure = SETUP.after(setup.state, "save"), ""
            setup.next_check_at = None
            setup.method = keep_method(setup, seen.method)
        case CheckoutState.FAILED:
            end_setup(setup_id, "fail", seen.failure)
        case CheckoutState.EXPIRED:
            end_setup(setup_id, "fail" if seen.failure else "expire", seen.failure)
        case _open_or_verified_by_the_bank:
            setup.failure = seen.failure
            if SETUP.allows(setup.state, "open"):
                setup.state = SetupState.OPEN
            setup.next_check_at = _next(setup)
    return setup.state


def lost_track_of_setup(setup_id: int, failure: OutsideFailure) -> SetupState:
    setup = lock_rows(MethodSetup, [setup_id])[0]
    if setup.state not in LIVE_SETUPS:
        return setup.state
    setup.failure, setup.misses = str(failure), setup.misses + 1
    setup.state, setup.next_check_at = SetupState.UNKNOWN, _next(setup)
    over = setup.expires_at is not None and setup.expires_at <= clock.now()
    return end_setup(setup_id, "expire", "") if failure.missing and over else setup.state


def end_setup(setup_id: int, verb: str, failure: str) -> SetupState:
    setup = lock_rows(MethodSetup, [setup_id])[0]
    if SETUP.allows(setup.state, verb):
        setup.state, setup.failure = SETUP.after(setup.state, verb), failure
        setup.next_check_at = None
    return setup.state


def count_look(setup_id: int) -> None:
    setup = lock_rows(MethodSetup, [setup_id])[0]
    setup.checks += 1


def _next(setup: MethodSetup) -> datetime | None:
    return next_look(checks=setup.checks, misses=setup.misses, is_pending=False)


def is_foreign_setup(setup: MethodSetup) -> bool:
    return (setup.gateway, setup.livemode) != (gateway().name, gateway().livemode)
