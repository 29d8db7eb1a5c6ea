"""Letting somebody else pay what is owed on an invoice, and undoing it as a whole."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import StringField

from portal.access import Ability
from portal.invoices import (
    Financing,
    finance,
    financing_problem,
    financings_of,
    get_invoice,
    undo_financing,
    undoing_problem,
)
from portal.kernel.errors import DomainError, NotFound
from portal.models import Invoice
from portal.web import (
    Form,
    MoneyField,
    OnceField,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.choices import customer_from

bp = Blueprint("financing", __name__, url_prefix="/invoices/<int:invoice_id>/financing")


class FinancingForm(Form):
    once = OnceField()
    customer = StringField(later("Who pays instead"))
    amount = MoneyField(later("Amount"))
    because = StringField(later("Because, e.g. the number of the contract"))


class UndoingForm(Form):
    once = OnceField()
    because = StringField(later("Undo it, because"))


@bp.get("")
@needs(Ability.POST_INVOICES)
def question(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = FinancingForm(formdata=None)
    form.amount.data = invoice.balance
    return _page(invoice, form)


@bp.post("")
@needs(Ability.POST_INVOICES)
def take_over(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = FinancingForm()
    try:
        if form.is_sent():
            return once(form, lambda: _finance(invoice, form))
    except DomainError as error:
        form.refuse(error)
    return _page(invoice, form, status=422)


@bp.get("/undoing")
@needs(Ability.UNPOST_INVOICES)
def undoing(invoice_id: int) -> Response:
    """The address is that of the half which was charged to the payer."""
    return _undoing_page(_pair(invoice_id), UndoingForm(formdata=None))


@bp.post("/undoing")
@needs(Ability.UNPOST_INVOICES)
def undo(invoice_id: int) -> Response:
    pair = _pair(invoice_id)
    form = UndoingForm()
    try:
        if form.is_sent():
            return once(form, lambda: _undo(pair, form))
    except DomainError as error:
        form.refuse(error)
    return _undoing_page(pair, form, status=422)


def _finance(invoice: Invoice, form: FinancingForm) -> Response:
    payer = customer_from(form)
    because = form.because.data or ""
    finance(invoice, payer, form.amount.data, because=because, by=signed_in_user())
    notify(_("%(p)s owes %(a)s of it now.", p=payer.name, a=str(form.amount.data)))
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


def _undo(pair: Financing, form: UndoingForm) -> Response:
    undo_financing(pair, because=form.because.data or "", by=signed_in_user())
    notify(_("The financing was undone: %(c)s owes it again.", c=pair.leaves.customer.name))
    return redirect_to("staff.invoices.show", invoice_id=pair.leaves.adjusts_id)


def _pair(invoice_id: int) -> Financing:
    pairs = financings_of(get_invoice(invoice_id))
    for pair in pairs:
        if pair.arrives.id == invoice_id:
            return pair
    raise NotFound(_("There is nothing here, or it is not yours to see."))


def _page(invoice: Invoice, form: FinancingForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/financing/form.html", status=status, invoice=invoice, form=form,
        problem=financing_problem(invoice),
    )  # fmt: skip


def _undoing_page(pair: Financing, form: UndoingForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/financing/undoing.html", status=status, pair=pair, form=form,
        problem=undoing_problem(pair),
    )  # fmt: skip
