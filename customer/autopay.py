"""My autopay: what is charged when, on and off; the words agreed to are read before."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, RadioField, SelectField

from customer.mine import me
from portal.company import today
from portal.customers import get_customer
from portal.kernel.errors import DomainError, NotFound
from portal.models import AutopayMoment, Customer
from portal.payment_collection import (
    AgreedBy,
    AutopayWords,
    autopay_of,
    cancel_planned,
    coming_charges,
    consent_to,
    first_open_day,
    get_charge,
    has_gateway,
    method_for,
    methods_of,
    primary_method,
    seal_of,
    turn_off,
    turn_on,
    why_not,
)
from portal.web import Form, MoneyField, notify, payers_only, redirect_to, render_page

bp = Blueprint("autopay", __name__, url_prefix="/autopay")

MOMENTS = {
    AutopayMoment.DUE_DATE.value: later("on the day an invoice is due"),
    AutopayMoment.INVOICE_DATE.value: later("as soon as an invoice is made"),
}


class TermsForm(Form):
    """The terms as one chooses them; empty method is the primary one."""

    method = SelectField(later("Charge"))
    moment = RadioField(later("When"), choices=list(MOMENTS.items()), default="due_date")
    most = MoneyField(later("Never more at once than (may stay empty)"), required=False)
    with_open = BooleanField(later("Also charge the invoices that are open now"))


@bp.get("")
@payers_only
def index() -> Response:
    """Each customer I may pay for, whether autopay is on, and what it will charge next."""
    customers = my_customers()
    return render_page(
        "customer/autopay/index.html",
        accounts=[(one, autopay_of(one.id), primary_method(one.id)) for one in customers],
        coming=coming_charges([one.id for one in customers]), method_for=method_for,
        can_save=has_gateway(), moments=MOMENTS, on=today(),
    )  # fmt: skip


@bp.get("/<int:customer_id>/terms")
@payers_only
def terms(customer_id: int) -> Response:
    customer = my_customer(customer_id)
    return _terms_page(customer, terms_form(customer, sent=False))


@bp.post("/<int:customer_id>/terms")
@payers_only
def read(customer_id: int) -> Response:
    """The very words these terms mean, to be agreed to on the next press."""
    customer = my_customer(customer_id)
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
    customer = my_customer(customer_id)
    form = terms_form(customer, sent=True)
    try:
        if form.is_sent():
            given = AgreedBy(f"{me().name} <{me().email}>", request.remote_addr or "",
                             request.user_agent.string, me().language)  # fmt: skip
            turn_on(customer, words_of(customer, form), given, seal=request.form.get("agreed", "-"))
            notify(_("Autopay is on. You get a message before each charge."))
            return redirect_to("customer.autopay.index")
    except DomainError as error:
        form.refuse(error)
    return _terms_page(my_customer(customer_id), form, status=422)


@bp.post("/<int:customer_id>/off")
@payers_only
def stop(customer_id: int) -> Response:
    if turn_off(my_customer(customer_id), because=f"Turned off in the portal by {me().email}."):
        notify(_("Autopay is off. What had not begun is cancelled."))
    return redirect_to("customer.autopay.index")


@bp.post("/charges/<int:charge_id>/cancellation")
@payers_only
def skip(charge_id: int) -> Response:
    """Not this one: it stays owed and is paid another way."""
    charge = get_charge(charge_id)
    my_customer(charge.customer_id)
    version = request.form.get("version", 0, type=int)
    cancel_planned(charge, version=version, because=f"Cancelled in the portal by {me().email}.")
    notify(_("It is not charged by itself any more. Please pay it another way."))
    return redirect_to("customer.autopay.index")


def my_customers() -> list[Customer]:
    """Those I may pay for, by name."""
    mine = [get_customer(one) for one in dict.fromkeys(me().customer_ids) if me().may_pay(one)]
    return sorted(mine, key=lambda one: one.name)


def my_customer(customer_id: int) -> Customer:
    """One I may pay for; NotFound for anybody else's."""
    if customer_id not in me().customer_ids or not me().may_pay(customer_id):
        raise NotFound(_("There is nothing here, or it is not yours to see."))
    return get_customer(customer_id)


def terms_form(customer: Customer, *, sent: bool) -> TermsForm:
    """The form with this customer's methods to choose from; what is agreed now stands in it."""
    autopay = autopay_of(customer.id)
    form = TermsForm(request.form if sent else None, obj=autopay)
    usable = [one for one in methods_of(customer) if not why_not(one)]
    primary = _("the primary payment method")
    form.method.choices = [("", primary), *((str(one.id), one.label) for one in usable)]
    if not sent:
        form.method.data = str(autopay.method_id or "") if autopay else ""
        form.moment.data = (autopay.moment if autopay else AutopayMoment.DUE_DATE).value
    return form


def words_of(customer: Customer, form: TermsForm) -> AutopayWords:
    return AutopayWords(
        moment=AutopayMoment(form.moment.data),
        method_id=int(form.method.data) if form.method.data else None,
        most=form.most.data,
        starts_on=first_open_day(customer.id) if form.with_open.data else today(),
    )


def _terms_page(customer: Customer, form: TermsForm, *, status: int = 200) -> Response:
    return render_page(
        "customer/autopay/terms.html", status=status, customer=customer, form=form,
        has_method=primary_method(customer.id) is not None or len(form.method.choices) > 1,
    )  # fmt: skip


def _words_page(customer: Customer, form: TermsForm) -> Response:
    text = consent_to(customer, words_of(customer, form), me().language)
    return render_page(
        "customer/autopay/words.html", customer=customer, form=form, text=text, seal=seal_of(text)
    )
