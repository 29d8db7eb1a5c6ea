"""The counter: one screen from the first item to the receipt, on the keyboard alone."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.invoices import get_invoice
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Customer, Invoice, InvoiceKind, PaymentMethod
from portal.payments import (
    CounterSale,
    applications_to,
    change_for,
    counter_zone,
    payment_types,
    price_sale,
    sell_at_counter,
)
from portal.taxes import active_zones
from portal.web import needs, notify, once, redirect_to, render_page, signed_in_user
from staff.choices import customer_from, row_of, units
from staff.counter_form import CounterForm, RowForm, lines_of, rows_of, seen_total

bp = Blueprint("counter", __name__, url_prefix="/counter")


@bp.get("")
@needs(Ability.SELL_AT_COUNTER)
def show() -> Response:
    form = _form(None)
    zone = counter_zone()
    form.tax_zone_id.data = zone.id if zone else None
    cash = (one.id for one in payment_types() if one.method is PaymentMethod.CASH)
    form.type_id.data = next(cash, None)
    return _page(form, rows_of(request.args))


@bp.get("/total")
@needs(Ability.SELL_AT_COUNTER)
def total() -> Response:
    """What htmx asks for while somebody types: the total anew, nothing is saved."""
    return _page(_form(request.args), rows_of(request.args))


@bp.post("")
@needs(Ability.SELL_AT_COUNTER)
def sell() -> Response:
    """Enter in a row only looks (`step`); selling is a press of its own."""
    form, rows = _form(request.form), rows_of(request.form)
    if request.form.get("step") == "look":
        return _page(form, rows)
    try:
        if form.is_sent():
            return once(form, lambda: _sell(form, rows))
    except DomainError as error:
        form.refuse(error)
    return _page(form, rows, status=422)


@bp.get("/sales/<int:invoice_id>")
@needs(Ability.SELL_AT_COUNTER)
def receipt(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    if invoice.kind is not InvoiceKind.POINT_OF_SALE:
        abort(404)
    paid = [one.payment for one in applications_to(invoice.id) if one.amount > ZERO]
    return render_page("staff/counter/receipt.html", invoice=invoice, payments=paid)


def _sell(form: CounterForm, rows: list[RowForm]) -> Response:
    sale = _sale(form, rows)
    sold = sell_at_counter(sale, seen=seen_total(request.form), by=signed_in_user())
    if sold.change:
        notify(_("Give back %(c)s.", c=str(sold.change)))
    return redirect_to("staff.counter.receipt", invoice_id=sold.invoice.id)


def _sale(form: CounterForm, rows: list[RowForm]) -> CounterSale:
    types = payment_types()
    return CounterSale(
        customer=_customer(form),
        lines=lines_of(rows),
        tax_zone=next((one for one in active_zones() if one.id == form.tax_zone_id.data), None),
        business_unit_id=form.business_unit_id.data,
        paid_by=row_of(types, form.type_id.data) if form.type_id.data else None,
        tendered=form.tendered.data,
        reference=(form.reference.data or "").strip(),
    )


def _customer(form: CounterForm) -> Customer | None:
    return customer_from(form) if (form.customer.data or "").strip() else None


def _form(sent: object) -> CounterForm:
    form = CounterForm(sent)
    form.tax_zone_id.offer(active_zones())
    form.business_unit_id.offer(units())
    form.type_id.offer(payment_types())
    return form


def _page(form: CounterForm, rows: list[RowForm], *, status: int = 200) -> Response:
    invoice, change, problem = _look(form, rows)
    return render_page(
        "staff/counter/show.html", fragment="total", status=status, form=form, rows=rows,
        invoice=invoice, change=change, problem=problem,
        first_empty=next((row for row in rows if row.is_empty), None),
    )  # fmt: skip


def _look(form: CounterForm, rows: list[RowForm]) -> tuple[Invoice | None, Money, str]:
    """What it comes to, the change, and what is in the way of selling it, in words."""
    if all(row.is_empty for row in rows):
        return None, ZERO, ""
    invoice = None
    try:
        sale = _sale(form, rows)
        invoice = price_sale(sale)
        _show_prices(rows, invoice)
        return invoice, change_for(sale, invoice.total), ""
    except DomainError as error:
        return invoice, ZERO, str(error)


def _show_prices(rows: list[RowForm], invoice: Invoice) -> None:
    """In each row left without a price, the one that is charged."""
    filled = [row for row in rows if not row.is_empty]
    for row, line in zip(filled, invoice.lines, strict=True):
        row.unit_price.render_kw["placeholder"] = row.unit_price.show(line.unit_price)
