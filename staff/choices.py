"""What forms of several screens choose from."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

from flask import abort, request
from flask_babel import gettext as _

from portal.company import business_units
from portal.customers import get_customer, search_customers
from portal.kernel.errors import InvalidFields, NotFound
from portal.models import BusinessUnit, Customer, Location, PriceBookItem
from portal.pricebook import get_item, search_items

E = TypeVar("E", bound=StrEnum)
R = TypeVar("R")


def chosen(enum: type[E], value: str) -> E:
    """A member named in an address; 404 for a word nobody uses."""
    try:
        return enum(value)
    except ValueError:
        abort(404)


def row_of(rows: Iterable[R], wanted: Any) -> R:
    """The row with this id among those of one record; NotFound for a foreign one."""
    for row in rows:
        if row.id == wanted:  # type: ignore[attr-defined]
            return row
    raise NotFound(_("There is nothing here, or it is not yours to see."))


def row_if_any(rows: Iterable[R], wanted: Any) -> R | None:
    """As `row_of`, where a form may leave the choice empty."""
    return row_of(rows, wanted) if wanted else None


def units() -> list[BusinessUnit]:
    return business_units()


def place_words(place: Location) -> str:
    """A location by its own name, when it has one, and its address."""
    return f"{place.name}: {place.one_line_address}" if place.name else place.one_line_address


def customer_from(form: Any) -> Customer:
    """The customer picked in a lookup, or typed so that only one fits (works without scripts)."""
    sent = request.form if request.method == "POST" else request.args
    picked = sent.get("customer_id", type=int)
    typed = (form.customer.data or "").strip()
    if picked:
        customer = get_customer(picked)
        if not typed or typed == customer.name:
            return customer
    matches = search_customers(typed, limit=3) if typed else []
    if len(matches) == 1:
        return get_customer(matches[0].id)
    exact = [one for one in matches if one.name.lower() == typed.lower()]
    if len(exact) == 1:
        return get_customer(exact[0].id)
    sentence = (
        _("Several customers fit; choose one from the list.")
        if matches
        else _("Choose a customer by name.")
    )
    raise InvalidFields({"customer": sentence})


def item_from(form: Any) -> PriceBookItem | None:
    """The item picked in a lookup, or typed by its code; None for free words."""
    return item_named(request.form.get("item_id", type=int), (form.item.data or "").strip())


def item_named(picked: int | None, typed: str) -> PriceBookItem | None:
    """The item with this id if the words still fit it, else the one with this very code."""
    if picked:
        item = get_item(picked)
        if not typed or typed.startswith(item.code):
            return item
    exact = [one for one in search_items(typed, limit=5) if one.code.lower() == typed.lower()]
    return exact[0] if typed and exact else None
