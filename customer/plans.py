"""My payment plans: reading and accepting an offer, paying what is due next."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request
from flask_babel import gettext as _

from customer.mine import me, my_plan
from customer.plan_wishes import who_may_ask
from portal.company import today
from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition
from portal.models import PaymentPlan, PlanState, SavedMethod
from portal.payment_collection import (
    CheckoutWanted,
    has_gateway,
    methods_of,
    seal_of,
    start_checkout,
    why_not,
)
from portal.payment_plans import (
    Agreed,
    accept_plan,
    agreement_pdf,
    can_be_told,
    changes_since_offer,
    decline_plan,
    due_now,
    ended_words,
    paused_words,
    plans_of,
    shares_to_pay,
    terms_text,
)
from portal.web import (
    notify,
    payers_only,
    pdf_response,
    redirect_to,
    render_page,
)

bp = Blueprint("plans", __name__, url_prefix="/plans")


@bp.get("")
@payers_only
def index() -> Response:
    return render_page("customer/plans/index.html", plans=plans_of(me().customer_ids),
                       may_ask=bool(who_may_ask()), on=today())  # fmt: skip


@bp.get("/<int:plan_id>")
@payers_only
def show(plan_id: int) -> Response:
    return _page(my_plan(plan_id))


@bp.get("/<int:plan_id>/agreement.pdf")
@payers_only
def pdf(plan_id: int) -> Response:
    plan = my_plan(plan_id)
    return pdf_response(agreement_pdf(plan.id), f"{plan.number}.pdf")


@bp.post("/<int:plan_id>/acceptance")
@payers_only
def accept(plan_id: int) -> Response:
    plan = _payable(my_plan(plan_id))
    try:
        if "agreed" not in request.form:
            raise DomainError(_("Tick that you agree to the terms."))
        mailed = accept_plan(plan, _agreed())
    except InvalidTransition:
        return _answered_before(plan_id, PlanState.ACTIVE, _agreed_words(can_be_told(plan)))
    except DomainError as error:
        return _refused(plan_id, error)
    return _done(plan, _agreed_words(mailed))


@bp.post("/<int:plan_id>/refusal")
@payers_only
def decline(plan_id: int) -> Response:
    plan = _payable(my_plan(plan_id))
    try:
        decline_plan(plan, because=request.form.get("because", ""), by_customer=True)
    except InvalidTransition:
        return _answered_before(plan_id, PlanState.DECLINED, _declined_words())
    except DomainError as error:
        return _refused(plan_id, error)
    return _done(plan, _declined_words())


@bp.post("/<int:plan_id>/payment")
@payers_only
def pay(plan_id: int) -> Response:
    """One press: the normal checkout with what is due on the plan."""
    plan = _payable(my_plan(plan_id))
    try:
        shares = shares_to_pay(plan, due_now(plan, today()))
        wanted = CheckoutWanted(
            shares=shares, started_by=me().email, return_path="/my/pay/back/",
            email=me().email, language=me().language,
        )  # fmt: skip
        return redirect(start_checkout(wanted), 303)  # type: ignore[return-value]
    except DomainError as error:
        return _refused(plan_id, error)


def _agreed() -> Agreed:
    return Agreed(
        given_by=f"{me().name} <{me().email}>", seen=request.form.get("seen", ""),
        language=me().language, address=request.remote_addr or "",
        agent=request.user_agent.string, method_id=request.form.get("method_id", type=int),
    )  # fmt: skip


def _payable(plan: PaymentPlan) -> PaymentPlan:
    if not me().may_pay(plan.customer_id):
        raise DomainError(_("You may see this plan but not agree to it or pay it."))
    return plan


def _agreed_words(mailed: bool) -> str:
    copy = _("We sent you a copy by mail.") if mailed else _("You find the agreement on this page.")
    return " ".join((_("Agreed. Thank you!"), copy))


def _declined_words() -> str:
    return str(_("Declined. We know now that you do not want this plan."))


def _done(plan: PaymentPlan, sentence: str) -> Response:
    notify(sentence)
    return redirect_to("customer.plans.show", plan_id=plan.id)


def _answered_before(plan_id: int, wished: PlanState, sentence: str) -> Response:
    """A second press finds what it wished for; another answer came before on the plan's page."""
    plan = my_plan(plan_id)
    if plan.state is wished:
        return _done(plan, sentence)
    late = _("This plan was answered or changed before. Here is how it stands now.")
    return _page(plan, error=late, status=422)


def _refused(plan_id: int, error: DomainError) -> Response:
    """Said on the page of the plan as it is now; what was begun was rolled back."""
    sentences = error.errors.values() if isinstance(error, InvalidFields) else [str(error)]
    return _page(my_plan(plan_id), error=" ".join(sentences), status=422)


def _page(plan: PaymentPlan, *, error: str = "", status: int = 200) -> Response:
    on, offered = today(), plan.state is PlanState.PROPOSED
    terms = terms_text(plan, me().language) if offered else ""
    return render_page(
        "customer/plans/show.html", status=status, plan=plan, on=on, error=error,
        progress=plan.progress(on), terms=terms, seen=seal_of(terms),
        changed=changes_since_offer(plan) if offered else [],
        methods=_chargeable(plan) if offered and plan.automatic else [],
        due=due_now(plan, on) if plan.state is PlanState.ACTIVE else None,
        paused=paused_words(plan) if plan.state is PlanState.ACTIVE else "",
        ended=ended_words(plan), can_act=me().may_pay(plan.customer_id), can_pay=has_gateway(),
    )  # fmt: skip


def _chargeable(plan: PaymentPlan) -> list[SavedMethod]:
    return [one for one in methods_of(plan.customer) if not why_not(one)]
