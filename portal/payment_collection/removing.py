"""Removing a kept method: refused while a consent names it, or nothing could take over.

What charges the primary method goes on with the next one; what names one method never does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.models import (
    LIVE_ATTEMPTS,
    AttemptState,
    Autopay,
    ConsentKind,
    MethodState,
    PaymentAttempt,
    SavedMethod,
)
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payment_collection.keeping import (
    A_PLAN,
    AUTOPAY,
    lock_methods_of,
    needs_of,
    record_of_method,
    set_primary,
    successor_of,
)
from portal.payment_collection.methods import method_of

TO_DETACH = sa.text(  # as its index says it
    "saved_methods.state = 'removed' AND saved_methods.detached_at IS NULL"
)
FIRST = {
    AUTOPAY: "Change autopay first, or turn it off.",
    A_PLAN: "End the payment plan first, or agree on another one.",
}


def removal_problem(method: SavedMethod) -> str:
    """Why it cannot be removed now, for people; empty when it can."""
    charging = sa.select(PaymentAttempt.id).where(
        PaymentAttempt.method_id == method.id,
        PaymentAttempt.state.in_(LIVE_ATTEMPTS - {AttemptState.PROCESSING}),
    )
    if db.session.scalar(charging.limit(1)) is not None:
        return f"{method.label} is being charged at this moment. Try again in some minutes."
    if named := needs_of(method, by_name=True):
        return (
            f"{method.label} is named by what was agreed: it is used for {' and '.join(named)}. "
            f"{' '.join(FIRST[one] for one in named)}"
        )
    needs = needs_of(method)
    if needs and successor_of(method) is None:
        return (
            f"{method.label} is used for {' and '.join(needs)}. "
            "Add another payment method first, or end that."
        )
    return ""


def remove_method(customer_id: int, method_id: int) -> None:
    """Mark it, then detach it at the gateway; what charges the primary one moves to another.

    Marked first, under the lock a new charge takes too: no charge begins with it meanwhile. One
    that the gateway could not detach is as it was before; after a crash in between the sweep
    detaches it. Runs its own transactions. Raises NotFound for another customer's, DomainError
    when it is needed and nothing can take over, or when the gateway cannot be reached; repeating
    is safe.
    """
    marked = in_transaction(lambda: _mark_removed(customer_id, method_id))
    try:
        if marked.kept_here:
            gateway().forget_method(marked.method_ref)
    except OutsideFailure as failure:
        if not failure.missing:
            in_transaction(lambda: _take_back(customer_id, method_id, marked))
            raise DomainError(
                "The payment processor could not be reached. Nothing was removed; try again."
            ) from failure
    if marked.kept_here:
        in_transaction(lambda: _note_detached(method_id))


def methods_to_detach() -> Iterable[int]:
    """Removed ones that the gateway in use may still keep: whoever removed them was interrupted."""
    if not has_gateway():
        return []
    query = sa.select(SavedMethod.id).where(
        TO_DETACH,
        SavedMethod.gateway == gateway().name,
        SavedMethod.livemode == gateway().livemode,
    )
    return db.session.scalars(query.order_by(SavedMethod.id).limit(200)).all()


def detach_removed(method_id: int) -> None:
    """Detach one that was only marked; tried until it works. Idempotent; its own transactions."""
    with reading():
        method = db.session.get_one(SavedMethod, method_id, populate_existing=True)
        ref, waits = method.method_ref, method.state is MethodState.REMOVED
        waits = waits and method.detached_at is None
        db.session.rollback()
    if not waits:
        return
    try:
        gateway().forget_method(ref)
    except OutsideFailure as failure:
        if not failure.missing:
            return  # the sweep tries again
    in_transaction(lambda: _note_detached(method_id))


def _note_detached(method_id: int) -> None:
    """The gateway does not keep it any more, even if whoever removed it just gave up."""
    method = lock_rows(SavedMethod, [method_id])[0]
    method.detached_at = method.detached_at or clock.now()
    if method.state is MethodState.ACTIVE:
        method.is_primary, method.state = False, MethodState.GONE


@dataclass(frozen=True)
class _Marked:
    method_ref: str
    kept_here: bool
    now: bool  # by this call, not before
    was_primary: bool


def _mark_removed(customer_id: int, method_id: int) -> _Marked:
    lock_methods_of(customer_id)
    lock_rows(SavedMethod, [method_id])
    method = method_of(customer_id, method_id)
    if method.state is MethodState.ACTIVE and (problem := removal_problem(method)):
        raise DomainError(problem)
    here = has_gateway() and method.gateway == gateway().name
    kept_here = here and method.livemode == gateway().livemode
    marked = _Marked(
        method.method_ref, kept_here, method.state is not MethodState.REMOVED, method.is_primary
    )
    if marked.now:
        _mark(method)
    return marked


def _mark(method: SavedMethod) -> None:
    successor, was_primary = successor_of(method), method.is_primary
    method.is_primary, method.state = False, MethodState.REMOVED
    if method.consent.kind is ConsentKind.SAVE_METHOD:
        method.consent.revoked_at = clock.now()
    db.session.flush()
    _forget_in_autopay_that_is_off(method)
    words = f"{method.label} was removed."
    if was_primary and successor is not None:
        set_primary(successor)
        words += f" {successor.label} is the primary payment method now."
    record_of_method(method, "method removed", words)


def _take_back(customer_id: int, method_id: int, marked: _Marked) -> None:
    lock_methods_of(customer_id)
    method = method_of(customer_id, method_id)
    db.session.refresh(method, with_for_update={"of": SavedMethod})
    if not marked.now or method.state is not MethodState.REMOVED or method.detached_at:
        return
    method.state = MethodState.ACTIVE
    if method.consent.kind is ConsentKind.SAVE_METHOD:
        method.consent.revoked_at = None
    db.session.flush()
    if marked.was_primary:
        set_primary(method)
    words = f"{method.label} could not be removed at the payment processor and is kept."
    record_of_method(method, "method kept", words)


def _forget_in_autopay_that_is_off(method: SavedMethod) -> None:
    """It is offered anew when they turn it on again; one that is on keeps what it names."""
    db.session.execute(
        sa.update(Autopay)
        .where(Autopay.method_id == method.id, ~Autopay.active)
        .values(method_id=None)
    )
