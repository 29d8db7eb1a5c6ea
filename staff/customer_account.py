"""A customer's account: open items, credit, and every event with the balance after it."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.access import Ability
from portal.company import today
from portal.customers import get_customer
from portal.payments import credit_of
from portal.receivables import account_balance, account_lines, aging_of_customer, open_items
from portal.web import needs, page_request, render_page

SHOWN = 20  # open items beside the history; the receivables page has all of them

bp = Blueprint("customer_account", __name__, url_prefix="/customers/<int:customer_id>/account")


@bp.get("")
@needs(Ability.VIEW_RECEIVABLES)
def index(customer_id: int) -> Response:
    customer, on = get_customer(customer_id), today()
    items = open_items(customer_id, on=on)
    return render_page(
        "staff/customers/account.html", fragment="rows", customer=customer, on=on,
        page=account_lines(customer_id, page_request()), balance=account_balance(customer_id),
        aging=aging_of_customer(customer_id, on=on), credit=credit_of(customer_id),
        items=items[:SHOWN], items_total=len(items),
    )  # fmt: skip
