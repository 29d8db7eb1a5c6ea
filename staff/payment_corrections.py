"""Correcting one payment: its facts, what it paid, and money that did not stay."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import StringField

from portal.access import Ability
from portal.company import today
from portal.invoices import get_invoice, open_invoices
from portal.kernel.errors import DomainError
from portal.models import Invoice, Payment, PaymentApplication
from portal.payments import (
    PaymentWords,
    ReturnReason,
    bound_problem,
    change_payment,
    change_problem,
    delete_payment,
    get_payment,
    live_applications,
    move_application,
    payment_types,
    return_payment,
    return_problem,
    taken_off,
    undo_return,
    undo_return_problem,
)
from portal.web import (
    ChoiceField,
    DayField,
    Form,
    IdField,
    MoneyField,
    OnceField,
    VersionField,
    may,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
)
from staff.choices import row_of

bp = Blueprint("payment_corrections", __name__, url_prefix="/payments/<int:payment_id>")


class FactsForm(Form):
    version = VersionField()
    amount = MoneyField("Amount received")
    type_id = IdField("Paid by", empty=None)
    received_on = DayField("Received on", required=True)
    reference = StringField("Check number or reference")
    memo = StringField("Note")


class ReturnForm(Form):
    because = ChoiceField("Because", ReturnReason)
    on = DayField("On", required=True)
    note = StringField("What the bank said")


class UndoForm(Form):
    once = OnceField()
    because = StringField("Because", render_kw={"autocomplete": "off"})


class MoveForm(Form):
    once = OnceField()
    invoice_id = IdField("To invoice", empty=None)
    amount = MoneyField("Amount")


@bp.get("/facts")
@needs(Ability.TAKE_PAYMENTS)
def edit(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    _refuse(change_problem(payment))
    return _facts_page(payment, _facts_form(payment, None))


@bp.post("/facts")
@needs(Ability.TAKE_PAYMENTS)
def save(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    form = _facts_form(payment, request.form)
    try:
        if form.is_sent():
            change_payment(payment, _words(payment, form), version=form.version.data)
            notify(_("Saved."))
            return redirect_to("staff.payments.show", payment_id=payment_id)
    except DomainError as error:
        form.refuse(error)
    return _facts_page(payment, form, status=422)


@bp.get("/deletion")
@needs(Ability.TAKE_PAYMENTS)
def ask_to_delete(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    _refuse(change_problem(payment) or return_problem(payment))
    return render_page(
        "staff/payments/deletion.html", payment=payment, numbers=_numbers(_live(payment))
    )


@bp.post("/deletion")
@needs(Ability.TAKE_PAYMENTS)
def delete(payment_id: int) -> Response:
    delete_payment(get_payment(payment_id), version=request.form.get("version", 0, type=int))
    notify(_("The payment counts for nothing any more."))
    return redirect_to("staff.payments.show", payment_id=payment_id)


@bp.get("/return")
@needs(Ability.RETURN_PAYMENTS)
def ask_to_return(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    _refuse(return_problem(payment))
    form = ReturnForm(None)
    form.on.data = today()
    return _return_page(payment, form)


@bp.post("/return")
@needs(Ability.RETURN_PAYMENTS)
def give_up(payment_id: int) -> Response:
    payment, form = get_payment(payment_id), ReturnForm()
    try:
        if form.is_sent():
            note = (form.note.data or "").strip()
            numbers = return_payment(payment, form.because.data, on=form.on.data, note=note)
            notify(_returned_words(numbers))
            return redirect_to("staff.payments.show", payment_id=payment_id)
    except DomainError as error:
        form.refuse(error)
    return _return_page(payment, form, status=422)


@bp.get("/return/undoing")
@needs(Ability.RETURN_PAYMENTS)
def ask_to_undo(payment_id: int) -> Response:
    payment = get_payment(payment_id)
    _refuse(undo_return_problem(payment))
    return _undo_page(payment, UndoForm(formdata=None))


@bp.post("/return/undoing")
@needs(Ability.RETURN_PAYMENTS)
def undo(payment_id: int) -> Response:
    payment, form = get_payment(payment_id), UndoForm()
    try:
        if form.is_sent():
            return once(form, lambda: _undo(payment, form))
    except DomainError as error:
        form.refuse(error)
    return _undo_page(payment, form, status=422)


@bp.get("/applications/<int:application_id>/move")
@needs(Ability.UNAPPLY_PAYMENTS)
def ask_to_move(payment_id: int, application_id: int) -> Response:
    row = row_of(get_payment(payment_id).applications, application_id)
    _refuse(bound_problem(row.payment))
    others = _others(row)
    form = _move_form(others, None)
    form.amount.data = min([row.amount, *(one.balance for one in others[:1])])
    return _move_page(row, form, others)


@bp.post("/applications/<int:application_id>/move")
@needs(Ability.UNAPPLY_PAYMENTS)
def move(payment_id: int, application_id: int) -> Response:
    row = row_of(get_payment(payment_id).applications, application_id)
    others = _others(row)
    form = _move_form(others, request.form)
    try:
        if form.is_sent():
            return once(form, lambda: _move(row, form))
    except DomainError as error:
        form.refuse(error)
    return _move_page(row, form, others, status=422)


def _move(row: PaymentApplication, form: MoveForm) -> Response:
    to = get_invoice(form.invoice_id.data)
    exported_too = may(Ability.UNAPPLY_EXPORTED)
    moved = move_application(row, to, form.amount.data, on=today(), exported_too=exported_too)
    notify(_("%(a)s were moved to invoice %(n)s.", a=str(moved), n=to.number))
    return redirect_to("staff.payments.show", payment_id=row.payment_id)


def _undo(payment: Payment, form: UndoForm) -> Response:
    back = undo_return(payment, because=form.because.data or "")
    credit = str(payment.unapplied)
    notify(_("It counts again: %(a)s on invoices, %(c)s as credit.", a=str(back), c=credit))
    return redirect_to("staff.payments.show", payment_id=payment.id)


def _undo_page(payment: Payment, form: UndoForm, *, status: int = 200) -> Response:
    rows = taken_off(payment) if payment.returned_on else []
    return render_page(
        "staff/payments/undo_return.html", status=status, payment=payment, form=form, rows=rows
    )


def _refuse(problem: str | None) -> None:
    if problem:
        raise DomainError(problem)


def _live(payment: Payment) -> list[PaymentApplication]:
    return live_applications(PaymentApplication.payment_id == payment.id)


def _numbers(rows: Sequence[PaymentApplication]) -> list[str]:
    return list(dict.fromkeys(row.invoice.number for row in rows))


def _others(row: PaymentApplication) -> list[Invoice]:
    mine = row.payment.customer_id
    return [one for one in open_invoices(mine) if one.id != row.invoice_id]


def _returned_words(numbers: Sequence[str]) -> str:
    if not numbers:
        return str(_("The payment was returned."))
    return str(_("The payment was returned. Owed again: %(n)s.", n=", ".join(numbers)))


def _facts_form(payment: Payment, sent: object) -> FactsForm:
    form = FactsForm(sent, obj=payment)
    form.type_id.offer(payment_types(), also=payment.type)
    return form


def _words(payment: Payment, form: FactsForm) -> PaymentWords:
    return PaymentWords(
        type=row_of([*payment_types(), payment.type], form.type_id.data),
        amount=form.amount.data,
        received_on=form.received_on.data,
        reference=(form.reference.data or "").strip(),
        memo=(form.memo.data or "").strip(),
    )


def _facts_page(payment: Payment, form: FactsForm, *, status: int = 200) -> Response:
    return render_page("staff/payments/facts.html", status=status, payment=payment, form=form)


def _return_page(payment: Payment, form: ReturnForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/payments/return.html", status=status, payment=payment, form=form,
        numbers=_numbers(_live(payment)),
    )  # fmt: skip


def _move_form(others: Sequence[Invoice], sent: object) -> MoveForm:
    form = MoveForm(sent)
    form.invoice_id.offer(
        others, words=lambda one: _("%(n)s: %(b)s open", n=one.number, b=str(one.balance))
    )
    return form


def _move_page(
    row: PaymentApplication, form: MoveForm, others: Sequence[Invoice], *, status: int = 200
) -> Response:
    return render_page("staff/payments/move.html", status=status, row=row, form=form, others=others)
