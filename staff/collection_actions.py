"""What a collector does with a case, each on a page of its own: call, promise, dispute …"""

from __future__ import annotations

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.dunning import (
    addresses_of,
    disputes_of_customer,
    get_promise,
    opt_in,
    opt_outs_of,
    permission,
    resolve_dispute,
    withdraw_dispute,
    withdraw_promise,
)
from portal.kernel.errors import DomainError, NeedsConfirmation, NotAllowed
from portal.models import (
    ContactWay,
    DunningCase,
)
from portal.web import (
    needs,
    notify,
    once,
    redirect_to,
    render_page,
)
from staff.choices import row_of
from staff.collection_form import CaseForm
from staff.collection_forms import ACTIONS, Action
from staff.collections import case_for

bp = Blueprint("collection_actions", __name__, url_prefix="/collections/<int:case_id>")


@bp.get("/<what>")
@needs(Ability.WORK_COLLECTIONS)
def ask(case_id: int, what: str) -> Response:
    case, action = _known(case_id, what)
    form = action.form(formdata=None)
    form.prepare(case)
    return _page(case, what, form)


@bp.post("/<what>")
@needs(Ability.WORK_COLLECTIONS)
def carry_out(case_id: int, what: str) -> Response:
    case, action = _known(case_id, what)
    form = action.form()
    form.prepare(case)
    question = ""
    try:
        if form.is_sent():
            return once(form, lambda: _done(case, form))
    except NeedsConfirmation as doubt:
        question = str(doubt)
    except NotAllowed:
        raise
    except DomainError as error:
        form.refuse(error)
    return _page(case, what, form, question=question, status=422)


@bp.post("/promises/<int:promise_id>/withdrawal")
@needs(Ability.WORK_COLLECTIONS)
def take_back_promise(case_id: int, promise_id: int) -> Response:
    case, row = case_for(case_id), get_promise(promise_id)
    row_of([row] if row.customer_id == case.customer_id else [], promise_id)
    withdraw_promise(row, because=request.form.get("because", ""))
    notify(_("The promise does not count any more."))
    return _back(case)


@bp.post("/disputes/<int:dispute_id>/outcome")
@needs(Ability.WORK_COLLECTIONS)
def end_dispute(case_id: int, dispute_id: int) -> Response:
    case = case_for(case_id)
    row = row_of(disputes_of_customer(case.customer_id), dispute_id)
    words = request.form.get("outcome", "")
    if request.form.get("verb") == "withdraw":
        withdraw_dispute(row, because=words)
    else:
        resolve_dispute(row, outcome=words)
    notify(_("Noted; reminders go on."))
    return _back(case)


@bp.post("/opt-outs/<int:opt_id>/end")
@needs(Ability.WORK_COLLECTIONS)
def end_opt_out(case_id: int, opt_id: int) -> Response:
    case = case_for(case_id)
    opt_in(row_of(opt_outs_of(case.customer), opt_id), because=request.form.get("because", ""))
    notify(_("Noted."))
    return _back(case)


def _known(case_id: int, what: str) -> tuple[DunningCase, Action]:
    if what not in ACTIONS:
        abort(404)
    return case_for(case_id), ACTIONS[what]


def _done(case: DunningCase, form: CaseForm) -> Response:
    notify(form.act(case))
    return _back(case)


def _back(case: DunningCase) -> Response:
    return redirect_to("staff.collections.show", case_id=case.id)


def _page(
    case: DunningCase, what: str, form: CaseForm, *, question: str = "", status: int = 200
) -> Response:
    guard = None
    if what == "calls":
        number = next(iter(addresses_of(case.customer, ContactWay.CALL)), None)
        guard = permission(case.customer, number) if number and not number.problem else None
    return render_page(
        "staff/collections/action.html", status=status, case=case, form=form, what=what,
        action=ACTIONS[what], question=question, guard=guard,
    )  # fmt: skip
