"""The one function that turns what a gateway paid out into a deposit, matched to the cent.

The webhook worker, the daily look and staff all call `settle_payout`, any number of times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import db, in_transaction, insert_once, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import NotFound, OutsideFailure
from portal.kernel.money import Money
from portal.models import (
    AttemptState,
    DifferenceKind,
    GatewayMovement,
    MovementKind,
    PaymentAttempt,
    Payout,
    PayoutState,
)
from portal.payment_collection.deposits import keep_deposit
from portal.payment_collection.gateway import MovementSeen, PayoutSeen, gateway, has_gateway
from portal.payment_collection.matching import match_movements
from portal.payment_collection.movements import keep_movements
from portal.payment_collection.settling import settle
from portal.payment_collection.unheard import hear_of
from portal.payment_collection.unmatched import (
    Found,
    is_foreign_money,
    keep_found,
    said_in,
)
from portal.tasks import wake

LOOKED_BACK = timedelta(days=14)  # a bank may send a payout back days after it arrived
NEXT_LOOK = timedelta(days=1)
PATIENCE = timedelta(days=30)  # then what does not match waits for a person


def settle_payout(payout_id: int) -> PayoutState:
    """Ask the gateway about a payout, keep and match its movements, book what arrived, once.

    The gateway is asked outside of any transaction. What arrived is a bank deposit; what failed
    is taken back; `difference` is what clearing keeps for it. Ends the session's transaction.
    Raises NotFound; a gateway that cannot be reached changes nothing.
    """
    db.session.rollback()
    with reading():
        payout = db.session.get(Payout, payout_id, populate_existing=True)
        if payout is None:
            raise NotFound("No such payout.")
        ref, state = payout.payout_ref, payout.state
        foreign = (payout.gateway, payout.livemode) != (gateway().name, gateway().livemode)
        db.session.rollback()
    if foreign:
        in_transaction(lambda: _look_at(payout_id, None))
        return state
    try:
        seen = gateway().look_up_payout(ref)
        movements = list(gateway().movements_of(ref))
    except OutsideFailure:
        in_transaction(lambda: _look_at(payout_id, clock.now() + timedelta(hours=1)))
        return state
    _settle_payments_of(movements)
    hear_of(movements)
    return in_transaction(lambda: _record(payout_id, seen, movements))


def look_at_movement(movement_id: int) -> str:
    """Match one movement again, with its whole payout if it has one; what is still wrong.

    Ends the session's transaction. Raises NotFound.
    """
    movement = db.session.get(GatewayMovement, movement_id)
    if movement is None:
        raise NotFound("No such movement.")
    payout_id, seen = movement.payout_id, _as_seen(movement)
    hear_of([seen])
    if payout_id is not None:
        settle_payout(payout_id)
    else:
        in_transaction(lambda: match_movements(lock_rows(GatewayMovement, [movement_id])))
    return db.session.get_one(GatewayMovement, movement_id, populate_existing=True).problem


def _as_seen(row: GatewayMovement) -> MovementSeen:
    return MovementSeen(
        row.movement_ref, row.kind.value, row.amount, row.fee, row.moved_at, row.payment_ref,
        row.source_ref, currency=row.currency,
    )  # fmt: skip


def know_payout(seen: PayoutSeen) -> int:
    """The row of a payout, made when it is heard of for the first time."""
    gate = gateway()
    mine = sa.select(Payout.id).where(
        Payout.gateway == gate.name, Payout.payout_ref == seen.payout_ref
    )
    if known := db.session.scalar(mine):
        return known
    fresh = Payout(
        gateway=gate.name,
        livemode=gate.livemode,
        payout_ref=seen.payout_ref,
        amount=seen.amount,
        arrives_on=seen.arrives_on,
        state=PayoutState.ON_ITS_WAY,
        next_check_at=clock.now(),
    )
    if insert_once(fresh):
        record("found", fresh, f"{seen.amount} is paid out by the processor.")
    return db.session.scalars(mine).one()


def set_apart(seen: PayoutSeen) -> bool:
    """Whether a payout is in another currency: these books keep none, so a person is told."""
    if not is_foreign_money(seen.currency):
        return False
    said = said_in(seen.amount, seen.currency)
    words = f"{said} is paid out by the processor in another currency than ours: it is not booked."
    keep_found([Found(DifferenceKind.OTHER_CURRENCY, seen.payout_ref, words)])
    return True


def find_payouts() -> None:
    """The daily look at the gateway's own list: no webhook is needed. Idempotent."""
    if not has_gateway():
        return
    db.session.rollback()
    now = clock.now()
    seen = list(gateway().payouts_between(now - LOOKED_BACK, now + timedelta(days=1)))
    for one in seen:
        in_transaction(lambda one=one: _look_again_at(one))  # type: ignore[misc]


