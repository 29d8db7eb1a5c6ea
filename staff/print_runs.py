"""Print runs: how far one is, stopping it, its PDF."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask_babel import gettext as _

from portal.access import Ability
from portal.batches import find_print_runs, get_print_run, stop_print_run
from portal.files import open_file
from portal.models import PrintState
from portal.web import (
    needs,
    notify,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
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
    return render_page("staff/print_runs/show.html", fragment="run", run=get_print_run(run_id))


@bp.post("/<int:run_id>/stop")
@needs(Ability.VIEW_INVOICES)
def stop(run_id: int) -> Response:
    stop_print_run(get_print_run(run_id))
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
