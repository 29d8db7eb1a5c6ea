"""Payment plans: the list, one plan with its life, saying no, ending it."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _
from wtforms import TextAreaField

from portal.access import Ability
from portal.audit import trail_of
from portal.company import today
from portal.customers import get_customer
from portal.invoices import kept_to
from portal.kernel.errors import DomainError
from portal.models import PLAN, PaymentPlan, PlanState
from portal.payment_plans import (
    PlanFilter,
    agreement_pdf,
    can_be_told,
    charges_of,
    decline_plan,
    find_plans,
    get_plan,
    paused_because,
    replaced_by,
    withdraw_plan,
)
from portal.web import (
    Form,
    OnceField,
    filters,
    needs,
    notify,
    once,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
)

bp = Blueprint("payment_plans", __name__, url_prefix="/payment-plans")


class BecauseForm(Form):
    once = OnceField()
    because = TextAreaField("Why (the customer reads this)", render_kw={"rows": 3})


@bp.get("")
@needs(Ability.VIEW_PAYMENTS)
def index() -> Response:
    wanted, on = filters(PlanFilter), today()
    return render_page(
        "staff/payment_plans/index.html", fragment="rows", on=on,
        page=find_plans(wanted, page_request(), on=on),
        customer=get_customer(wanted.customer_id) if wanted.customer_id else None,
        states=[(one.value, one.value.capitalize()) for one in PlanState],
    )  # fmt: skip


@bp.get("/<int:plan_id>")
@needs(Ability.VIEW_PAYMENTS)
def show(plan_id: int) -> Response:
    plan, on = get_plan(plan_id), today()
    return render_page(
        "staff/payment_plans/show.html", plan=plan, on=on, progress=plan.progress(on),
        verbs=PLAN.verbs(plan.state), paused=_paused(plan), charges=charges_of(plan),
        successor=replaced_by(plan), trail=trail_of(plan), kept_to=bool(kept_to([plan], on=on)),
    )  # fmt: skip


@bp.get("/<int:plan_id>/agreement.pdf")
@needs(Ability.VIEW_PAYMENTS)
def pdf(plan_id: int) -> Response:
    return pdf_response(agreement_pdf(plan_id), f"{get_plan(plan_id).number}.pdf")


@bp.get("/<int:plan_id>/refusal")
@needs(Ability.PLAN_PAYMENTS)
def decline_question(plan_id: int) -> Response:
    return _ask(get_plan(plan_id), "decline", BecauseForm(formdata=None))


@bp.post("/<int:plan_id>/refusal")
@needs(Ability.PLAN_PAYMENTS)
def decline(plan_id: int) -> Response:
    return _carry_out(get_plan(plan_id), "decline")


@bp.get("/<int:plan_id>/withdrawal")
@needs(Ability.PLAN_PAYMENTS)
def withdraw_question(plan_id: int) -> Response:
    return _ask(get_plan(plan_id), "withdraw", BecauseForm(formdata=None))


@bp.post("/<int:plan_id>/withdrawal")
@needs(Ability.PLAN_PAYMENTS)
def withdraw(plan_id: int) -> Response:
    return _carry_out(get_plan(plan_id), "withdraw")


def _carry_out(plan: PaymentPlan, verb: str) -> Response:
    form = BecauseForm()
    try:
        if form.is_sent():
            return once(form, lambda: _end(plan, verb, form.because.data or ""))
    except DomainError as error:
        form.refuse(error)
    return _ask(plan, verb, form, status=422)


def _end(plan: PaymentPlan, verb: str, because: str) -> Response:
    if verb == "decline":
        told = decline_plan(plan, because=because)
    else:
        told = withdraw_plan(plan, because=because)
    if told:
        notify(_("Done. The customer is told by mail."))
    else:
        notify(_("Done. Nobody has an email address: please tell the customer."), "warning")
    return redirect_to("staff.payment_plans.show", plan_id=plan.id)


def _ask(plan: PaymentPlan, verb: str, form: BecauseForm, *, status: int = 200) -> Response:
    return render_page(
        "staff/payment_plans/ending.html", status=status, plan=plan, form=form, verb=verb,
        told=can_be_told(plan),
    )  # fmt: skip


def _paused(plan: PaymentPlan) -> str:
    return paused_because(plan) if plan.state is PlanState.ACTIVE else ""
