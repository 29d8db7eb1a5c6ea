"""Paying several invoices, or a part of each, in one payment: looked over first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from customer.mine import me, my_invoice
from customer.paying import to_checkout
from portal.company import today
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import Customer, Invoice
from portal.payment_collection import OnItsWay, has_gateway, minimum_payment, on_its_way
from portal.web import payers_only, read_money, redirect_to, render_page

bp = Blueprint("paying_several", __name__, url_prefix="/pay")


@dataclass(frozen=True)
class Row:
    """One invoice of the summary: what was typed, and what is wrong with it."""

    invoice: Invoice
    typed: str
    least: Money
    error: str = ""
    way: OnItsWay | None = None

    @property
    def can_pay(self) -> bool:
        return self.invoice.is_payable and self.way is None


@dataclass(frozen=True)
class Summary:
    """What is about to be paid for one customer, in one payment."""

    customer: Customer
    rows: Sequence[Row]

    @property
    def total(self) -> Money:
        """As far as the amounts can be read."""
        return Money.total(_readable(row.typed) for row in self.rows if row.can_pay)

    @property
    def is_ready(self) -> bool:
        return has_gateway() and any(row.can_pay for row in self.rows)


@bp.get("")
@payers_only
def look_over() -> Response:
    """What was ticked, with an amount each, before anybody leaves for the gateway."""
    chosen = _chosen()
    if not chosen:
        return redirect_to("customer.home.show")
    return _page(chosen, {one.id: str(one.balance.amount) for one in chosen})


@bp.post("")
@payers_only
def pay() -> Response:
    chosen = _chosen()
    whole = {one.id: str(one.balance.amount) for one in chosen}
    typed = {row_id: request.form.get(f"amount-{row_id}", all_) for row_id, all_ in whole.items()}
    try:
        return to_checkout(_shares(chosen, typed))
    except InvalidFields as error:
        return _page(_chosen(), typed, errors=error.errors, status=422)
    except DomainError as error:
        return _page(_chosen(), typed, refused=str(error), status=422)


def _chosen() -> list[Invoice]:
    """The ticked ones, each once: NotFound for anybody else's, DomainError without the right."""
    ids = dict.fromkeys(request.values.getlist("ids", type=int))
    chosen = [my_invoice(one) for one in ids]
    if not all(me().may_pay(one.customer_id) for one in chosen):
        raise DomainError(_("You may see these invoices but not pay them."))
    return chosen


def _shares(chosen: Sequence[Invoice], typed: Mapping[int, str]) -> list[tuple[int, Money]]:
    """An amount left empty leaves its invoice out; InvalidFields for what is no amount."""
    shares, errors = [], {}
    for invoice in chosen:
        words = typed[invoice.id].strip()
        try:
            if words:
                shares.append((invoice.id, read_money(words)))
        except ValueError as error:
            errors[f"amount-{invoice.id}"] = str(error)
    if errors:
        raise InvalidFields(errors)
    return shares


def _page(
    chosen: Sequence[Invoice], typed: Mapping[int, str], *,
    errors: Mapping[str, str] | None = None, refused: str = "", status: int = 200,
) -> Response:  # fmt: skip
    ways, wrong = on_its_way([one.id for one in chosen]), errors or {}
    rows = [
        Row(one, typed[one.id], minimum_payment(one.balance), wrong.get(f"amount-{one.id}", ""),
            ways.get(one.id))
        for one in chosen
    ]  # fmt: skip
    customers = {one.customer_id: one.customer for one in chosen}
    summaries = [
        Summary(customer, [row for row in rows if row.invoice.customer_id == customer.id])
        for customer in customers.values()
    ]
    return render_page(
        "customer/payments/several.html", status=status, summaries=summaries, refused=refused,
        on=today(), back=url_for("customer.home.show"),
    )  # fmt: skip


def _readable(typed: str) -> Money:
    try:
        return read_money(typed.strip())
    except ValueError:
        return ZERO
