"""Prices agreed with one customer."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.customers import get_customer
from portal.kernel.errors import DomainError
from portal.pricebook import prices_of, remove_customer_price, set_customer_price
from portal.web import needs, redirect_to
from staff.choices import item_from, row_of
from staff.customers import PriceForm, page_of

bp = Blueprint("customer_prices", __name__, url_prefix="/customers/<int:customer_id>/prices")


@bp.post("")
@needs(Ability.EDIT_PRICE_BOOK)
def create(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = PriceForm()
    try:
        if form.is_sent():
            item = item_from(form)
            if item is not None:
                set_customer_price(customer, item, form.unit_price.data)
                return redirect_to("staff.customers.show", customer_id=customer.id)
            form.item.errors = [_("Choose an item of the price book.")]
    except DomainError as error:
        form.refuse(error)
    return page_of(customer, price_form=form, status=422)


@bp.post("/<int:price_id>/removal")
@needs(Ability.EDIT_PRICE_BOOK)
def remove(customer_id: int, price_id: int) -> Response:
    customer = get_customer(customer_id)
    remove_customer_price(row_of(prices_of(customer), price_id), customer)
    return redirect_to("staff.customers.show", customer_id=customer.id)
