"""My autopay: what is charged when, on and off; the words agreed to are read before."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, RadioField

from customer.mine import me, paying_customer, paying_customers
from portal.company import today
from portal.kernel.errors import Conflict, DomainError, NotFound
from portal.models import AutopayMoment, ChargeSource, Customer
from portal.payment_collection import (
    AgreedBy,
    AutopayWords,
    autopay_of,
    cancel_planned,
    charges_open_ones,
    coming_charges,
    consent_to,
    first_day,
    get_charge,
    has_gateway,
    method_for,
    methods_of,
    primary_method,
    seal_of,
    told_of,
    turn_off,
    turn_on,
    why_not,
)
from portal.web import Form, IdField, MoneyField, notify, payers_only, redirect_to, render_page

bp = Blueprint("autopay", __name__, url_prefix="/autopay")

MOMENTS = {
    AutopayMoment.DUE_DATE.value: later("on the day an invoice is due"),
    AutopayMoment.INVOICE_DATE.value: later("as soon as an invoice is made"),
}


class TermsForm(Form):
    """The terms as one chooses them; no method is the primary one."""

    method_id = IdField(later("Charge"), empty=later("the primary payment method"))
    moment = RadioField(later("When"), choices=[], default=AutopayMoment.DUE_DATE.value)
    most = MoneyField(later("Never more at once than (may stay empty)"), required=False)
    with_open = BooleanField(later("Also charge the invoices that are open now"))


@bp.get("")
@payers_only
def index() -> Response:
    """Each customer I may pay for, whether autopay is on, and what it will charge next."""
    customers = sorted(paying_customers(), key=lambda one: one.name)
    return render_page(
        "customer/autopay/index.html",
        accounts=[(one, autopay_of(one.id), primary_method(one.id)) for one in customers],
        coming=coming_charges([one.id for one in customers]), method_for=method_for,
        told_of=lambda one: told_of(one, me().language), can_save=has_gateway(),
        moments=MOMENTS, on=today(),
    )  # fmt: skip


@bp.get("/<int:customer_id>/terms")
@payers_only
def terms(customer_id: int) -> Response:
    customer = paying_customer(customer_id)
    return _terms_page(customer, terms_form(customer, sent=False))


@bp.post("/<int:customer_id>/terms")
@payers_only
def read(customer_id: int) -> Response:
    """The very words these terms mean, to be agreed to on the next press."""
    customer = paying_customer(customer_id)
    form = terms_form(customer, sent=True)
    try:
        if form.is_sent():
            return _words_page(customer, form)
    except DomainError as error:
        form.refuse(error)
    return _terms_page(customer, form, status=422)


@bp.post("/<int:customer_id>")
@payers_only
def agree(customer_id: int) -> Response:
    customer = paying_customer(customer_id)
    form = terms_form(customer, sent=True)
    try:
        if form.is_sent():
            given = AgreedBy(f"{me().name} <{me().email}>", request.remote_addr or "",
                             request.user_agent.string, me().language)  # fmt: skip
            turn_on(customer, words_of(customer, form), given, seal=request.form.get("agreed", "-"))
            notify(_("Autopay is on. You get a message before each charge."))
            return redirect_to("customer.autopay.index")
    except Conflict as error:  # other words by now: they are read before they are agreed to
        form.form_errors.append(str(error))
        return _words_page(paying_customer(customer_id), form, status=422)
    except DomainError as error:
        form.refuse(error)
    return _terms_page(paying_customer(customer_id), form, status=422)


@bp.get("/<int:customer_id>")
@payers_only
def begin(customer_id: int) -> Response:
    """Where a refused agreement stands; loading it again begins with the terms."""
    return redirect_to("customer.autopay.terms", customer_id=paying_customer(customer_id).id)


@bp.post("/<int:customer_id>/off")
@payers_only
def stop(customer_id: int) -> Response:
    if turn_off(paying_customer(customer_id), because=f"Turned off in the portal by {me().email}."):
        notify(_("Autopay is off. What had not begun is cancelled."))
    return redirect_to("customer.autopay.index")


@bp.post("/charges/<int:charge_id>/cancellation")
@payers_only
def skip(charge_id: int) -> Response:
    """Not this one: it stays owed and is paid another way."""
    charge = get_charge(charge_id)
    paying_customer(charge.customer_id)
    if charge.source is not ChargeSource.AUTOPAY:
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    version = request.form.get("version", 0, type=int)
    cancel_planned(charge, version=version, because=f"Cancelled in the portal by {me().email}.")
    notify(_("It is not charged by itself any more. Please pay it another way."))
    return redirect_to("customer.autopay.index")


def terms_form(customer: Customer, *, sent: bool) -> TermsForm:
    """The form with this customer's methods to choose from; what is agreed now stands in it."""
    form = TermsForm(request.form if sent else None, obj=autopay_of(customer.id))
    if not sent:
        form.with_open.data = charges_open_ones(customer.id)
    form.method_id.offer([one for one in methods_of(customer) if not why_not(one)], words="label")
    form.moment.choices = list(MOMENTS.items())
    return form


def words_of(customer: Customer, form: TermsForm) -> AutopayWords:
    return AutopayWords(
        moment=AutopayMoment(form.moment.data),
        method_id=form.method_id.data,
        most=form.most.data,
        starts_on=first_day(customer.id, with_open=form.with_open.data),
    )


def _terms_page(customer: Customer, form: TermsForm, *, status: int = 200) -> Response:
    return render_page(
        "customer/autopay/terms.html", status=status, customer=customer, form=form,
        has_method=primary_method(customer.id) is not None or len(form.method_id.choices) > 1,
    )  # fmt: skip


def _words_page(customer: Customer, form: TermsForm, *, status: int = 200) -> Response:
    text = consent_to(customer, words_of(customer, form), me().language)
    return render_page(
        "customer/autopay/words.html", status=status, customer=customer, form=form, text=text,
        seal=seal_of(text),
    )  # fmt: skip
