"""Where work is done; the tax zone sits here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from portal.audit import record, record_changes
from portal.db import bump, db
from portal.kernel.errors import InvalidFields
from portal.models import Customer, Location


@dataclass(frozen=True)
class LocationWords:
    """A location as typed."""

    name: str = ""
    street: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = "US"
    tax_zone_id: int | None = None
    notes: str = ""
    active: bool = True


def add_location(
    customer: Customer, words: LocationWords, *, external_key: str | None = None
) -> Location:
    """Add a location; InvalidFields without a street."""
    _check(words)
    location = Location(customer=customer, external_key=external_key)
    _write(location, words)
    db.session.add(location)
    record("location added", customer, f"Location {location.one_line_address} was added.")
    return location


def change_location(location: Location, words: LocationWords, *, version: int) -> None:
    """Save a location; invoices already made keep their zone until refreshed."""
    bump(location, version)
    _check(words)
    before = _plain(location)
    _write(location, words)
    db.session.expire(location, ["tax_zone"])  # it follows the id just written
    told = f"Location {location.one_line_address} was changed."
    record_changes(location.customer, told, before, _plain(location), verb="location changed")


def _plain(location: Location) -> dict[str, Any]:
    return {
        "name": location.name,
        "address": location.one_line_address,
        "country": location.country,
        "tax zone": location.tax_zone.name if location.tax_zone else None,
        "notes": location.notes,
        "active": location.active,
    }


def _check(words: LocationWords) -> None:
    if not words.street.strip():
        raise InvalidFields({"street": "Give the street and number."})


def _write(location: Location, words: LocationWords) -> None:
    for field in fields(words):
        value = getattr(words, field.name)
        setattr(location, field.name, value.strip() if isinstance(value, str) else value)
