"""Editing an invoice's lines in place, with live totals."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.audit import mark_of
from portal.invoices import LineWords, add_line, change_line, find_line, get_invoice, remove_line
from portal.jobs import technicians
from portal.kernel.errors import Conflict, DomainError
from portal.models import AuditEntry, Invoice, InvoiceLine, ItemKind
from portal.web import (
    needs,
    notify,
    once,
    redirect_to,
    render_page,
    wants_fragment,
)
from staff.choices import item_from
from staff.invoices import page_of
from staff.line_form import EditLineForm, LineForm
from staff.meanwhile import meanwhile

bp = Blueprint("invoice_lines", __name__, url_prefix="/invoices/<int:invoice_id>/lines")


@bp.post("")
@needs(Ability.EDIT_INVOICES)
def create(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = LineForm()
    try:
        if form.is_sent():
            return once(form, lambda: _add(invoice, form), again=lambda: _done(invoice))
    except DomainError as error:
        form.refuse(error)
    return page_of(invoice, line_form=form, status=422)


@bp.get("/<int:line_id>")
@needs(Ability.EDIT_INVOICES)
def edit(invoice_id: int, line_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    line = find_line(invoice, line_id)
    if line is None:
        return _gone(invoice)
    form = EditLineForm(formdata=None, data=_as_typed(invoice, line))
    form.technician_id.offer(technicians(), also=line.technician)
    return _edit_page(invoice, line, form)


@bp.post("/<int:line_id>")
@needs(Ability.EDIT_INVOICES)
def save(invoice_id: int, line_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    line = find_line(invoice, line_id)
    if line is None:
        return _is_gone(invoice)
    form = EditLineForm(data=_as_typed(invoice, line))
    form.technician_id.offer(technicians(), also=line.technician)
    try:
        if form.is_sent():
            change_line(invoice, line, _words(form, line), version=form.version.data)
            return redirect_to("staff.invoices.show", invoice_id=invoice.id)
    except DomainError as error:
        form.refuse(error)
        changed = meanwhile(invoice, error)
        return _edit_page(invoice, line, form, status=422, changed=changed)
    return _edit_page(invoice, line, form, status=422)


@bp.post("/<int:line_id>/removal")
@needs(Ability.EDIT_INVOICES)
def remove(invoice_id: int, line_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    line = find_line(invoice, line_id)
    if line is None:
        return _gone(invoice)
    remove_line(invoice, line)
    return _done(invoice)


def _gone(invoice: Invoice) -> Response:
    """Somebody took the line off while it was open here; what was typed is told again."""
    names = ("item", "quantity", "unit_price")
    typed = " · ".join(filter(None, (request.form.get(name, "").strip() for name in names)))
    notify(_("This line is no longer on the invoice: it was removed meanwhile."), "warning")
    if typed:
        notify(_("You had typed: %(w)s", w=typed), "warning")
    return _done(invoice)


def _add(invoice: Invoice, form: LineForm) -> Response:
    add_line(invoice, _words(form))
    return _done(invoice)


def _done(invoice: Invoice) -> Response:
    if wants_fragment():
        return page_of(invoice)
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


def _words(form: LineForm, line: InvoiceLine | None = None) -> LineWords:
    """A line as typed; on a price-book line the words may be rewritten and the item stays."""
    item = item_from(form)
    typed = (form.item.data or "").strip()
    if line is not None and item is None:
        item = line.item
    words = "" if item and typed in (item.code, f"{item.code} {item.name}") else typed
    return LineWords(
        description=words,
        quantity=form.quantity.data,
        unit_price=form.unit_price.data,
        item=item,
        kind=line.kind if line else LineWords.kind,
        taxable=bool(form.taxable.data),
        tax_class=line.tax_class if line else LineWords.tax_class,
        technician_id=form.technician_id.data if isinstance(form, EditLineForm) else None,
        job_log_id=line.job_log_id if line else None,
        income_account_id=line.income_account_id if line else None,
    )


def _as_typed(invoice: Invoice, line: InvoiceLine) -> dict[str, object]:
    is_discount = line.kind is ItemKind.DISCOUNT  # typed positive, taken off
    price = -line.unit_price if is_discount else line.unit_price
    return {
        "version": invoice.version,
        "item": line.description,
        "quantity": invoice.shown(line.quantity),
        "unit_price": price,
        "taxable": line.taxable,
        "technician_id": line.technician_id,
    }


def _edit_page(
    invoice: Invoice,
    line: InvoiceLine,
    form: LineForm,
    *,
    status: int = 200,
    changed: Sequence[AuditEntry] = (),
) -> Response:
    return render_page(
        "staff/invoices/line.html", status=status, invoice=invoice, line=line, form=form,
        changed=changed, trail_mark=mark_of(invoice),
    )  # fmt: skip


def _is_gone(invoice: Invoice) -> Response:
    """The line was removed while it was edited: what was typed waits in the form for a new one."""
    gone = Conflict(_("Somebody removed this line meanwhile. Add puts back what you typed."))
    form = LineForm()
    form.validate()
    form.form_errors.append(str(gone))
    return page_of(invoice, line_form=form, status=409, changed=meanwhile(invoice, gone))
