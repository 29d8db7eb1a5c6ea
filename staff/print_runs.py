"""Print runs: how far one is, stopping it, its PDF."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask_babel import gettext as _

from portal.access import Ability
from portal.batches import find_print_runs, get_print_run, stop_print_run
from portal.files import open_file
from portal.models import PrintRun, PrintState
from portal.web import (
    may,
    needs,
    notify,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
    require,
    signed_in_user,
)

bp = Blueprint("print_runs", __name__, url_prefix="/print-runs")


@bp.get("")
@needs(Ability.VIEW_INVOICES)
def index() -> Response:
    page = find_print_runs(page_request())
    return render_page("staff/print_runs/index.html", fragment="rows", page=page)


@bp.get("/<int:run_id>")
@needs(Ability.VIEW_INVOICES)
def show(run_id: int) -> Response:
    run = get_print_run(run_id)
    return render_page(
        "staff/print_runs/show.html", fragment="run", run=run, may_stop=_may_stop(run)
    )


@bp.post("/<int:run_id>/stop")
@needs(Ability.VIEW_INVOICES)
def stop(run_id: int) -> Response:
    run = get_print_run(run_id)
    if not _may_stop(run):
        require(Ability.BATCH_INVOICES)
    stop_print_run(run)
    notify(_("Stopped."))
    return redirect_to("staff.print_runs.show", run_id=run_id)


@bp.get("/<int:run_id>/documents.pdf")
@needs(Ability.VIEW_INVOICES)
def pdf(run_id: int) -> Response:
    run = get_print_run(run_id)
    if run.state is not PrintState.DONE:
        abort(404)
    try:
        return pdf_response(open_file(run.file_key), f"{run.title}.pdf")
    except OSError:
        abort(404)


def _may_stop(run: PrintRun) -> bool:
    """Who works with batches, and whoever asked for this one."""
    return may(Ability.BATCH_INVOICES) or run.started_by_id == signed_in_user().id
