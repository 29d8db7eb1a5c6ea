"""Changing the company row and its business units."""

from __future__ import annotations

from dataclasses import dataclass, fields
from zoneinfo import available_timezones

import sqlalchemy as sa

from portal.audit import record
from portal.company.profile import company
from portal.db import bump, db
from portal.kernel.addresses import normal_email
from portal.kernel.errors import InvalidFields
from portal.models import BusinessUnit, Paper


@dataclass(frozen=True)
class CompanyWords:
    """Everything people say about the company."""

    name: str
    street: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    brand_color: str = "#1f5eff"
    invoice_message: str = ""
    remit_to: str = ""
    zone: str = "America/Chicago"
    locale: str = "en_US"
    paper: Paper = Paper.LETTER
    fiscal_year_first_month: int = 1


def change_company(words: CompanyWords, *, version: int) -> None:
    """Save the company; Conflict on an old version, InvalidFields names each wrong field."""
    row = company()
    bump(row, version)
    _check(words)
    changes = {}
    for one in fields(words):
        old, new = getattr(row, one.name), getattr(words, one.name) or ""
        new = new.strip() if isinstance(new, str) and not isinstance(new, Paper) else new
        if old != new:
            changes[one.name] = [str(old), str(new)]
            setattr(row, one.name, new)
    if changes:
        record("changed", row, "The company's settings were changed.", changes)


def _check(words: CompanyWords) -> None:
    errors = {}
    if not words.name.strip():
        errors["name"] = "Give the company a name."
    try:
        normal_email(words.email)  # mail is sent in its name
    except ValueError as error:
        errors["email"] = str(error)
    if words.zone not in available_timezones():
        errors["zone"] = "Choose a time zone such as America/Chicago."
    if not 1 <= words.fiscal_year_first_month <= 12:
        errors["fiscal_year_first_month"] = "Choose the month the fiscal year begins with."
    if errors:
        raise InvalidFields(errors)


def change_logo(key: str) -> None:
    """Use the picture stored under this key from now on; empty for none."""
    row = company()
    row.logo_key = key
    record("changed", row, "The company's logo was changed.")


def add_business_unit(name: str) -> BusinessUnit:
    """Add a line of business; InvalidFields when the name is missing or taken."""
    unit = BusinessUnit(name=_unit_name(name))
    db.session.add(unit)
    record("added", unit, f"Business unit {unit.name} was added.")
    return unit


def change_business_unit(unit: BusinessUnit, *, version: int, name: str, active: bool) -> None:
    """Rename or retire a line of business; invoices of a retired one keep it."""
    bump(unit, version)
    wanted = _unit_name(name, unit)
    if (unit.name, unit.active) == (wanted, active):
        return
    changes = {"name": [unit.name, wanted], "active": [unit.active, active]}
    unit.name, unit.active = wanted, active
    record("changed", unit, f"Business unit {wanted} was changed.", changes)


def _unit_name(name: str, unit: BusinessUnit | None = None) -> str:
    wanted = name.strip()
    if not wanted:
        raise InvalidFields({"name": "Give the business unit a name."})
    taken = sa.select(BusinessUnit.id).where(sa.func.lower(BusinessUnit.name) == wanted.lower())
    if unit is not None:
        taken = taken.where(BusinessUnit.id != unit.id)
    if db.session.scalar(taken):
        raise InvalidFields({"name": "There is a business unit of this name already."})
    return wanted
