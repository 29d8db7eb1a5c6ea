"""Adding and changing bill-to customers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import attributes

from portal.audit import record, record_changes
from portal.company import checked_country, checked_vat_id
from portal.customers.electronic import missing_for_electronic
from portal.db import bump, db, total_of
from portal.kernel.addresses import normal_email, split_addresses
from portal.kernel.errors import InvalidFields, NeedsConfirmation
from portal.kernel.money import ZERO, Money
from portal.models import Customer, CustomerTag, Delivery, Invoice


@dataclass(frozen=True)
class CustomerWords:
    """Everything people say about a customer; the address is where bills are mailed."""

    name: str
    email: str = ""
    phone: str = ""
    street: str = ""
    unit: str = ""
    city: str = ""
    region: str = ""
    postal_code: str = ""
    country: str = "US"
    customer_type_id: int | None = None
    term_id: int | None = None
    delivery: Delivery = Delivery.EMAIL
    language: str = "en"
    cc_emails: str = ""  # on every invoice mail, comma-separated
    auto_send: bool = True  # false: never by rule
    notes: str = ""
    tax_exempt: bool = False
    exemption_certificate: str = ""
    exemption_expires_on: date | None = None
    vat_id: str = ""
    electronic_invoice: bool = False
    active: bool = True


def add_customer(
    words: CustomerWords, *, tags: Collection[str] = (), external_key: str | None = None
) -> Customer:
    """Add a customer; InvalidFields names every wrong field at once."""
    customer = Customer(external_key=external_key)
    _write(customer, words)
    _retag(customer, tags)
    db.session.add(customer)
    record("added", customer, f"{customer.name} was added.")
    return customer


def change_customer(
    customer: Customer,
    words: CustomerWords,
    *,
    version: int,
    tags: Collection[str] | None = None,
    confirmed: Collection[str] = (),
) -> None:
    """Save a customer.

    Raises Conflict on an old version; NeedsConfirmation("open balance") when one who still
    owes is deactivated.
    """
    bump(customer, version)
    if customer.active and not words.active and "open balance" not in confirmed:
        owed = open_balance(customer)
        if owed:
            raise NeedsConfirmation(
                f"{customer.name} still owes {owed}. Deactivate anyway?", code="open balance"
            )
    before = _plain(customer)
    _write(customer, words)
    db.session.expire(customer, ["customer_type", "term"])  # they follow the ids just written
    if tags is not None:
        _retag(customer, tags)
    if record_changes(customer, f"{customer.name} was changed.", before, _plain(customer)):
        attributes.flag_modified(customer, "name")  # a change of tags raises the version too


def open_balance(customer: Customer) -> Money:
    """What the customer owes on all invoices that are not settled, Pending ones included."""
    query = sa.select(total_of(Invoice.balance)).where(
        Invoice.customer_id == customer.id, Invoice.state != "cancelled"
    )
    return db.session.scalar(query) or ZERO


def _write(customer: Customer, words: CustomerWords) -> None:
    errors = {}
    if not words.name.strip():
        errors["name"] = "Give the customer a name."
    try:
        email = normal_email(words.email)
    except ValueError as error:
        errors["email"] = str(error)
    try:
        copies = ", ".join(split_addresses(words.cc_emails))
    except ValueError as error:
        errors["cc_emails"] = str(error)
    if words.tax_exempt and not words.exemption_certificate.strip():
        errors["exemption_certificate"] = "Give the number of the exemption certificate."
    vat_id, country = _checked(words, errors)
    if words.electronic_invoice:
        errors = missing_for_electronic(words, taxed=False) | errors
    if errors:
        raise InvalidFields(errors)
    for field in fields(words):
        value = getattr(words, field.name)
        setattr(customer, field.name, value.strip() if isinstance(value, str) else value)
    customer.delivery = words.delivery
    customer.email, customer.cc_emails = email, copies
    customer.vat_id, customer.country = vat_id, country


def _checked(words: CustomerWords, errors: dict[str, str]) -> tuple[str, str]:
    """VAT ID and country in their proper form; what is wrong with them joins the errors."""
    vat_id, country = words.vat_id, words.country
    try:
        vat_id = checked_vat_id(words.vat_id)
    except ValueError as error:
        errors["vat_id"] = str(error)
    try:
        country = checked_country(words.country)
    except ValueError as error:
        errors["country"] = str(error)
    return vat_id, country


def _retag(customer: Customer, tags: Collection[str]) -> None:
    wanted = {tag.strip() for tag in tags if tag.strip()}
    kept = [tag for tag in customer.tags if tag.tag in wanted]
    new = wanted - {tag.tag for tag in kept}
    customer.tags = kept + [CustomerTag(tag=tag) for tag in sorted(new)]


def _plain(customer: Customer) -> dict[str, Any]:
    words = {field.name: _as_told(getattr(customer, field.name)) for field in fields(CustomerWords)}
    words["type"] = customer.customer_type.name if customer.customer_type else None
    words["term"] = customer.term.name if customer.term else None
    del words["customer_type_id"], words["term_id"]  # people know them by name
    words["tags"] = ", ".join(sorted(tag.tag for tag in customer.tags))
    return words


def _as_told(value: Any) -> Any:
    """What the trail can keep and people can read: days as text, the rest as it is."""
    return value.isoformat() if isinstance(value, date) else value
