"""Finding customers."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import Page, PageRequest, db, paginate
from portal.kernel.errors import NotFound
from portal.models import Contact, Customer, CustomerTag, CustomerType, Location


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
    query = sa.select(Customer).options(
        joinedload(Customer.customer_type), joinedload(Customer.term)
    )
    if wanted.q:
        query = query.where(_matches(wanted.q))
    if wanted.customer_type_id:
        query = query.where(Customer.customer_type_id == wanted.customer_type_id)
    if wanted.tag:
        query = query.where(Customer.tags.any(CustomerTag.tag == wanted.tag))
    if wanted.active is not None:
        query = query.where(Customer.active == wanted.active)
    sorts = {"name": Customer.name, "city": Customer.city, "added": Customer.created_at}
    return paginate(query, page, sorts=sorts, default="name")


def search_customers(text: str, *, limit: int = 12) -> list[Customer]:
    """Active customers matching the text, names that begin with it first."""
    query = (
        sa.select(Customer)
        .where(Customer.active, _matches(text))
        .order_by(sa.func.lower(Customer.name).like(f"{text.lower()}%").desc(), Customer.name)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def customer_types() -> list[CustomerType]:
    query = sa.select(CustomerType).where(CustomerType.active).order_by(CustomerType.name)
    return list(db.session.scalars(query))


def _matches(text: str) -> sa.ColumnElement[bool]:
    like = f"%{text.strip().lower()}%"
    digits = "".join(char for char in text if char.isdigit())
    phone = sa.func.replace(sa.func.replace(Customer.phone, "-", ""), " ", "")
    wheres = [
        sa.func.lower(Customer.name).like(like),
        Customer.email.like(like),
        sa.func.lower(Customer.street).like(like),
        Customer.external_key == text.strip(),
        Customer.id.in_(sa.select(Contact.customer_id).where(Contact.email.like(like))),
    ]
    if len(digits) >= 4:
        wheres.append(phone.like(f"%{digits}%"))
    return sa.or_(*wheres)
