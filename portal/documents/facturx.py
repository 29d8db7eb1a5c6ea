"""Factur-X (EN 16931): the XML in a hybrid invoice; the only module that imports factur-x.

Amounts are as on paper, all in the document's currency; the sender of the record guarantees
that they add up, and the official XML schema is checked for every file that is made.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.kernel.money import Money
from portal.kernel.numbers import Rate

FILE_NAME = "factur-x.xml"
# What people write beside a quantity → UN/ECE Recommendation 20; all else is "one".
UNITS = {
    "hour": "HUR", "hours": "HUR", "hr": "HUR", "hrs": "HUR", "h": "HUR", "day": "DAY",
    "days": "DAY", "foot": "FOT", "feet": "FOT", "ft": "FOT", "lb": "LBR", "lbs": "LBR",
    "pound": "LBR", "gallon": "GLL", "gallons": "GLL", "gal": "GLL", "m": "MTR", "kg": "KGM",
    "l": "LTR", "mile": "SMI", "miles": "SMI", "minute": "MIN", "minutes": "MIN",
}  # fmt: skip
_UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Party:
    """A seller or buyer; empty strings where nothing is known."""

    name: str
    lines: Sequence[str]
    city: str
    postal_code: str
    region: str
    country: str
    vat_id: str = ""
    registration: str = ""
    email: str = ""
    phone: str = ""


@dataclass(frozen=True)
class ElectronicLine:
    """One line; `rate` is the sum of all authorities' rates on it."""

    name: str
    code: str
    quantity: Decimal
    unit: str
    price: Decimal
    total: Money
    category: str
    rate: Rate


@dataclass(frozen=True)
class Allowance:
    """A discount's share in one tax group, as a positive amount."""

    amount: Money
    reason: str
    category: str
    rate: Rate


@dataclass(frozen=True)
class TaxShare:
    """One row of the tax breakdown; `category` is S, Z, E or O (UNTDID 5305)."""

    category: str
    rate: Rate
    base: Money
    amount: Money
    reason: str = ""


@dataclass(frozen=True)
class ElectronicDocument:
    """An invoice (380) or credit note (381) in the words of EN 16931."""

    type_code: str
    number: str
    issued_on: date
    delivered_on: date
    due_on: date | None
    terms: str
    currency: str
    order: str
    preceding: tuple[str, date] | None
    seller: Party
    buyer: Party
    lines: Sequence[ElectronicLine]
    allowances: Sequence[Allowance]
    taxes: Sequence[TaxShare]
    total: Money
    paid: Money
    iban: str = ""
    bic: str = ""
    note: str = ""


@dataclass(frozen=True)
class ElectronicData:
    """The finished XML."""

    xml: bytes


def electronic_xml(document: ElectronicDocument) -> ElectronicData:
    """The Factur-X file of a document; ValueError when it breaks the official schema."""
    from facturx import generate_cii_xml  # half a second that only its users should wait

    fields = _tidy(_fields(document))
    try:
        xml = generate_cii_xml(fields, level="en16931", check_xsd=True, check_schematron=None)
    except Exception as error:  # the library raises nothing finer
        raise ValueError(str(error)) from error
    return ElectronicData(xml if isinstance(xml, bytes) else str(xml).encode())


def _fields(document: ElectronicDocument) -> dict[str, Any]:
    """The business terms (BT) and groups (BG) of EN 16931."""
    lines = Money.total(line.total for line in document.lines)
    allowed = Money.total(one.amount for one in document.allowances)
    tax = Money.total(one.amount for one in document.taxes)
    return {
        "BT-1": document.number,
        "BT-2": document.issued_on,
        "BT-3": document.type_code,
        "BT-5": document.currency,
        "BT-9": document.due_on,
        "BT-10": document.order,
        "BT-13": document.order,
        "BT-20": document.terms,
        "BG-1": [{"BT-22": document.note}] if document.note else [],
        "BG-3": _preceding(document),
        "BG-4": _party(document.seller) | _contact(document.seller),
        "BG-7": _party(document.buyer),
        **_payment_means(document),
        "BG-20": [_allowance(one) for one in document.allowances],
        "BG-23": [_tax_share(one) for one in document.taxes],
        "BG-25": [_line(n, line) for n, line in enumerate(document.lines, 1)],
        "BT-72": document.delivered_on,
        "BT-106": _plain(lines),
        "BT-107": _plain(allowed) if document.allowances else None,
        "BT-109": _plain(lines - allowed),
        "BT-110": _plain(tax),
        "BT-112": _plain(document.total),
        "BT-113": _plain(document.paid) if document.paid else None,
        "BT-115": _plain(document.total - document.paid),
    }


def _preceding(document: ElectronicDocument) -> list[dict[str, Any]]:
    if document.preceding is None:
        return []
    number, day = document.preceding
    return [{"BT-25": number, "BT-26": day}]


def _party(party: Party) -> dict[str, Any]:
    names = ("addr_l1", "addr_l2", "addr_l3")
    return {
        "name": party.name,
        "vat_identifier": party.vat_id,
        "legal_identifier": party.registration,
        **dict(zip(names, party.lines, strict=False)),
        "city": party.city,
        "postcode": party.postal_code,
        "country_subdivision": party.region,
        "country_code": party.country,
    }


def _contact(party: Party) -> dict[str, Any]:
    if not (party.email or party.phone):
        return {}
    return {"contacts": [{"name": party.name, "email": party.email, "phone": party.phone}]}


def _payment_means(document: ElectronicDocument) -> dict[str, Any]:
    if not document.iban:
        return {}
    return {
        "BT-81": "58" if document.currency == "EUR" else "30",  # SEPA, or any credit transfer
        "BT-83": document.number,
        "BT-84": document.iban,
        "BT-85": document.seller.name,
        "BT-86": document.bic,
    }


def _allowance(one: Allowance) -> dict[str, Any]:
    return {
        "amount": _plain(one.amount),
        "reason": one.reason,
        "vat_category_code": one.category,
        **_rate(one.category, "vat_rate", one.rate),
    }


def _tax_share(one: TaxShare) -> dict[str, Any]:
    return {
        "BT-116": _plain(one.base),
        "BT-117": _plain(one.amount),
        "BT-118": one.category,
        **_rate(one.category, "BT-119", one.rate),
        "BT-120": one.reason,
    }


def _line(number: int, line: ElectronicLine) -> dict[str, Any]:
    return {
        "BT-126": str(number),
        "BT-129": f"{line.quantity.normalize():f}",
        "BT-130": UNITS.get(line.unit.strip().lower(), "C62"),
        "BT-131": _plain(line.total),
        "BT-146": f"{line.price:f}",
        "BT-151": line.category,
        **_rate(line.category, "BT-152", line.rate),
        "BT-153": line.name,
        "BT-155": line.code,
    }


def _rate(category: str, name: str, rate: Rate) -> dict[str, str]:
    """What is outside the scope of tax carries no rate at all."""
    return {} if category == "O" else {name: f"{rate.as_percent.normalize():f}"}


def _plain(amount: Money) -> str:
    return f"{amount.amount:.2f}"


def _tidy(value: Any) -> Any:
    """Without empty fields, and without characters that XML cannot carry."""
    if isinstance(value, dict):
        cleaned = {key: _tidy(one) for key, one in value.items()}
        return {key: one for key, one in cleaned.items() if one not in (None, "", [], {})}
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    return " ".join(_UNPRINTABLE.sub("", value).split()) if isinstance(value, str) else value
