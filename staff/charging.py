"""Charging a saved method for one invoice: chosen, asked once more, then told in words."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import RadioField

from portal.access import Ability
from portal.company import today
from portal.invoices import get_invoice
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import AttemptPurpose, AttemptState, Invoice, PaymentAttempt, SavedMethod
from portal.payment_collection import (
    ChargeWanted,
    attempts_in_the_way,
    charge_method,
    chargeable_method,
    check_shares,
    get_attempt,
    methods_of,
    why_not,
)
from portal.payments import receipt_address
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

bp = Blueprint("charging", __name__, url_prefix="/invoices/<int:invoice_id>/charge")


class ChargeForm(Form):
    once = OnceField()
    method_id = RadioField("Payment method", coerce=int, validate_choice=False)
    amount = MoneyField("Amount")


@bp.get("")
@needs(Ability.CHARGE_METHODS)
def new(invoice_id: int) -> Response:
    invoice = get_invoice(invoice_id)
    form = _form(invoice, None)
    form.amount.data = invoice.balance
    return _form_page(invoice, form)


@bp.post("")
@needs(Ability.CHARGE_METHODS)
def create(invoice_id: int) -> Response:
    """The first press asks, the second charges; a refusal stands beside what was typed."""
    invoice = get_invoice(invoice_id)
    form = _form(invoice, request.form)
    if "back" in request.form:
        return _form_page(invoice, form)
    try:
        if form.is_sent() and "seen" in request.form:
            there = invoice.id
            return once(
                form, lambda: _ask_or_charge(get_invoice(there), form),
                again=lambda: redirect_to("staff.invoices.show", invoice_id=there),
            )  # fmt: skip
        if form.is_sent():
            return _ask_or_charge(invoice, form)
    except NotFound:
        raise
    except DomainError as error:
        form.refuse(error)
        form.once.data = ChargeForm(formdata=None)["once"].data  # nothing was charged by it
    return _form_page(get_invoice(invoice_id), form, status=422)


def _ask_or_charge(invoice: Invoice, form: ChargeForm) -> Response:
    method = _checked(invoice, form)
    receipt = receipt_address(invoice.customer)
    seal = _seal(invoice, method, form)
    if request.form.get("seen") == seal:
        return _charge(_wanted(invoice, method, form, receipt))
    return render_page(
        "staff/charging/question.html", invoice=invoice, method=method, form=form, seal=seal,
        receipt=receipt,
    )  # fmt: skip


def _checked(invoice: Invoice, form: ChargeForm) -> SavedMethod:
    """What would refuse the charge is told before anybody says yes."""
    if not form.method_id.data:
        raise InvalidFields({"method_id": _("Choose the payment method to charge.")})
    method = chargeable_method(invoice.customer_id, form.method_id.data)
    check_shares([invoice], {invoice.id: form.amount.data})
    attempts_in_the_way([(invoice.id, form.amount.data)])
    return method


def _wanted(invoice: Invoice, method: SavedMethod, form: ChargeForm, receipt: str) -> ChargeWanted:
    return ChargeWanted(
        customer_id=invoice.customer_id,
        method_id=method.id,
        shares=[(invoice.id, form.amount.data)],
        purpose=AttemptPurpose.OFFICE,
        started_by=signed_in_user().name,
        email=receipt,
        language=invoice.customer.language,
    )


def _charge(wanted: ChargeWanted) -> Response:
    attempt = get_attempt(charge_method(wanted))
    sentence, kind = outcome_words(attempt)
    notify(sentence, kind)
    return redirect_to("staff.invoices.show", invoice_id=wanted.shares[0][0])


def outcome_words(attempt: PaymentAttempt) -> tuple[str, str]:
    """What became of a charge, for the office, and how loud to say it."""
    label = attempt.method.label if attempt.method else ""
    match attempt.state:
        case AttemptState.SUCCEEDED:
            return _("%(m)s was charged %(a)s.", m=label, a=str(attempt.amount)), "success"
        case AttemptState.PROCESSING:
            return _(
                "%(a)s is on its way from %(m)s. Banks need some days to confirm it.",
                m=label, a=str(attempt.amount),
            ), "success"  # fmt: skip
        case AttemptState.FAILED | AttemptState.EXPIRED:
            return _("Nothing was charged: %(w)s", w=attempt.failure), "danger"
        case _:
            return _(
                "The payment processor did not answer. Do not charge again: "
                "we ask it every few minutes, and the outcome will be shown here."
            ), "warning"


def _seal(invoice: Invoice, method: SavedMethod, form: ChargeForm) -> str:
    """The yes is for this method, this amount and this balance only."""
    words = f"{invoice.id} {invoice.balance} {method.id} {form.amount.data}"
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def _form(invoice: Invoice, sent: object) -> ChargeForm:
    form = ChargeForm(sent)
    usable = [one for one in methods_of(invoice.customer) if not why_not(one)]
    form.method_id.choices = [(one.id, one.label) for one in usable]
    if sent is None:
        form.method_id.data = usable[0].id if usable else None
    return form


def _form_page(invoice: Invoice, form: ChargeForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/charging/form.html", status=status, invoice=invoice, form=form,
        methods=methods_of(invoice.customer), why_not=why_not, today=today(),
    )  # fmt: skip
