"""Tax zones, their dated rates, and the postal codes that suggest them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.audit import record
from portal.db import Page, PageRequest, bump, db, insert_once, paginate
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.numbers import Rate
from portal.models import Location, PostalTaxZone, TaxBase, TaxRate, TaxZone


@dataclass(frozen=True)
class RateWords:
    """One rate as typed: `rate` is a fraction, `ends_on` the last day it applies."""

    authority: str
    base: TaxBase
    rate: Rate
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True)
class ZoneSuggestion:
    """The zone a postal code points to; ambiguous when several do and a person must choose."""

    zone: TaxZone | None
    candidates: Sequence[TaxZone] = ()

    @property
    def ambiguous(self) -> bool:
        return len(self.candidates) > 1


def add_zone(*, name: str, rates: Sequence[RateWords]) -> TaxZone:
    """Add a zone with its rates; InvalidFields when a name is taken or rates overlap."""
    zone = TaxZone(name=name.strip())
    _check(zone, rates)
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
    old = [f"{r.authority} {r.rate.as_percent.normalize()}% {r.base}" for r in zone.rates]
    before = zone.name, zone.active
    zone.name = name.strip()
    _check(zone, rates)
    if zone.active and not active:
        _refuse_if_used(zone)
    zone.active = active
    zone.rates = _rows(rates)
    new = [f"{r.authority} {r.rate.as_percent.normalize()}% {r.base}" for r in zone.rates]
    zone.version = zone.version  # a change of rates alone bumps the version too
    sa.orm.attributes.flag_modified(zone, "name")
    if old != new or before != (zone.name, zone.active):
        record("changed", zone, f"Tax zone {zone.name} was changed.", {"rates": [old, new]})


def find_zones(q: str, page: PageRequest) -> Page[TaxZone]:
    query = sa.select(TaxZone).options(selectinload(TaxZone.rates))
    if q:
        query = query.where(sa.func.lower(TaxZone.name).like(f"%{q.lower()}%"))
    return paginate(query, page, sorts={"name": TaxZone.name}, default="name")


def get_zone(zone_id: int) -> TaxZone:
    """One zone; NotFound otherwise."""
    zone = db.session.get(TaxZone, zone_id)
    if zone is None:
        raise NotFound("No such tax zone.")
    return zone


def active_zones() -> list[TaxZone]:
    return list(db.session.scalars(sa.select(TaxZone).where(TaxZone.active).order_by(TaxZone.name)))


def suggest_zone(postal_code: str) -> ZoneSuggestion:
    """The zone whose pattern fits best: the whole code, then the longest prefix*, then *."""
    code = postal_code.strip().upper().split("-")[0]
    if not code:
        return ZoneSuggestion(None)
    patterns = [code] + [f"{code[:n]}*" for n in range(len(code), -1, -1)]
    rows = db.session.scalars(
        sa.select(PostalTaxZone)
        .join(TaxZone)
        .where(PostalTaxZone.pattern.in_(patterns), TaxZone.active)
        .options(selectinload(PostalTaxZone.zone))
    ).all()
    if not rows:
        return ZoneSuggestion(None)
    best = min(patterns.index(row.pattern) for row in rows)
    zones = sorted(
        (row.zone for row in rows if row.pattern == patterns[best]), key=lambda zone: zone.name
    )
    return ZoneSuggestion(zones[0] if len(zones) == 1 else None, zones)


def map_postal_code(pattern: str, zone: TaxZone) -> None:
    """Say that a code (98101) or prefix (981*) lies in the zone; saying it twice is quiet."""
    wanted = pattern.strip().upper()
    if (
        not wanted
        or "*" in wanted[:-1]
        or (not wanted.rstrip("*").replace(" ", "").isalnum() and wanted != "*")
    ):
        raise DomainError(
            "Give a postal code such as 98101, a prefix such as 981*, or *.", field="pattern"
        )
    insert_once(PostalTaxZone(pattern=wanted, zone_id=zone.id))


def unmap_postal_code(pattern_id: int, zone: TaxZone) -> None:
    """Take one pattern off the zone."""
    row = db.session.get(PostalTaxZone, pattern_id)
    if row is not None and row.zone_id == zone.id:
        db.session.delete(row)


def postal_patterns(zone: TaxZone) -> list[PostalTaxZone]:
    return list(
        db.session.scalars(
            sa.select(PostalTaxZone)
            .where(PostalTaxZone.zone_id == zone.id)
            .order_by(PostalTaxZone.pattern)
        )
    )


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


def _check(zone: TaxZone, rates: Sequence[RateWords]) -> None:
    errors = {}
    if not zone.name:
        errors["name"] = "Give the zone a name."
    with db.session.no_autoflush:
        taken = sa.select(TaxZone.id).where(TaxZone.name == zone.name)
        if zone.id:
            taken = taken.where(TaxZone.id != zone.id)
        if db.session.scalar(taken):
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
            f"{used} active locations lie in this zone. Give them another zone first.",
            field="active",
        )
