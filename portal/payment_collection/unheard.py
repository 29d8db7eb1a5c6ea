"""Disputes and refunds that moved money and that no webhook told us of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import sqlalchemy as sa

from portal.db import db, reading
from portal.kernel.errors import OutsideFailure
from portal.models import DisputeMovement, GatewayRefund, GatewayRefundState, MovementKind
from portal.payment_collection.disputes import look_at_dispute
from portal.payment_collection.gateway import MovementSeen, gateway
from portal.payment_collection.refunds_elsewhere import find_refunds

DISPUTED = {MovementKind.DISPUTE, MovementKind.DISPUTE_REVERSAL}
GIVEN_BACK = {MovementKind.REFUND, MovementKind.REFUND_FAILURE}
AT_A_TIME = 500
log = logging.getLogger("fieldledger.payments")


def hear_of(movements: Iterable[MovementSeen]) -> None:
    """Ask about every dispute and refund behind these movements that is not recorded as it moved.

    A movement is the proof that money moved, so nothing is missed when webhooks are lost.
    Idempotent. Ends the session's transaction. What cannot be asked now is asked the next time.
    """
    moved = list(movements)
    disputes = {one.movement_ref: one.source_ref for one in moved if one.kind in DISPUTED}
    refunds = {one.source_ref: one for one in moved if one.kind in GIVEN_BACK}
    db.session.rollback()
    with reading():
        heard = _known_movements(list(disputes))
        states = _refund_states(list(refunds))
        db.session.rollback()
    asked = {ref for movement_ref, ref in disputes.items() if movement_ref not in heard}
    paid_by = {
        one.payment_ref for ref, one in refunds.items() if not _is_recorded(one, states.get(ref))
    }
    for dispute_ref in sorted(asked - {""}):
        _ask(look_at_dispute, dispute_ref)
    for payment_ref in sorted(paid_by - {""}):
        _ask(find_refunds, payment_ref)


def _is_recorded(one: MovementSeen, state: GatewayRefundState | None) -> bool:
    if one.kind == MovementKind.REFUND_FAILURE:
        return state is GatewayRefundState.FAILED
    return state in (GatewayRefundState.SUCCEEDED, GatewayRefundState.FAILED)


def _known_movements(refs: list[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(refs), AT_A_TIME):
        some = refs[start : start + AT_A_TIME]
        query = sa.select(DisputeMovement.movement_ref)
        found.update(db.session.scalars(query.where(DisputeMovement.movement_ref.in_(some))))
    return found


def _refund_states(refs: list[str]) -> dict[str, GatewayRefundState]:
    found: dict[str, GatewayRefundState] = {}
    for start in range(0, len(refs), AT_A_TIME):
        query = sa.select(GatewayRefund.refund_ref, GatewayRefund.state).where(
            GatewayRefund.gateway == gateway().name,
            GatewayRefund.refund_ref.in_(refs[start : start + AT_A_TIME]),
        )
        found.update({ref or "": state for ref, state in db.session.execute(query)})
    return found


def _ask(about: Callable[[str], object], ref: str) -> None:
    try:
        about(ref)
    except OutsideFailure as failure:
        db.session.rollback()
        log.warning("%s could not be asked about: %s", ref, failure)
