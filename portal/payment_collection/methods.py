"""The payment methods a customer saved: finding them, and whether one can be charged."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import today
from portal.db import db
from portal.kernel.errors import DomainError, NotFound
from portal.models import Customer, MethodState, SavedMethod
from portal.payment_collection.charge_words import ELSEWHERE, EXPIRED, GONE, REMOVED
from portal.payment_collection.gateway import gateway, has_gateway


def methods_of(customer: Customer) -> list[SavedMethod]:
    """What is kept at the gateway in use, the primary one first; expired cards included."""
    if not has_gateway():
        return []
    query = _kept_here(customer.id).order_by(SavedMethod.is_primary.desc(), SavedMethod.id)
    return list(db.session.scalars(query))


def primary_method(customer_id: int) -> SavedMethod | None:
    """The one that is charged when nobody names another."""
    if not has_gateway():
        return None
    return db.session.scalars(_kept_here(customer_id).where(SavedMethod.is_primary)).one_or_none()


def find_method(method_id: int) -> SavedMethod | None:
    """One that is still kept, whoever's it is: the caller says who may see it."""
    method = db.session.get(SavedMethod, method_id)
    return method if method is not None and method.state is MethodState.ACTIVE else None


def all_methods_of(customer: Customer) -> list[SavedMethod]:
    """Everything ever saved, with its consent; what is gone last. For the office."""
    query = (
        sa.select(SavedMethod)
        .where(SavedMethod.customer_id == customer.id)
        .options(joinedload(SavedMethod.consent))
        .order_by(SavedMethod.is_primary.desc(), SavedMethod.id.desc())
    )
    kept = list(db.session.scalars(query))
    return sorted(kept, key=lambda one: one.state is not MethodState.ACTIVE)


def method_of(customer_id: int, method_id: int) -> SavedMethod:
    """One of this customer's, whatever its state; NotFound for anybody else's."""
    method = db.session.get(SavedMethod, method_id, populate_existing=True)
    if method is None or method.customer_id != customer_id:
        raise NotFound("No such payment method.")
    return method


def chargeable_method(customer_id: int, method_id: int) -> SavedMethod:
    """Raises NotFound for another customer's, DomainError in words for one that is no use."""
    method = method_of(customer_id, method_id)
    if words := why_not(method):
        raise DomainError(words)
    return method


def why_not(method: SavedMethod) -> str:
    """Why this method cannot be charged now, for office and customer; empty when it can."""
    here = has_gateway() and (method.gateway, method.livemode) == (
        gateway().name,
        gateway().livemode,
    )
    if method.state is MethodState.REMOVED:
        return REMOVED.why(label=method.label)
    if method.state is MethodState.GONE:
        return GONE.why(label=method.label)
    if not here:
        return ELSEWHERE.why(label=method.label)
    if method.has_expired(today()):
        assert method.expires_on is not None
        month = method.expires_on.strftime("%m/%Y")
        return EXPIRED.why(label=method.label, month=month)
    return ""


def _kept_here(customer_id: int) -> sa.Select[SavedMethod]:
    return sa.select(SavedMethod).where(
        SavedMethod.customer_id == customer_id,
        SavedMethod.state == MethodState.ACTIVE,
        SavedMethod.gateway == gateway().name,
        SavedMethod.livemode == gateway().livemode,
    )
