"""Bulk charge: who and how much first, then the question, the progress, and what became of each."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from flask_babel import ngettext

from portal.access import Ability
from portal.company import today
from portal.models import ChargeState
from portal.payment_collection import (
    Preview,
    figures_of_charge_runs,
    find_charge_runs,
    find_run_charges,
    get_charge_run,
    has_gateway,
    outcomes_workbook,
    preview_charges,
    start_charge_run,
    stop_charge_run,
)
from portal.receivables import AgingFilter, customers_owing
from portal.web import (
    Form,
    OnceField,
    asked_for,
    filters,
    is_repeat,
    needs,
    notify,
    once,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("bulk_charges", __name__, url_prefix="/bulk-charges")

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
STATES = {
    ChargeState.WAITING: later("Waiting"),
    ChargeState.CHARGING: later("On its way"),
    ChargeState.SUCCEEDED: later("Charged"),
    ChargeState.GIVEN_UP: later("Failed"),
    ChargeState.CANCELLED: later("Not charged"),
}


class RunForm(Form):
    once = OnceField()


@bp.get("")
@needs(Ability.BULK_CHARGE)
def index() -> Response:
    page = find_charge_runs(page_request())
    return render_page(
        "staff/bulk_charges/index.html", fragment="rows", page=page,
        figures=figures_of_charge_runs(page.rows),
    )  # fmt: skip


@bp.get("/new")
@needs(Ability.BULK_CHARGE)
def new() -> Response:
    """Those ticked, or all that the list of receivables lets through, with amounts and total."""
    return _ask(preview_charges(_asked_for()))


@bp.post("")
@needs(Ability.BULK_CHARGE)
def create() -> Response:
    """Refused when others would be charged, or other amounts, than was shown.

    A second press leads to the run the first one made: by then nobody is left to charge.
    """
    ids = _asked_for()
    preview = preview_charges(ids)
    fits = request.form.get("seal") == preview.seal and bool(preview.ready)
    if not fits and not is_repeat(RunForm()):
        return _ask(preview, changed="seal" in request.form, status=422)

    def act() -> Response:
        run = start_charge_run(ids, seal=preview.seal, by=signed_in_user())
        return redirect_to("staff.bulk_charges.show", run_id=run.id)

    return once(RunForm(), act)


@bp.get("/<int:run_id>")
@needs(Ability.BULK_CHARGE)
def show(run_id: int) -> Response:
    run = get_charge_run(run_id)
    state = request.args.get("state", "")
    known = ChargeState(state) if state in list(ChargeState) else None
    return render_page(
        "staff/bulk_charges/show.html", fragment="run", run=run,
        figures=figures_of_charge_runs([run])[run.id],
        page=find_run_charges(run, page_request(), state=known),
        states=[(one.value, words) for one, words in STATES.items()],
    )  # fmt: skip


@bp.post("/<int:run_id>/stop")
@needs(Ability.BULK_CHARGE)
def stop(run_id: int) -> Response:
    stop_charge_run(get_charge_run(run_id))
    notify(_("Stopped. What was charged stays charged; nobody else is."), "warning")
    return redirect_to("staff.bulk_charges.show", run_id=run_id)


@bp.get("/<int:run_id>/outcomes.xlsx")
@needs(Ability.BULK_CHARGE)
def workbook(run_id: int) -> Response:
    file = outcomes_workbook(get_charge_run(run_id))
    name = f"bulk-charge-{run_id}.xlsx"
    return send_file(file, mimetype=XLSX, as_attachment=True, download_name=name)


def _asked_for() -> list[int]:
    ticked = request.args.getlist("customer", type=int)
    return ticked or customers_owing(filters(AgingFilter), on=today())


def _question_args() -> dict[str, Any]:
    """The address of the question again: those ticked, or the filters."""
    ticked = request.args.getlist("customer", type=int)
    return {"customer": ticked} if ticked else asked_for()


def _ask(preview: Preview, *, changed: bool = False, status: int = 200) -> Response:
    title = ngettext(
        "Charge this customer's saved method?",
        "Charge the saved methods of %(num)s customers?",
        len(preview.ready),
    )
    return render_page(
        "staff/bulk_charges/question.html", status=status, preview=preview, title=title,
        address=url_for("staff.bulk_charges.create", **_question_args()),
        form=RunForm(formdata=None), changed=changed, can_charge=has_gateway(),
    )  # fmt: skip
