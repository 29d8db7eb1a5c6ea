"""Kept methods: which one is the primary, what needs it, and what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, lock_alone
from portal.kernel.events import Event, tell
from portal.models import (
    LIVE_PLANS,
    Autopay,
    MethodKind,
    MethodSetup,
    PaymentPlan,
    SavedMethod,
)
from portal.payment_collection.gateway import MethodSeen
from portal.payment_collection.methods import (
    chargeable_method,
    methods_of,
    primary_method,
    why_not,
)

AUTOPAY, A_PLAN = "automatic payments", "a payment plan"  # what needs a method, in words


@dataclass(frozen=True)
class MethodSaved(Event):
    """A visit saved a method; `setup` says whether autopay is wanted with it."""

    method: SavedMethod
    setup: MethodSetup


def keep_method(setup: MethodSetup, seen: MethodSeen) -> SavedMethod:
    """The kept method of a visit, once; a customer's first one is the primary one."""
    lock_methods_of(setup.customer_id)
    known = db.session.scalar(
        sa.select(SavedMethod).where(
            SavedMethod.gateway == setup.gateway, SavedMethod.method_ref == seen.method_ref
        )
    )
    if known is not None:
        return known
    method = SavedMethod(
        customer_id=setup.customer_id,
        gateway=setup.gateway,
        livemode=setup.livemode,
        customer_ref=seen.customer_ref,
        method_ref=seen.method_ref,
        kind=MethodKind(seen.kind),
        brand=seen.brand,
        last4=seen.last4,
        expires_on=seen.expires_on,
        consent_id=setup.consent_id,
    )
    db.session.add(method)
    db.session.flush()
    record_of_method(method, "method saved", f"{method.label} was saved by {setup.started_by}.")
    if setup.make_primary or primary_method(setup.customer_id) is None:
        set_primary(method)
    tell(MethodSaved(method, setup))
    return method


def make_primary(customer_id: int, method_id: int) -> SavedMethod:
    """From now on charged when nobody names another. Idempotent.

    Raises NotFound for another customer's, DomainError for one that cannot be charged.
    """
    lock_methods_of(customer_id)
    method = chargeable_method(customer_id, method_id)
    if not method.is_primary:
        set_primary(method)
        record_of_method(
            method, "primary method", f"{method.label} is the primary payment method now."
        )
    return method


def needs_of(method: SavedMethod, *, by_name: bool = False) -> list[str]:
    """What would stop working without it, in words: automatic payments, a payment plan.

    `by_name` leaves out what charges whichever method is the primary one.
    """
    ids: list[int | None] = [method.id]
    if method.is_primary and not by_name:
        ids.append(None)  # the primary one
    autopay = sa.select(Autopay.id).where(
        Autopay.customer_id == method.customer_id,
        Autopay.active,
        _is_one_of(Autopay.method_id, ids),
    )
    plan = sa.select(PaymentPlan.id).where(
        PaymentPlan.customer_id == method.customer_id,
        PaymentPlan.automatic,
        PaymentPlan.state.in_(LIVE_PLANS),
        _is_one_of(PaymentPlan.method_id, ids),
    )
    found = ((AUTOPAY, autopay), (A_PLAN, plan))
    return [words for words, query in found if db.session.scalar(query.limit(1)) is not None]


def successor_of(method: SavedMethod) -> SavedMethod | None:
    """Which method takes over when this one is removed: the primary one, else the oldest."""
    others = [one for one in methods_of(method.customer) if one.id != method.id]
    return next((one for one in others if not why_not(one)), None)


def set_primary(method: SavedMethod) -> None:
    for other in methods_of(method.customer):
        other.is_primary = False
    db.session.flush()  # the index allows one at a time
    method.is_primary = True
    db.session.flush()


def record_of_method(method: SavedMethod, verb: str, sentence: str) -> None:
    """It is told in the timeline of the customer."""
    record(verb, method.customer, sentence)


def lock_methods_of(customer_id: int) -> None:
    lock_alone(f"payment methods of customer {customer_id}")


def _is_one_of(column: Any, ids: Sequence[int | None]) -> sa.ColumnElement[bool]:
    return sa.or_(*(column.is_not_distinct_from(one) for one in ids))
