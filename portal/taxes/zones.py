"""Tax zones and their dated rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import attributes, joinedload, selectinload

from portal.audit import record, record_changes
from portal.db import Page, PageRequest, bump, db, holds, is_taken, paginate
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.numbers import Rate
from portal.models import Location, TaxBase, TaxRate, TaxZone


@dataclass(frozen=True)
class RateWords:
    """One rate as typed: `rate` is a fraction, `ends_on` the last day it applies."""

    authority: str
    base: TaxBase
    rate: Rate
    starts_on: date
    ends_on: date | None = None


def add_zone(*, name: str, rates: Sequence[RateWords]) -> TaxZone:
    """Add a zone with its rates; InvalidFields when a name is taken or rates overlap."""
    _check(name, rates)
    zone = TaxZone(name=name.strip())
    zone.rates = _rows(rates)
    db.session.add(zone)
    record("added", zone, f"Tax zone {zone.name} was added.")
    return zone


def change_zone(
    zone: TaxZone, *, version: int, name: str, active: bool, rates: Sequence[RateWords]
) -> None:
    """Save name, state and the whole list of rates; posted invoices keep their own copies.

    Raises Conflict, InvalidFields, or DomainError when locations still use a zone to be
    deactivated.
    """
    bump(zone, version)
    _check(name, rates, zone)
    if zone.active and not active:
        _refuse_if_used(zone)
    before = _plain(zone)
    zone.name, zone.active = name.strip(), active
    zone.rates = _rows(rates)
    attributes.flag_modified(zone, "name")  # a change of rates alone raises the version too
    record_changes(zone, f"Tax zone {zone.name} was changed.", before, _plain(zone))


def find_zones(q: str, page: PageRequest) -> Page[TaxZone]:
    query = sa.select(TaxZone).options(selectinload(TaxZone.rates))
    if q:
        query = query.where(holds(TaxZone.name, q))
    return paginate(query, page, sorts={"name": TaxZone.name}, default="name")


def get_zone(zone_id: int) -> TaxZone:
    """One zone; NotFound otherwise."""
    zone = db.session.get(TaxZone, zone_id)
    if zone is None:
        raise NotFound("No such tax zone.")
    return zone


def zone_of(location: Location) -> TaxZone | None:
    """The zone it lies in, read together with its rates: whoever asks computes a tax."""
    if location.tax_zone_id is None or "tax_zone" in location.__dict__:  # known already
        return location.tax_zone
    return db.session.get(TaxZone, location.tax_zone_id, options=[joinedload(TaxZone.rates)])


def active_zones() -> list[TaxZone]:
    return list(db.session.scalars(sa.select(TaxZone).where(TaxZone.active).order_by(TaxZone.name)))


def _rows(rates: Sequence[RateWords]) -> list[TaxRate]:
    return [
        TaxRate(
            position=position,
            authority=rate.authority.strip(),
            base=rate.base,
            rate=rate.rate,
            starts_on=rate.starts_on,
            ends_on=rate.ends_on,
        )
        for position, rate in enumerate(rates)
    ]


def _plain(zone: TaxZone) -> dict[str, Any]:
    return {"name": zone.name, "active": zone.active, "rates": [_in_words(r) for r in zone.rates]}


def _in_words(rate: TaxRate) -> str:
    until = f" to {rate.ends_on.isoformat()}" if rate.ends_on else ""
    percent = f"{rate.rate.as_percent.normalize():f}%"
    return f"{rate.authority} {percent} of {rate.base}, from {rate.starts_on.isoformat()}{until}"


def _check(name: str, rates: Sequence[RateWords], zone: TaxZone | None = None) -> None:
    errors = {}
    if not name.strip():
        errors["name"] = "Give the zone a name."
    if is_taken(TaxZone.name, name.strip(), zone):
        errors["name"] = "Another zone already has this name."
    problem = _rate_problem(rates)
    if problem:
        errors["rates"] = problem
    if errors:
        raise InvalidFields(errors)


def _rate_problem(rates: Sequence[RateWords]) -> str | None:
    for rate in rates:
        if not rate.authority.strip():
            return "Name the authority of each rate, e.g. State or King County."
        if not 0 <= rate.rate.value <= 1:
            return f"The rate of {rate.authority} must lie between 0 % and 100 %."
        if rate.ends_on and rate.ends_on < rate.starts_on:
            return f"The rate of {rate.authority} ends before it starts."
    for i, one in enumerate(rates):
        for other in rates[i + 1 :]:
            if one.authority == other.authority and one.base is other.base and _overlap(one, other):
                return f"Two rates of {one.authority} would apply on the same day."
    return None


def _overlap(one: RateWords, other: RateWords) -> bool:
    return one.starts_on <= (other.ends_on or date.max) and other.starts_on <= (
        one.ends_on or date.max
    )


def _refuse_if_used(zone: TaxZone) -> None:
    used = db.session.scalar(
        sa.select(sa.func.count()).where(Location.tax_zone_id == zone.id, Location.active)
    )
    if used:
        raise DomainError(
            f"{used} active location{'s lie' if used > 1 else ' lies'} in this zone. "
            "Give them another zone first.",
            field="active",
        )