def due_payouts() -> Iterable[int]:
    """Payouts whose next look is due."""
    if not has_gateway():
        return []
    due = sa.select(Payout.id).where(
        Payout.next_check_at <= clock.now(), Payout.gateway == gateway().name
    )
    return db.session.scalars(due.order_by(Payout.next_check_at).limit(200)).all()


def moved(movements: Iterable[GatewayMovement]) -> Money:
    """What a payout's movements add up to; its own line is itself, and only its fee counts."""
    return Money.total(
        -one.fee if one.kind is MovementKind.PAYOUT else one.net for one in movements
    )


def _look_again_at(seen: PayoutSeen) -> None:
    if set_apart(seen):
        return
    payout = db.session.get_one(Payout, know_payout(seen), populate_existing=True)
    if payout.state.value != seen.state or payout.amount != seen.amount or payout.next_check_at:
        payout.next_check_at = clock.now()
        wake("payout", payout.id)


def _settle_payments_of(movements: Sequence[MovementSeen]) -> None:
    """Money that was paid out was received: record what we did not hear of yet."""
    refs = sorted({one.payment_ref for one in movements if one.kind == MovementKind.CHARGE})
    open_ones: list[int] = []
    with reading():
        for start in range(0, len(refs), 500):
            query = sa.select(PaymentAttempt.id).where(
                PaymentAttempt.payment_ref.in_(refs[start : start + 500]),
                PaymentAttempt.gateway == gateway().name,
                PaymentAttempt.state != AttemptState.SUCCEEDED,
            )
            open_ones += db.session.scalars(query)
        db.session.rollback()
    for attempt_id in open_ones:
        settle(attempt_id)


def _record(payout_id: int, seen: PayoutSeen, movements: Sequence[MovementSeen]) -> PayoutState:
    payout = lock_rows(Payout, [payout_id])[0]
    if set_apart(seen):
        payout.next_check_at = None
        return payout.state
    before = payout.state
    payout.amount, payout.arrives_on, payout.failure = seen.amount, seen.arrives_on, seen.failure
    payout.state = PayoutState(seen.state)
    keep_movements(payout.gateway, payout.livemode, movements, payout)
    db.session.flush()
    keep_deposit(payout)
    _compare(payout)
    if payout.state is not before:
        _tell(payout)
    return payout.state


def _compare(payout: Payout) -> None:
    """Difference: what our books moved for its movements, less what it paid out."""
    rows = movements_rows(payout.id)
    payout.difference = match_movements(rows) - payout.amount
    matched = not payout.difference and not any(row.problem for row in rows)
    was = payout.matched_at
    payout.matched_at = (was or clock.now()) if matched else None
    payout.next_check_at = _next_check(payout)
    if matched and was is None:
        every = "Its one movement matches" if len(rows) == 1 else f"All {len(rows)} movements match"
        words = f"{every}; clearing keeps nothing for it."
        record("matched", payout, words)


def movements_rows(payout_id: int) -> Sequence[GatewayMovement]:
    """The movements of a payout in the order the processor made them."""
    query = sa.select(GatewayMovement).where(GatewayMovement.payout_id == payout_id)
    return db.session.scalars(query.order_by(GatewayMovement.moved_at, GatewayMovement.id)).all()


def _next_check(payout: Payout) -> datetime | None:
    if payout.state is not PayoutState.ON_ITS_WAY and payout.matched_at is not None:
        return None
    if (today() - payout.arrives_on) > PATIENCE:
        return None
    return clock.now() + NEXT_LOOK


def _look_at(payout_id: int, at: datetime | None) -> None:
    lock_rows(Payout, [payout_id])[0].next_check_at = at


def _tell(payout: Payout) -> None:
    match payout.state:
        case PayoutState.PAID:
            record("paid", payout, f"{payout.amount} arrived at the bank.")
        case PayoutState.FAILED:
            why = f": {payout.failure}" if payout.failure else "."
            record("failed", payout, f"The bank sent {payout.amount} back{why}")
        case PayoutState.ON_ITS_WAY:
            record("on its way", payout, f"{payout.amount} is on its way to the bank again.")
