"""What is due, and the one button."""

from __future__ import annotations

from flask import Blueprint, Response

from customer.mine import me
from portal.company import today
from portal.invoices import customer_open_invoices
from portal.kernel.money import Money
from portal.payment_collection import live_attempts_on
from portal.payments import credit_of_many, latest_payments
from portal.web import payers_only, render_page

bp = Blueprint("home", __name__)


@bp.get("/")
@payers_only
def show() -> Response:
    ids = me().customer_ids
    invoices = customer_open_invoices(ids)
    on = today()
    due = [one.due_date for one in invoices if one.due_date]
    return render_page(
        "customer/home/show.html",
        payer=me(),
        invoices=invoices,
        owed=Money.total(one.balance for one in invoices),
        overdue=[one for one in invoices if one.is_overdue(on)],
        next_due=min(due) if due else None,
        on_its_way=[
            a for a in live_attempts_on([i.id for i in invoices]) if a.state == "processing"
        ],
        credit=credit_of_many(ids),
        payments=latest_payments(ids, limit=5),
        on=on,
    )
