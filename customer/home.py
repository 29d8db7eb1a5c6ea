"""What is due, and the one button."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flask import Blueprint, Response

from customer.in_parts import paid_in_parts
from customer.mine import may_ask_for_plan, me
from portal.company import today
from portal.invoices import (
    customer_open_invoices,
)
from portal.kernel.money import Money
from portal.models import LIVE_PLANS, Customer, InstalmentProgress, Invoice
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
    in_parts: Mapping[int, InstalmentProgress]  # by the invoice whose plan is kept to
    can_pay: bool
    on: date

    @property
    def owed(self) -> Money:
        return Money.total(one.balance for one in self.invoices)

    @property
    def ticked_ids(self) -> list[int]:
        """What is proposed to be paid: all that is due, or all that is open while nothing is."""
        return [one.id for one in self._proposed]

    @property
    def ticked(self) -> Money:
        return Money.total(one.balance for one in self._proposed)

    @property
    def is_payable(self) -> bool:
        return self.can_pay and any(one.id not in self.on_its_way for one in self.invoices)

    @property
    def proposes(self) -> str:
        """In one word, what `ticked` is: all that is "due", "everything", or the "rest" of it."""
        if self._due:
            return "due"
        return "everything" if len(self._proposed) == len(self.invoices) else "rest"

    @property
    def _proposed(self) -> list[Invoice]:
        return self._due or self._free

    @property
    def _due(self) -> list[Invoice]:
        return [one for one in self._free if one.due_date and one.due_date <= self.on]

    @property
    def _free(self) -> list[Invoice]:
        """Without what is paid already, and what is agreed to be paid in parts."""
        left_out = {*self.on_its_way, *self.in_parts}
        return [one for one in self.invoices if one.id not in left_out]


@bp.get("/")
@payers_only
def show() -> Response:
    ids = me().customer_ids
    invoices = customer_open_invoices(ids)
    attempts = [a for a in live_attempts_on([i.id for i in invoices]) if a.state == "processing"]
    on = today()
    parts = paid_in_parts(invoices, on=on)
    due = [one.due_date for one in invoices if one.due_date and one.id not in parts]
    return render_page(
        "customer/home/show.html",
        payer=me(),
        bills=_bills(invoices, parts),
        owed=Money.total(one.balance for one in invoices),
        overdue=[one for one in invoices if one.is_overdue(on) and one.id not in parts],
        may_ask=may_ask_for_plan(invoices),
        next_due=min(due) if due else None,
        on_its_way=[(one, expected_on(one)) for one in attempts],
        credit=credit_of_many(ids),
        plans=[one for one in plans_of(ids, limit=20) if one.state in LIVE_PLANS],
        payments=latest_payments(ids, limit=5),
        on=on,
    )


def _bills(invoices: Sequence[Invoice], parts: Mapping[int, InstalmentProgress]) -> list[Bill]:
    ways = on_its_way([one.id for one in invoices])
    customers = {one.customer_id: one.customer for one in invoices}
    return [
        Bill(
            customer,
            [one for one in invoices if one.customer_id == customer.id],
            ways,
            parts,
            has_gateway() and me().may_pay(customer.id),
            today(),
        )
        for customer in sorted(customers.values(), key=lambda one: one.name)
    ]
