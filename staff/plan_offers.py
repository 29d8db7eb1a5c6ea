"""Offering a payment plan: what is computed and why, everything editable, seen before it goes."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from wtforms import BooleanField, HiddenField, IntegerField, TextAreaField
from wtforms.validators import InputRequired

from portal.access import Ability
from portal.company import today
from portal.customers import get_customer
from portal.kernel.errors import DomainError, NotFound
from portal.models import Customer, PaymentPlan, PlanRhythm, PlanState
from portal.payment_collection import methods_of
from portal.payment_plans import (
    Choice,
    PlanFilter,
    PlanTerms,
    Preview,
    Proposal,
    can_be_told,
    choices_for,
    get_plan,
    guard_rails,
    offer_plan,
    preview_plan,
    propose,
)
from portal.web import (
    ChoiceField,
    DayField,
    Form,
    MoneyField,
    OnceField,
    filters,
    needs,
    notify,
    once,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("plan_offers", __name__, url_prefix="/payment-plans")


class OfferForm(Form):
    once = OnceField()
    plan_id = HiddenField()
    replaces_id = HiddenField()
    amount = MoneyField(later("Amount of the plan"), required=False)
    payments = IntegerField(later("Payments"), validators=[InputRequired()],
                            render_kw={"min": 1, "inputmode": "numeric"})  # fmt: skip
    rhythm = ChoiceField(later("How often"), PlanRhythm)
    first_on = DayField(later("First payment on"), required=True)
    automatic = BooleanField(later("Charged by itself to what the customer saved"))
    note = TextAreaField(later("Note for the office"), render_kw={"rows": 2})


@bp.get("/new")
@needs(Ability.PLAN_PAYMENTS)
def new() -> Response:
    """For a customer, as the answer to a wish (`plan_id`), or in place of a plan."""
    answers, replaces = _plan("plan_id"), _plan("replaces_id")
    known = answers or replaces
    customer = known.customer if known else get_customer(filters(PlanFilter).customer_id or 0)
    wished = [share.invoice for share in known.shares if share.invoice.balance] if known else []
    rhythm = answers.rhythm if answers and answers.state is PlanState.ASKED else None
    proposal = propose(customer, on=today(), invoices=wished, rhythm=rhythm)
    form = _proposed(proposal, answers, replaces)
    ids = [one.id for one in proposal.invoices] if proposal else []
    return _page(customer, form, ids, proposal=proposal)


@bp.post("/<int:customer_id>/preview")
@needs(Ability.PLAN_PAYMENTS)
def look(customer_id: int) -> Response:
    """The instalments anew while somebody types; saves nothing."""
    form = OfferForm()
    form.is_sent()
    return _page(get_customer(customer_id), form, _ticked())


@bp.post("/<int:customer_id>")
@needs(Ability.PLAN_PAYMENTS)
def create(customer_id: int) -> Response:
    customer, form = get_customer(customer_id), OfferForm()
    try:
        if form.is_sent():
            return once(form, lambda: _offer(customer, form))
    except DomainError as error:
        form.refuse(error)
    return _page(customer, form, _ticked(), status=422)


def _offer(customer: Customer, form: OfferForm) -> Response:
    chosen = choices_for(customer, besides=_besides(customer, form))
    plan = offer_plan(
        customer, _terms(form, chosen, _ticked()), by=signed_in_user().name,
        plan=_plan_of(form.plan_id.data), replaces=_plan_of(form.replaces_id.data),
    )  # fmt: skip
    if can_be_told(plan):
        notify(_("Offered. The customer gets it by mail and finds it in the portal."))
    else:
        notify(_("Offered. Nobody has an email address: please tell the customer."), "warning")
    return redirect_to("staff.payment_plans.show", plan_id=plan.id)


def _page(
    customer: Customer, form: OfferForm, ids: list[int], *,
    proposal: Proposal | None = None, status: int = 200,
) -> Response:  # fmt: skip
    choices = choices_for(customer, besides=_besides(customer, form))
    replaces, answers = _plan_of(form.replaces_id.data), _plan_of(form.plan_id.data)
    preview, problem = _preview(customer, form, choices, ids)
    ticked = [one.invoice for one in choices if one.invoice.id in ids]
    computed = proposal or propose(customer, on=today(), invoices=ticked)
    return render_page(
        "staff/payment_plans/form.html", fragment="preview", status=status, customer=customer,
        form=form, choices=choices, ids=ids, preview=preview,
        problem="" if problem in _said(form) else problem,
        reasons=computed.reasons if computed else [],
        replaces=replaces, answers=answers, rails=guard_rails(), methods=methods_of(customer),
    )  # fmt: skip


def _preview(
    customer: Customer, form: OfferForm, choices: list[Choice], ids: list[int]
) -> tuple[Preview | None, str]:
    """What the fields come to, or why that cannot be said yet."""
    if not (form.payments.data and form.rhythm.data and form.first_on.data):
        return None, ""
    try:
        preview = preview_plan(
            customer, _terms(form, choices, ids),
            plan=_plan_of(form.plan_id.data), replaces=_plan_of(form.replaces_id.data),
        )  # fmt: skip
    except DomainError as error:
        return None, str(error)
    return preview, preview.guard.sentence


def _said(form: OfferForm) -> list[str]:
    """What the form says itself, beside its fields or on top."""
    return [*form.form_errors, *(str(one) for field in form for one in field.errors)]


def _terms(form: OfferForm, choices: list[Choice], ids: list[int]) -> PlanTerms:
    """As typed; an empty amount is all that the ticked invoices owe."""
    return PlanTerms(
        invoices=[one.invoice for one in choices if one.invoice.id in ids],
        payments=form.payments.data or 0, rhythm=form.rhythm.data, first_on=form.first_on.data,
        amount=form.amount.data, automatic=bool(form.automatic.data), note=form.note.data or "",
    )  # fmt: skip


def _proposed(
    proposal: Proposal | None, answers: PaymentPlan | None, replaces: PaymentPlan | None
) -> OfferForm:
    form = OfferForm(formdata=None)
    form.plan_id.data = answers.id if answers else ""
    form.replaces_id.data = replaces.id if replaces else ""
    if proposal:
        form.payments.data, form.rhythm.data = proposal.payments, proposal.rhythm
        form.first_on.data = proposal.first_on
    else:
        form.payments.data, form.first_on.data = 2, today()
    return form


def _besides(customer: Customer, form: OfferForm) -> list[PaymentPlan]:
    """The plans the form speaks of; NotFound for another customer's."""
    known = (_plan_of(form.plan_id.data), _plan_of(form.replaces_id.data))
    found = [one for one in known if one is not None]
    if any(one.customer_id != customer.id for one in found):
        raise NotFound(_("No such payment plan of this customer."))
    return found


def _plan(name: str) -> PaymentPlan | None:
    return _plan_of(request.args.get(name))


def _plan_of(value: object) -> PaymentPlan | None:
    """The plan a form speaks of, or None for nothing and for what is no number."""
    return get_plan(int(str(value))) if re.fullmatch(r"[0-9]{1,9}", str(value or "")) else None


def _ticked() -> list[int]:
    return request.form.getlist("ids", type=int)
