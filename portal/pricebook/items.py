"""Items: add, change, find, and their price for a customer."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record, record_changes
from portal.db import Page, PageRequest, begins, bump, db, holds, is_taken, paginate
from portal.kernel.errors import InvalidFields, NotFound
from portal.kernel.numbers import UnitPrice
from portal.models import Customer, CustomerPrice, ItemKind, PriceBookItem, TaxClass


@dataclass(frozen=True)
class ItemWords:
    """Everything people say about an item; prices per unit."""

    code: str
    name: str
    kind: ItemKind
    unit_price: UnitPrice
    description: str = ""
    unit: str = "each"
    unit_cost: UnitPrice = UnitPrice(0)
    taxable: bool = True
    tax_class: TaxClass = TaxClass.OTHER
    income_account_id: int | None = None
    active: bool = True


@dataclass(frozen=True)
class ItemFilter:
    """What the price book is narrowed to."""

    q: str = ""
    kind: ItemKind | None = None
    active: bool | None = None


def add_item(words: ItemWords) -> PriceBookItem:
    """Add an item; InvalidFields when the code is taken or a price negative."""
    item = PriceBookItem()
    _write(item, words)
    db.session.add(item)
    record("added", item, f"{item.code} {item.name} was added at {item.unit_price}.")
    return item


def change_item(item: PriceBookItem, words: ItemWords, *, version: int) -> None:
    """Save an item; invoices keep the words and prices they were made with."""
    bump(item, version)
    before = _plain(item)
    _write(item, words)
    record_changes(item, f"{item.code} {item.name} was changed.", before, _plain(item))


def find_items(wanted: ItemFilter, page: PageRequest) -> Page[PriceBookItem]:
    query = sa.select(PriceBookItem)
    if wanted.q:
        query = query.where(_matches(wanted.q))
    if wanted.kind:
        query = query.where(PriceBookItem.kind == wanted.kind)
    if wanted.active is not None:
        query = query.where(PriceBookItem.active == wanted.active)
    sorts = {
        "code": PriceBookItem.code,
        "name": PriceBookItem.name,
        "kind": PriceBookItem.kind,
        "price": PriceBookItem.unit_price,
    }
    return paginate(query, page, sorts=sorts, default="code")


def get_item(item_id: int) -> PriceBookItem:
    """One item; NotFound otherwise."""
    item = db.session.get(PriceBookItem, item_id)
    if item is None:
        raise NotFound("No such item.")
    return item


def search_items(text: str, *, limit: int = 12) -> list[PriceBookItem]:
    """Active items whose code or name contains the text, codes that start with it first."""
    query = (
        sa.select(PriceBookItem)
        .where(PriceBookItem.active, _matches(text))
        .order_by(begins(PriceBookItem.code, text).desc(), PriceBookItem.code)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def price_for(item: PriceBookItem, customer: Customer) -> UnitPrice:
    """What this customer pays per unit: an agreed price, else the price book's."""
    agreed = db.session.scalar(
        sa.select(CustomerPrice.unit_price).where(
            CustomerPrice.customer_id == customer.id, CustomerPrice.item_id == item.id
        )
    )
    return item.unit_price if agreed is None else agreed


def prices_of(customer: Customer) -> list[CustomerPrice]:
    """The customer's agreed prices by item code."""
    query = (
        sa.select(CustomerPrice)
        .join(PriceBookItem)
        .where(CustomerPrice.customer_id == customer.id)
        .order_by(PriceBookItem.code)
        .options(joinedload(CustomerPrice.item))
    )
    return list(db.session.scalars(query))


def set_customer_price(customer: Customer, item: PriceBookItem, price: UnitPrice) -> None:
    """Agree on a price with a customer; replaces an earlier one."""
    if price.scaled < 0:
        raise InvalidFields({"unit_price": "A price cannot be negative."})
    row = db.session.scalar(
        sa.select(CustomerPrice).where(
            CustomerPrice.customer_id == customer.id, CustomerPrice.item_id == item.id
        )
    )
    old = str(row.unit_price) if row else None
    if row is None:
        row = CustomerPrice(customer_id=customer.id, item_id=item.id, unit_price=price)
        db.session.add(row)
    row.unit_price = price
    record(
        "price set",
        customer,
        f"{item.code} now costs {price} for {customer.name}.",
        {item.code: [old, str(price)]},
    )


def remove_customer_price(price: CustomerPrice, customer: Customer) -> None:
    """Back to the price book's price."""
    db.session.delete(price)
    record("price removed", customer, f"{price.item.code} is back at the price book's price.")


def _matches(text: str) -> sa.ColumnElement[bool]:
    return sa.or_(holds(PriceBookItem.code, text), holds(PriceBookItem.name, text))


def _write(item: PriceBookItem, words: ItemWords) -> None:
    errors = {}
    code = words.code.strip()
    if not code:
        errors["code"] = "Give the item a code."
    if not words.name.strip():
        errors["name"] = "Give the item a name."
    if words.unit_price.scaled < 0:
        errors["unit_price"] = "A price cannot be negative; use the kind Discount to take off."
    if words.unit_cost.scaled < 0:
        errors["unit_cost"] = "A cost cannot be negative."
    with db.session.no_autoflush:
        if code and is_taken(PriceBookItem.code, code, item, any_case=True):
            errors["code"] = "Another item already has this code."
    if errors:
        raise InvalidFields(errors)
    for field in fields(words):
        setattr(item, field.name, getattr(words, field.name))
    item.code, item.name = code, words.name.strip()


def _plain(item: PriceBookItem) -> dict[str, Any]:
    return {field.name: str(getattr(item, field.name)) for field in fields(ItemWords)}
