"""What is due, and the one button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response

from customer.mine import may_ask_for_plan, me
from portal.company import today
from portal.invoices import (
    customer_open_invoices,
    plans_in_good_standing,
)
from portal.kernel.money import Money
from portal.models import LIVE_PLANS, Customer, Invoice
from portal.payment_collection import (
    OnItsWay,
    expected_on,
    has_gateway,
    live_attempts_on,
    on_its_way,
)
from portal.payment_plans import plans_of
from portal.payments import credit_of_many, latest_payments
from portal.web import payers_only, render_page

bp = Blueprint("home", __name__)


@dataclass(frozen=True)
class Bill:
    """The open invoices of one Bill-To customer; they can be paid together."""

    customer: Customer
    invoices: Sequence[Invoice]
    on_its_way: Mapping[int, OnItsWay]  # by the invoice a debit is under way for
    can_pay: bool

    @property
    def owed(self) -> Money:
        return Money.total(one.balance for one in self.invoices)

    @property
    def payable_ids(self) -> list[int]:
        return [one.id for one in self.invoices if one.id not in self.on_its_way]

    @property
    def payable(self) -> Money:
        return Money.total(one.balance for one in self.invoices if one.id not in self.on_its_way)

    @property
    def is_payable(self) -> bool:
        return self.can_pay and bool(self.payable_ids)


@bp.get("/")
@payers_only
def show() -> Response:
    ids = me().customer_ids
    invoices = customer_open_invoices(ids)
    attempts = [a for a in live_attempts_on([i.id for i in invoices]) if a.state == "processing"]
    on = today()
    kept = plans_in_good_standing([one.id for one in invoices], on=on)
    due = [one.due_date for one in invoices if one.due_date]
    return render_page(
        "customer/home/show.html",
        payer=me(),
        bills=_bills(invoices),
        owed=Money.total(one.balance for one in invoices),
        overdue=[one for one in invoices if one.is_overdue(on) and one.id not in kept],
        may_ask=may_ask_for_plan(invoices),
        next_due=min(due) if due else None,
        on_its_way=[(one, expected_on(one)) for one in attempts],
        credit=credit_of_many(ids),
        plans=[one for one in plans_of(ids, limit=20) if one.state in LIVE_PLANS],
        payments=latest_payments(ids, limit=5),
        on=on,
    )


def _bills(invoices: Sequence[Invoice]) -> list[Bill]:
    ways = on_its_way([one.id for one in invoices])
    customers = {one.customer_id: one.customer for one in invoices}
    return [
        Bill(
            customer,
            [one for one in invoices if one.customer_id == customer.id],
            ways,
            has_gateway() and me().may_pay(customer.id),
        )
        for customer in sorted(customers.values(), key=lambda one: one.name)
    ]
