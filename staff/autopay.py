"""A customer's autopay as the office sees it: on by an agreement somebody wrote down, or off."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, StringField

from portal.access import Ability
from portal.customers import get_customer
from portal.kernel.errors import Conflict, DomainError
from portal.models import AutopayMoment, Customer
from portal.payment_collection import (
    AgreedBy,
    AutopayWords,
    ChargeFilter,
    autopay_of,
    charges_open_ones,
    consent_to,
    find_charges,
    first_day,
    method_for,
    methods_of,
    primary_method,
    seal_of,
    turn_off,
    turn_on,
    why_not,
)
from portal.web import (
    ChoiceField,
    Form,
    IdField,
    MoneyField,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("autopay", __name__, url_prefix="/customers/<int:customer_id>/autopay")


class TermsForm(Form):
    method_id = IdField(later("Charge"), empty=later("the primary payment method"))
    moment = ChoiceField(later("When"), AutopayMoment)
    most = MoneyField(later("Never more at once than"), required=False)
    with_open = BooleanField(later("Also the invoices that are open now"))
    given_by = StringField(later("Who agreed, and how"))


class OffForm(Form):
    because = StringField(later("Turn it off, because"))


@bp.get("")
@needs(Ability.VIEW_CUSTOMERS)
def show(customer_id: int) -> Response:
    return _page(get_customer(customer_id), OffForm(formdata=None))


@bp.get("/terms")
@needs(Ability.CHARGE_METHODS)
def terms(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    return _terms_page(customer, _form(customer, sent=False))


@bp.post("/terms")
@needs(Ability.CHARGE_METHODS)
def read(customer_id: int) -> Response:
    """The words to read out to the customer, before anybody presses."""
    customer = get_customer(customer_id)
    form = _form(customer, sent=True)
    try:
        if form.is_sent():
            return _words_page(customer, form)
    except DomainError as error:
        form.refuse(error)
    return _terms_page(customer, form, status=422)


@bp.post("")
@needs(Ability.CHARGE_METHODS)
def agree(customer_id: int) -> Response:
    customer = get_customer(customer_id)
    form = _form(customer, sent=True)
    try:
        if form.is_sent():
            seal = request.form.get("agreed", "-")
            turn_on(customer, _words(customer, form), _given(customer, form), seal=seal)
            notify(_("Autopay is on."))
            return redirect_to("staff.autopay.show", customer_id=customer_id)
    except Conflict as error:  # other words by now: they are read out before anybody agrees
        form.form_errors.append(str(error))
        return _words_page(get_customer(customer_id), form, status=422)
    except DomainError as error:
        form.refuse(error)
    page = _words_page if form.given_by.errors else _terms_page
    return page(get_customer(customer_id), form, status=422)


@bp.post("/off")
@needs(Ability.CHARGE_METHODS)
def stop(customer_id: int) -> Response:
    customer, form = get_customer(customer_id), OffForm()
    because = (form.because.data or "").strip()
    if not because:
        form.because.errors = [_("Say why: the customer may ask.")]
        return _page(customer, form, status=422)
    turn_off(customer, because=because)
    notify(_("Autopay is off. What had not begun is cancelled."))
    return redirect_to("staff.autopay.show", customer_id=customer_id)


def _form(customer: Customer, *, sent: bool) -> TermsForm:
    form = TermsForm(request.form if sent else None, obj=autopay_of(customer.id))
    if not sent:
        form.with_open.data = charges_open_ones(customer.id)
    form.method_id.offer([one for one in methods_of(customer) if not why_not(one)], words="label")
    return form


def _words(customer: Customer, form: TermsForm) -> AutopayWords:
    return AutopayWords(
        moment=form.moment.data,
        method_id=form.method_id.data,
        most=form.most.data,
        starts_on=first_day(customer.id, with_open=form.with_open.data),
    )


def _given(customer: Customer, form: TermsForm) -> AgreedBy:
    """What the customer said, and who of us heard it; nobody's browser."""
    heard = (form.given_by.data or "").strip()
    by = _("%(who)s; written down by %(staff)s", who=heard, staff=signed_in_user().name)
    return AgreedBy(by if heard else "", language=customer.language)


def _page(customer: Customer, form: OffForm, *, status: int = 200) -> Response:
    autopay = autopay_of(customer.id)
    return render_page(
        "staff/autopay/show.html", status=status, customer=customer, autopay=autopay, form=form,
        method=method_for(autopay) if autopay else None, primary=primary_method(customer.id),
        page=find_charges(ChargeFilter(customer_id=customer.id), page_request()),
    )  # fmt: skip


def _terms_page(customer: Customer, form: TermsForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/autopay/terms.html", status=status, customer=customer, form=form,
        has_method=primary_method(customer.id) is not None or len(form.method_id.choices) > 1,
    )  # fmt: skip


def _words_page(customer: Customer, form: TermsForm, *, status: int = 200) -> Response:
    text = consent_to(customer, _words(customer, form), customer.language)
    return render_page(
        "staff/autopay/words.html", status=status, customer=customer, form=form, text=text,
        seal=seal_of(text),
    )  # fmt: skip
