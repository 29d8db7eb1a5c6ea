"""Changing the company row and its business units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any
from zoneinfo import available_timezones

from portal.audit import record
from portal.company.identifiers import checked_bic, checked_country, checked_iban, checked_vat_id
from portal.company.profile import company
from portal.db import bump, db, is_taken
from portal.kernel.addresses import normal_email
from portal.kernel.colours import READABLE, contrast, is_colour
from portal.kernel.errors import InvalidFields
from portal.models import BusinessUnit, Paper

INK = "#10151c"
MAY_BE_NONE = ("walk_in_zone_id",)
PAPER_SHADE = "#f3f5f7"  # the darkest ground that text stands on in documents


@dataclass(frozen=True)
class CompanyWords:
    """Everything people say about the company."""

    name: str
    street: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = "US"
    phone: str = ""
    email: str = ""
    website: str = ""
    brand_color: str = "#1f5eff"
    text_color: str = "#1d2433"
    vat_id: str = ""
    registration_number: str = ""
    iban: str = ""
    bic: str = ""
    invoice_message: str = ""
    remit_to: str = ""
    zone: str = "America/Chicago"
    locale: str = "en_US"
    paper: Paper = Paper.LETTER
    fiscal_year_first_month: int = 1
    only_reviewed_posts: bool = False
    walk_in_zone_id: int | None = None


def words_of_company() -> CompanyWords:
    """What is said now; a form about a part of it replaces that part."""
    row = company()
    return CompanyWords(**{one.name: getattr(row, one.name) for one in fields(CompanyWords)})


def change_company(words: CompanyWords, *, version: int) -> None:
    """Save the company; Conflict on an old version, InvalidFields names each wrong field."""
    row = company()
    bump(row, version)
    words = _checked(words)
    changes = {}
    for one in fields(words):
        old, new = getattr(row, one.name), getattr(words, one.name)
        new = "" if new is None and one.name not in MAY_BE_NONE else new
        new = new.strip() if isinstance(new, str) and not isinstance(new, Paper) else new
        if old != new:
            changes[one.name] = [str(old), str(new)]
            setattr(row, one.name, new)
    if changes:
        record("changed", row, "The company's settings were changed.", changes)


def _checked(words: CompanyWords) -> CompanyWords:
    """The words in their proper form, or every wrong field at once."""
    errors = _wrong_colours(words)
    if not words.name.strip():
        errors["name"] = "Give the company a name."
    if words.zone not in available_timezones():
        errors["zone"] = "Choose a time zone such as America/Chicago."
    if not 1 <= words.fiscal_year_first_month <= 12:
        errors["fiscal_year_first_month"] = "Choose the month the fiscal year begins with."
    proper: dict[str, Any] = {}
    for name, check in CHECKS.items():
        try:
            proper[name] = check(getattr(words, name))
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise InvalidFields(errors)
    return replace(words, **proper)


CHECKS: dict[str, Callable[[str], str]] = {
    "email": normal_email,  # mail is sent in its name
    "country": checked_country,
    "vat_id": checked_vat_id,
    "iban": checked_iban,
    "bic": checked_bic,
}


def _wrong_colours(words: CompanyWords) -> dict[str, str]:
    """Text must stay readable: ours on the brand's colour, black or white, and on paper."""
    errors = {}
    for name, colour in (("brand_color", words.brand_color), ("text_color", words.text_color)):
        if not is_colour(colour):
            errors[name] = "Choose a colour such as #1f5eff."
    if errors:
        return errors
    if max(contrast(words.brand_color, "#ffffff"), contrast(words.brand_color, INK)) < READABLE:
        errors["brand_color"] = "Text on this colour would be hard to read."
    ratio = contrast(words.text_color, PAPER_SHADE)
    if ratio < READABLE:
        errors["text_color"] = (
            f"This text would be hard to read: contrast {ratio:.1f} to 1, at least 4.5 is needed."
        )
    return errors


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
    if is_taken(BusinessUnit.name, wanted, unit, any_case=True):
        raise InvalidFields({"name": "There is a business unit of this name already."})
    return wanted
