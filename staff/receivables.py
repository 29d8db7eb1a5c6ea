"""Receivables: aging by customer as of a date, tied to the control account."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.access import Ability
from portal.company import today
from portal.customers import get_customer
from portal.invoices import customers_on_plans, live_plans_of
from portal.payment_collection import on_its_way, reserved_of
from portal.payments import credit_of, credits_of
from portal.receivables import (
    AgingFilter,
    aging,
    aging_totals,
    open_items,
    pending_items,
    pending_total,
    receivable_booked,
)
from portal.web import filters, needs, page_request, render_page
from staff.choices import units

bp = Blueprint("receivables", __name__, url_prefix="/receivables")


@bp.get("")
@needs(Ability.VIEW_RECEIVABLES)
def index() -> Response:
    wanted = filters(AgingFilter)
    on = wanted.on or today()
    page = aging(wanted, page_request(), on=on)
    narrowed = bool(wanted.q or wanted.business_unit_id or wanted.credit is not None)
    owed = aging_totals(on=on).total if narrowed else page.totals.total
    return render_page(
        "staff/receivables/index.html", fragment="rows",
        page=page, on=on, booked=receivable_booked(on=on), owed=owed, pending=pending_total(),
        credits=credits_of([row.customer_id for row in page.rows], on=on),
        on_plans=customers_on_plans([row.customer_id for row in page.rows]),
        units=[(str(one.id), one.name) for one in units()],
        reserved=reserved_of([row.customer_id for row in page.rows]),
    )  # fmt: skip


@bp.get("/<int:customer_id>")
@needs(Ability.VIEW_RECEIVABLES)
def show(customer_id: int) -> Response:
    on = filters(AgingFilter).on or today()
    items = open_items(customer_id, on=on)
    return render_page(
        "staff/receivables/show.html", customer=get_customer(customer_id), on=on,
        items=items, ways=on_its_way([one.id for one, _amount in items]),
        credit=credit_of(customer_id, on=on),
        pending=pending_items(customer_id, on=on),
        plans=live_plans_of([invoice.id for invoice, _ in items]),
    )  # fmt: skip
