"""Removing a kept method: refused while a consent names it, or nothing could take over.

What charges the primary method goes on with the next one; what names one method never does.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import db, in_transaction, lock_rows
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
    that the gateway could not detach is as it was before. Runs its own transactions. Raises
    NotFound for another customer's, DomainError when it is needed and nothing can take over, or
    when the gateway cannot be reached; repeating is safe.
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
    if not marked.now or method.state is not MethodState.REMOVED:
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
