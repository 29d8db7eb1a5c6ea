"""Finding customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import Page, PageRequest, begins, db, holds, holds_code, paginate
from portal.kernel.errors import NotFound
from portal.models import Contact, Customer, CustomerTag, Location


@dataclass(frozen=True)
class CustomerFilter:
    """What the list of customers is narrowed to."""

    q: str = ""
    customer_type_id: int | None = None
    tag: str = ""
    active: bool | None = None


def get_customer(customer_id: int) -> Customer:
    """One customer with locations, contacts and tags; NotFound otherwise."""
    customer = db.session.get(
        Customer,
        customer_id,
        options=[
            selectinload(Customer.locations).joinedload(Location.tax_zone),
            selectinload(Customer.contacts),
            selectinload(Customer.tags),
            joinedload(Customer.term),
            joinedload(Customer.customer_type),
        ],
    )
    if customer is None:
        raise NotFound("No such customer.")
    return customer


def find_customers(wanted: CustomerFilter, page: PageRequest) -> Page[Customer]:
    query = sa.select(Customer)
    rows = query.options(joinedload(Customer.customer_type), joinedload(Customer.term))
    if wanted.q:
        query = query.where(_matches(wanted.q))
    if wanted.customer_type_id:
        query = query.where(Customer.customer_type_id == wanted.customer_type_id)
    if wanted.tag:
        query = query.where(Customer.tags.any(CustomerTag.tag == wanted.tag))
    if wanted.active is not None:
        query = query.where(Customer.active == wanted.active)
    sorts = {"name": Customer.name, "city": Customer.city, "added": Customer.created_at}
    return paginate(query, page, sorts=sorts, default="name", rows=rows)


def search_customers(text: str, *, limit: int = 12) -> list[Customer]:
    """Active customers matching the text, names that begin with it first."""
    query = (
        sa.select(Customer)
        .where(Customer.active, _matches(text))
        .order_by(begins(Customer.name, text).desc(), Customer.name)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def _matches(text: str) -> sa.ColumnElement[bool]:
    """Name, street, email and phone of the customer, the locations and the contacts."""
    contacts = sa.or_(holds(Contact.name, text), holds_code(Contact.email, text))
    digits = "".join(char for char in text if char.isdigit())
    wheres = [
        holds(Customer.name, text),
        holds(Customer.street, text),
        holds_code(Customer.email, text),
        Customer.external_key == text.replace("\0", "").strip(),
        Customer.id.in_(sa.select(Location.customer_id).where(holds(Location.street, text))),
    ]
    if len(digits) >= 4:
        contacts = sa.or_(contacts, _digits_of(Contact.phone).contains(digits))
        wheres.append(_digits_of(Customer.phone).contains(digits))
    wheres.append(Customer.id.in_(sa.select(Contact.customer_id).where(contacts)))
    return sa.or_(*wheres)


def _digits_of(phone: Any) -> sa.ColumnElement[str]:
    """A phone number without what people put between its digits."""
    for between in " -().+/":
        phone = sa.func.replace(phone, between, "")
    return sa.cast(phone, sa.String)
