"""What the gateway says of a kept method: renewed by its bank, detached, its mandate ended."""

from __future__ import annotations

from dataclasses import dataclass

from portal.db import db, in_transaction, reading
from portal.kernel.errors import OutsideFailure
from portal.kernel.events import Event, tell
from portal.models import MethodState, SavedMethod
from portal.payment_collection.gateway import MethodSeen, gateway
from portal.payment_collection.keeping import lock_methods_of, record_of_method


@dataclass(frozen=True)
class MethodGone(Event):
    """The gateway no longer lets us charge it: detached there, or its mandate ended."""

    method: SavedMethod


def look_at_method(method_id: int) -> MethodState:
    """Ask the gateway how a method is: renewed, detached, mandate ended. Idempotent."""
    with reading():
        method = db.session.get_one(SavedMethod, method_id, populate_existing=True)
        method_ref = method.method_ref
        db.session.rollback()
    try:
        seen = gateway().look_up_method(method_ref)
    except OutsideFailure as failure:
        if not failure.missing:
            raise
        return in_transaction(lambda: _mark_gone(method_id))
    return in_transaction(lambda: note_seen(method_id, seen))


def note_seen(method_id: int, seen: MethodSeen) -> MethodState:
    """Write down what the gateway says of a method now."""
    if not seen.usable:
        return _mark_gone(method_id)
    method = db.session.get_one(SavedMethod, method_id, populate_existing=True)
    was, now = (method.last4, method.expires_on), (seen.last4, seen.expires_on)
    if was != now and method.state is MethodState.ACTIVE:
        method.last4, method.expires_on = now
        until = f", good until {seen.expires_on:%m/%Y}" if seen.expires_on else ""
        record_of_method(method, "method renewed", f"The bank renewed {method.label}{until}.")
    return method.state


def _mark_gone(method_id: int) -> MethodState:
    method = db.session.get_one(SavedMethod, method_id, populate_existing=True)
    lock_methods_of(method.customer_id)
    db.session.refresh(method)
    if method.state is MethodState.ACTIVE:
        method.is_primary, method.state = False, MethodState.GONE
        record_of_method(
            method, "method gone", f"{method.label} is not valid any more: its bank ended it."
        )
        tell(MethodGone(method))
    return method.state
