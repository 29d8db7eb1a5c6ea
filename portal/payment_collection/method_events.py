"""Webhooks about kept methods: hints to look at one at the gateway."""

from __future__ import annotations

import sqlalchemy as sa

from portal.db import db, in_transaction, reading
from portal.kernel.errors import OutsideFailure
from portal.models import GatewayEventState, SavedMethod
from portal.payment_collection.gateway import EventSeen, gateway
from portal.payment_collection.watching import look_at_method, note_seen


def act_on_method(seen: EventSeen) -> tuple[GatewayEventState, str]:
    """Look at the method, or at the mandate it rests on; idempotent.

    Methods we do not keep are nothing to us: a payment page makes one for every payment.
    """
    if seen.kind.startswith("mandate."):
        return _act_on_mandate(seen.object_ref)
    method_id = _id_of(seen.object_ref)
    if method_id is None:
        return GatewayEventState.IGNORED, "We do not keep this payment method."
    return GatewayEventState.HANDLED, f"The payment method is {look_at_method(method_id)}."


def _act_on_mandate(mandate_ref: str) -> tuple[GatewayEventState, str]:
    try:
        kept = gateway().look_up_mandate(mandate_ref)
    except OutsideFailure as failure:
        if not failure.missing:
            raise
        return GatewayEventState.IGNORED, "The gateway knows no such mandate."
    method_id = _id_of(kept.method_ref)
    if method_id is None:
        return GatewayEventState.IGNORED, "We do not keep this payment method."
    state = in_transaction(lambda: note_seen(method_id, kept))
    return GatewayEventState.HANDLED, f"The payment method is {state}."


def _id_of(method_ref: str) -> int | None:
    with reading():
        found = db.session.scalar(
            sa.select(SavedMethod.id).where(
                SavedMethod.gateway == gateway().name, SavedMethod.method_ref == method_ref
            )
        )
        db.session.rollback()
    return found
