"""Correcting what is final: adjustment, credit note, write-off, unposting; each is asked first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.invoices import (
    correction_problem,
    get_invoice,
    left_to_credit,
    start_adjustment,
    start_credit_note,
    unpost_invoice,
    unposting_problem,
    write_off,
)
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.numbers import Quantity
from portal.models import Invoice, InvoiceKind
from portal.web import (
    Form,
    MoneyField,
    OnceField,
    QuantityField,
    VersionField,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("corrections", __name__, url_prefix="/invoices/<int:invoice_id>")

REASONS = (  # servicetitan-rules §7; any other words may be typed
    later("Wrong amount charged"), later("Work not satisfactory"), later("Billing error"),
    later("Payment added in error"), later("Payment on the wrong invoice"),
    later("Wrong balance"), later("Bad debt"),
)  # fmt: skip


class ReasonForm(Form):
    once = OnceField()
    because = StringField("Because", render_kw={"list": "reasons", "autocomplete": "off"})


class WriteOffForm(ReasonForm):
    amount = MoneyField("Amount to write off")


class UnpostingForm(Form):
    version = VersionField()
    because = StringField("Because", render_kw={"autocomplete": "off", "required": True})


class CreditForm(ReasonForm):
    everything = BooleanField("Credit everything that is left of it")


class LineShareForm(Form):
    """One line of the original: credited or not, and how much of it."""

    class Meta:
        csrf = False  # the form around it has the token

    take = BooleanField("Credit this line")
    quantity = QuantityField("Quantity")


@bp.get("/adjustments")
@needs(Ability.CORRECT_INVOICES)
def adjustment(invoice_id: int) -> Response:
    invoice = _correctable(invoice_id, InvoiceKind.ADJUSTMENT)
    return _page("adjustment", invoice, ReasonForm(formdata=None))


@bp.post("/adjustments")
@needs(Ability.CORRECT_INVOICES)
def begin_adjustment(invoice_id: int) -> Response:
    invoice, form = get_invoice(invoice_id), ReasonForm()
    try:
        if form.is_sent():
            return once(form, lambda: _to(start_adjustment(invoice, because=form.because.data)))
    except DomainError as error:
        form.refuse(error)
    return _page("adjustment", invoice, form, status=422)


@bp.get("/credit-notes")
@needs(Ability.CORRECT_INVOICES)
def credit_note(invoice_id: int) -> Response:
    invoice = _correctable(invoice_id, InvoiceKind.CREDIT_NOTE)
    return _credit_page(invoice, CreditForm(formdata=None), _shares(invoice, None))


@bp.post("/credit-notes")
@needs(Ability.CORRECT_INVOICES)
def begin_credit_note(invoice_id: int) -> Response:
    invoice, form = get_invoice(invoice_id), CreditForm()
    shares = _shares(invoice, form)
    try:
        wanted = [] if form.everything.data else [x for x in shares.values() if x.take.data]
        if form.is_sent() and all(one.is_sent() for one in wanted):
            return once(form, lambda: _begin_credit(invoice, form, shares))
    except DomainError as error:
        _refuse(form, shares, error)
    return _credit_page(invoice, form, shares, status=422)


@bp.get("/write-offs")
@needs(Ability.WRITE_OFF)
def write_off_question(invoice_id: int) -> Response:
    invoice = _correctable(invoice_id, InvoiceKind.WRITE_OFF)
    form = WriteOffForm(formdata=None)
    form.amount.data = invoice.balance
    return _page("write_off", invoice, form)


@bp.post("/write-offs")
@needs(Ability.WRITE_OFF)
def give_up(invoice_id: int) -> Response:
    invoice, form = get_invoice(invoice_id), WriteOffForm()
    try:
        if form.is_sent():
            return once(form, lambda: _write_off(invoice, form))
    except DomainError as error:
        form.refuse(error)
    return _page("write_off", invoice, form, status=422)


@bp.get("/unposting")
@needs(Ability.UNPOST_INVOICES)
def unposting(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    if problem := unposting_problem(invoice):
        raise DomainError(problem)
    return _page("unposting", invoice, UnpostingForm(formdata=None, obj=invoice))


@bp.post("/unposting")
@needs(Ability.UNPOST_INVOICES)
def unpost(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = UnpostingForm(obj=invoice)
    try:
        if form.is_sent():
            _unpost(invoice, form)
            notify(_("%(n)s is a draft again and keeps its number.", n=invoice.number))
            return _to(invoice)
    except DomainError as error:
        form.refuse(error)
    form.version.data = invoice.version  # who is told what changed may say yes to that
    return _page("unposting", invoice, form, status=422)


def _correctable(invoice_id: int, kind: InvoiceKind) -> Invoice:
    invoice = get_invoice(invoice_id)
    if problem := correction_problem(invoice, kind):
        raise DomainError(problem)
    return invoice


def _begin_credit(invoice: Invoice, form: CreditForm, shares: dict[int, LineShareForm]) -> Response:
    """Nothing ticked is refused by the service; everything is a wish of its own."""
    ticked: dict[int, Quantity] = {
        line_id: one.quantity.data for line_id, one in shares.items() if one.take.data
    }
    quantities = None if form.everything.data else ticked
    return _to(start_credit_note(invoice, quantities, because=form.because.data))


def _write_off(invoice: Invoice, form: WriteOffForm) -> Response:
    document = write_off(invoice, form.amount.data, because=form.because.data, by=signed_in_user())
    notify(_("%(a)s were written off as %(n)s.", a=str(-document.total), n=document.number))
    return _to(invoice)


def _unpost(invoice: Invoice, form: UnpostingForm) -> None:
    unpost_invoice(
        invoice, because=form.because.data, by=signed_in_user(), version=form.version.data
    )


def _shares(invoice: Invoice, sent: Form | None) -> dict[int, LineShareForm]:
    """A small form beside each line of the original; nothing is ticked before somebody does."""
    forms = {}
    for line in invoice.lines:
        prefix = f"line-{line.id}"
        if sent is None:
            forms[line.id] = LineShareForm(
                formdata=None, prefix=prefix, data={"quantity": line.quantity}
            )
        else:
            forms[line.id] = LineShareForm(prefix=prefix)
    return forms


def _refuse(form: Form, shares: dict[int, LineShareForm], error: DomainError) -> None:
    """A wrong quantity is told beside its line, everything else on top."""
    if not isinstance(error, InvalidFields):
        form.refuse(error)
        return
    for name, sentence in error.errors.items():
        share = shares[int(name.removeprefix("quantity_"))]
        share.quantity.errors = [*share.quantity.errors, sentence]


def _to(invoice: Invoice) -> Response:
    return redirect_to("staff.invoices.show", invoice_id=invoice.id)


def _credit_page(
    invoice: Invoice, form: Form, shares: dict[int, LineShareForm], *, status: int = 200
) -> Response:
    pairs: Sequence[Any] = [(line, shares[line.id]) for line in invoice.lines]
    return _page("credit_note", invoice, form, status=status, shares=pairs)


def _page(
    name: str, invoice: Invoice, form: Form, *, status: int = 200, shares: Sequence[Any] = ()
) -> Response:
    return render_page(
        f"staff/corrections/{name}.html", status=status, invoice=invoice, form=form,
        shares=shares, left=left_to_credit(invoice), reasons=REASONS,
    )  # fmt: skip
