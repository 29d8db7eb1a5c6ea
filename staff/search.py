"""Search over everything."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, url_for

from portal.access import Ability
from portal.company import today
from portal.reports import Hit, search_everything
from portal.web import needs, render_page, signed_in_user

bp = Blueprint("search", __name__, url_prefix="/search")

PAGES = {
    "customer": ("staff.customers.show", "customer_id", Ability.VIEW_CUSTOMERS),
    "invoice": ("staff.invoices.show", "invoice_id", Ability.VIEW_INVOICES),
    "job": ("staff.jobs.show", "job_id", Ability.VIEW_JOBS),
    "payment": ("staff.payments.show", "payment_id", Ability.VIEW_PAYMENTS),
}


@bp.get("")
@needs(Ability.VIEW_CUSTOMERS)
def show() -> Response:
    text = request.args.get("q", "")
    abilities = signed_in_user().role.abilities
    hits = [
        (hit, _address(hit))
        for hit in search_everything(text, on=today())
        if PAGES[hit.kind][2] in abilities
    ]
    return render_page("staff/search/show.html", text=text, hits=hits)


def _address(hit: Hit) -> str:
    endpoint, name, _ability = PAGES[hit.kind]
    values: dict[str, Any] = {name: hit.row_id}
    return url_for(endpoint, **values)
