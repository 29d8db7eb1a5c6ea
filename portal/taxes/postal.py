"""Which postal codes suggest which tax zone."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.audit import record
from portal.db import db, insert_once
from portal.kernel.errors import DomainError
from portal.models import PostalTaxZone, TaxZone


@dataclass(frozen=True)
class ZoneSuggestion:
    """The zone a postal code points to; ambiguous when several do and a person must choose."""

    zone: TaxZone | None
    candidates: Sequence[TaxZone] = ()

    @property
    def ambiguous(self) -> bool:
        return len(self.candidates) > 1


def suggest_zone(postal_code: str) -> ZoneSuggestion:
    """The zone whose pattern fits best: the whole code, then the longest prefix*, then *."""
    return suggest_zones([postal_code])[postal_code]


def suggest_zones(postal_codes: Collection[str]) -> dict[str, ZoneSuggestion]:
    """The suggestion for each code, in two statements however many there are."""
    patterns = {code: _patterns(code) for code in postal_codes}
    rows = db.session.scalars(
        sa.select(PostalTaxZone)
        .join(TaxZone)
        .where(PostalTaxZone.pattern.in_(set(chain(*patterns.values()))), TaxZone.active)
        .options(selectinload(PostalTaxZone.zone))
    ).all()
    return {code: _best(fitting, rows) for code, fitting in patterns.items()}


def _patterns(postal_code: str) -> list[str]:
    """Every pattern that would fit the code, the closest first."""
    code = postal_code.strip().upper().split("-")[0]
    if not code:
        return []
    return [code] + [f"{code[:n]}*" for n in range(len(code), -1, -1)]


def _best(patterns: Sequence[str], rows: Sequence[PostalTaxZone]) -> ZoneSuggestion:
    fitting = [row for row in rows if row.pattern in patterns]
    if not fitting:
        return ZoneSuggestion(None)
    best = min(patterns.index(row.pattern) for row in fitting)
    zones = sorted(
        (row.zone for row in fitting if row.pattern == patterns[best]), key=lambda zone: zone.name
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
    if insert_once(PostalTaxZone(pattern=wanted, zone_id=zone.id)):
        record("postal code added", zone, f"{wanted} lies in {zone.name}.")


def unmap_postal_code(pattern_id: int, zone: TaxZone) -> None:
    """Take one pattern off the zone."""
    row = db.session.get(PostalTaxZone, pattern_id)
    if row is not None and row.zone_id == zone.id:
        db.session.delete(row)
        record("postal code removed", zone, f"{row.pattern} no longer lies in {zone.name}.")


def postal_patterns(zone: TaxZone) -> list[PostalTaxZone]:
    return list(
        db.session.scalars(
            sa.select(PostalTaxZone)
            .where(PostalTaxZone.zone_id == zone.id)
            .order_by(PostalTaxZone.pattern)
        )
    )


def shared_patterns(zone: TaxZone) -> dict[str, list[str]]:
    """Patterns of the zone that other active zones claim too, with those zones' names."""
    mine = sa.select(PostalTaxZone.pattern).where(PostalTaxZone.zone_id == zone.id)
    query = (
        sa.select(PostalTaxZone.pattern, TaxZone.name)
        .join(TaxZone)
        .where(PostalTaxZone.pattern.in_(mine), TaxZone.id != zone.id, TaxZone.active)
        .order_by(TaxZone.name)
    )
    shared: dict[str, list[str]] = {}
    for pattern, name in db.session.execute(query):
        shared.setdefault(pattern, []).append(name)
    return shared
