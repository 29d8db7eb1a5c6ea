"""Collections: the collector's day, one case with everything about it, proposals, the effect."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import StringField

from portal.access import Ability
from portal.company import today
from portal.dunning import (
    CaseSort,
    WorklistFilter,
    addresses_of,
    approve_write_off,
    collectors,
    contacts_with,
    decline_write_off,
    disputes_of_customer,
    dunning_rules,
    find_cases,
    finish_step,
    get_case,
    get_proposal,
    in_words,
    letter_of,
    live_case_of,
    next_case,
    open_items_of,
    opt_outs_of,
    permission,
    policies,
    promises_of,
    proposals_of,
    proposals_waiting,
    run_now,
    send_now,
    sight_of,
    standing_of,
    sum_of_cases,
    uplift,
    wake_up,
)
from portal.kernel.errors import DomainError, NotAllowed, NotFound
from portal.models import ContactWay, DunningCase, DunningStep
from portal.reports import customer_timeline
from portal.web import (
    Form,
    OnceField,
    filters,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
    words_of,
)
from staff.choices import row_of
from staff.customer_timeline import links_of

bp = Blueprint("collections", __name__, url_prefix="/collections")


class DecisionForm(Form):
    once = OnceField()
    because = StringField("Why not")


@bp.get("")
@needs(Ability.WORK_COLLECTIONS)
def index() -> Response:
    wanted, sight = filters(WorklistFilter), sight_of(signed_in_user())
    return render_page(
        "staff/collections/index.html", fragment="rows", on=today(), wanted=wanted,
        page=find_cases(wanted, page_request(), sight), sums=sum_of_cases(wanted, sight),
        sorts=[(one.value, words_of(one)) for one in CaseSort if one is not CaseSort.TO_DO],
        people=[(0, _("Nobody")), *((one.id, one.name) for one in collectors())],
        policies=[(one.id, one.name) for one in policies()], rules=dunning_rules(),
        everybody=sight.everybody, waiting=len(proposals_waiting()),
    )  # fmt: skip


@bp.get("/<int:case_id>")
@needs(Ability.WORK_COLLECTIONS)
def show(case_id: int) -> Response:
    case = case_for(case_id)
    customer, on = case.customer, today()
    trail = customer_timeline(customer.id, page_request(size=20, name="events_page"))
    return render_page(
        "staff/collections/show.html", fragment="events", case=case, customer=customer, on=on,
        items=open_items_of([customer.id], on=on).get(customer.id, []),
        calls=_ways(case), standing=standing_of(customer.id), opted=opt_outs_of(customer),
        contacts=contacts_with(customer.id, page_request(size=10, name="contacts_page")),
        promises=promises_of(customer.id), disputes=disputes_of_customer(customer.id),
        proposals=proposals_of(case), after=next_case(case, sight_of(signed_in_user())),
        trail=trail, links=links_of(trail.rows), in_words=in_words, form=DecisionForm(None),
    )  # fmt: skip


@bp.post("/refreshing")
@needs(Ability.WORK_COLLECTIONS)
def refresh() -> Response:
    """Do now what the hour does by itself."""
    run_now()
    notify(_("Every account was looked at."))
    return redirect_to("staff.collections.index")


@bp.get("/of-customer/<int:customer_id>")
@needs(Ability.WORK_COLLECTIONS)
def of_customer(customer_id: int) -> Response:
    case = live_case_of(customer_id)
    if case is None:
        notify(_("Nothing of this customer is being collected."))
        return redirect_to("staff.customers.show", customer_id=customer_id)
    return redirect_to("staff.collections.show", case_id=case_for(case.id).id)


@bp.get("/<int:case_id>/steps/<int:step_id>")
@needs(Ability.WORK_COLLECTIONS)
def look(case_id: int, step_id: int) -> Response:
    """The reminder as it would leave, with whom it may reach now."""
    case, step = _step(case_id, step_id)
    return _preview(case, step, DecisionForm(formdata=None))


@bp.post("/<int:case_id>/steps/<int:step_id>/sending")
@needs(Ability.WORK_COLLECTIONS)
def send(case_id: int, step_id: int) -> Response:
    (case, step), form = _step(case_id, step_id), DecisionForm()
    try:
        if form.is_sent():
            return once(form, lambda: _send(case, step))
    except DomainError as error:
        form.refuse(error)
    return _preview(case, step, form, status=422)


@bp.post("/<int:case_id>/steps/<int:step_id>/completion")
@needs(Ability.WORK_COLLECTIONS)
def complete(case_id: int, step_id: int) -> Response:
    case, step = _step(case_id, step_id)
    finish_step(step)
    notify(_("Done: %(s)s.", s=step.stage.name))
    return redirect_to("staff.collections.show", case_id=case.id)


@bp.post("/<int:case_id>/waking")
@needs(Ability.WORK_COLLECTIONS)
def wake(case_id: int) -> Response:
    wake_up(case_for(case_id))
    notify(_("It is in the list again."))
    return redirect_to("staff.collections.show", case_id=case_id)


@bp.get("/write-offs")
@needs(Ability.VIEW_RECEIVABLES)
def write_offs() -> Response:
    return render_page("staff/collections/write_offs.html", rows=proposals_waiting(),
                       form=DecisionForm(None))  # fmt: skip


@bp.post("/write-offs/<int:proposal_id>/approval")
@needs(Ability.WRITE_OFF)
def approve(proposal_id: int) -> Response:
    form = DecisionForm(request.form)
    return once(form, lambda: _approve(proposal_id))


@bp.post("/write-offs/<int:proposal_id>/refusal")
@needs(Ability.WRITE_OFF)
def decline(proposal_id: int) -> Response:
    row, form = get_proposal(proposal_id), DecisionForm(request.form)
    try:
        decline_write_off(row, because=form.because.data or "", by=signed_in_user())
    except NotAllowed:
        raise
    except DomainError as error:
        form.refuse(error)
        return render_page("staff/collections/write_offs.html", status=422, form=form,
                           rows=proposals_waiting(), about=row.id)  # fmt: skip
    notify(_("Declined. The collector sees why."))
    return redirect_to("staff.collections.write_offs")


@bp.get("/effect")
@needs(Ability.MANAGE_COLLECTIONS)
def effect() -> Response:
    return render_page("staff/collections/effect.html", uplift=uplift(), rules=dunning_rules())


def case_for(case_id: int) -> DunningCase:
    """The case, if this person may see it; a foreign one is not there."""
    return get_case(case_id, sight_of(signed_in_user()))


def _approve(proposal_id: int) -> Response:
    document = approve_write_off(get_proposal(proposal_id), by=signed_in_user())
    notify(_("Written off with %(n)s.", n=document.number))
    return redirect_to("staff.invoices.show", invoice_id=document.id)


def _send(case: DunningCase, step: DunningStep) -> Response:
    send_now(step)
    notify(step.sentence)
    return redirect_to("staff.collections.show", case_id=case.id)


def _step(case_id: int, step_id: int) -> tuple[DunningCase, DunningStep]:
    case = case_for(case_id)
    return case, row_of(case.steps, step_id)


def _preview(
    case: DunningCase, step: DunningStep, form: DecisionForm, *, status: int = 200
) -> Response:
    if step.stage.action not in ("email", "sms"):
        raise NotFound(_("This stage is nothing to send."))
    way, on, customer = ContactWay(step.stage.action), today(), case.customer
    items = open_items_of([customer.id], on=on).get(customer.id, [])
    items = [one for one in items if one.chaseable and one.is_overdue(on)]
    return render_page(
        "staff/collections/sending.html", status=status, case=case, step=step, form=form, way=way,
        to=[(one, None if one.problem else permission(customer, one))
            for one in addresses_of(customer, way)],
        letter=letter_of(step.stage, way, customer, items, makes_link=False) if items else None,
    )  # fmt: skip


def _ways(case: DunningCase) -> list[tuple[object, object]]:
    """Each number of the customer with whether it may be called now."""
    found = addresses_of(case.customer, ContactWay.CALL)
    return [(one, None if one.problem else permission(case.customer, one)) for one in found]
