"""What webhooks say of payouts: where to look; the gateway is asked what is true."""

from __future__ import annotations

from portal.db import db, in_transaction
from portal.kernel.errors import OutsideFailure
from portal.models import GatewayEventState
from portal.payment_collection.gateway import EventSeen, gateway
from portal.payment_collection.payouts import know_payout, set_apart, settle_payout


def act_on_payout(seen: EventSeen) -> tuple[GatewayEventState, str]:
    """Settle the payout an event is about; parked when the gateway does not know it.

    Raises OutsideFailure while the gateway cannot be reached: the event is tried again.
    """
    if not seen.object_ref:
        return GatewayEventState.PARKED, "The event names no payout."
    db.session.rollback()
    try:
        payout = gateway().look_up_payout(seen.object_ref)
    except OutsideFailure as failure:
        if failure.missing:
            return GatewayEventState.PARKED, "The processor knows no such payout."
        raise
    if in_transaction(lambda: set_apart(payout)):
        return GatewayEventState.PARKED, "The payout is in another currency than ours."
    payout_id = in_transaction(lambda: know_payout(payout))
    state = settle_payout(payout_id)
    return GatewayEventState.HANDLED, f"The payout is {state.replace('_', ' ')}."
