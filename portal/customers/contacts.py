"""The people at a customer; their email is what signs in to the portal."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record, record_changes
from portal.db import bump, db
from portal.kernel.addresses import normal_email
from portal.kernel.errors import InvalidFields
from portal.models import BillingAccess, Contact, Customer


@dataclass(frozen=True)
class ContactWords:
    """A contact as typed."""

    name: str
    email: str = ""
    phone: str = ""
    is_mobile: bool = False
    billing_access: BillingAccess = BillingAccess.PAY
    language: str = "en"
    active: bool = True


def add_contact(customer: Customer, words: ContactWords) -> Contact:
    """Add a person; InvalidFields for a missing name or a wrong email."""
    _check(words)
    contact = Contact(customer=customer)
    _write(contact, words)
    db.session.add(contact)
    record("contact added", customer, f"Contact {contact.name} was added.")
    return contact


def change_contact(contact: Contact, words: ContactWords, *, version: int) -> None:
    """Save a contact; Conflict on an old version."""
    bump(contact, version)
    _check(words)
    before = _plain(contact)
    _write(contact, words)
    told = f"Contact {contact.name} was changed."
    record_changes(contact.customer, told, before, _plain(contact), verb="contact changed")


def contacts_of_email(email: str) -> list[Contact]:
    """Active contacts with billing access under that address, at active customers."""
    query = (
        sa.select(Contact)
        .join(Customer)
        .where(
            Contact.email == email.strip().lower(),
            Contact.email != "",
            Contact.active,
            Contact.billing_access != BillingAccess.NONE,
            Customer.active,
        )
        .order_by(Customer.name)
        .options(joinedload(Contact.customer))
    )
    return list(db.session.scalars(query))


def _plain(contact: Contact) -> dict[str, Any]:
    return {field.name: getattr(contact, field.name) for field in fields(ContactWords)}


def _check(words: ContactWords) -> None:
    errors = {}
    if not words.name.strip():
        errors["name"] = "Give the contact a name."
    try:
        normal_email(words.email)
    except ValueError as error:
        errors["email"] = str(error)
    if errors:
        raise InvalidFields(errors)


def _write(contact: Contact, words: ContactWords) -> None:
    contact.name, contact.phone = words.name.strip(), words.phone.strip()
    contact.email = normal_email(words.email)
    contact.is_mobile, contact.active = words.is_mobile, words.active
    contact.billing_access, contact.language = words.billing_access, words.language
