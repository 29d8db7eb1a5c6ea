"""Import: upload, say what the columns mean, check, save all or nothing."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.imports import (
    SHAPES,
    all_problems_of,
    ask_for_check,
    ask_for_saving,
    find_runs,
    get_run,
    problems_of,
    progress_of,
    start_run,
)
from portal.kernel.errors import InvalidFields
from portal.models import ImportSubject
from portal.web import (
    csv_response,
    needs,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.choices import chosen

bp = Blueprint("imports", __name__, url_prefix="/imports")


@bp.get("")
@needs(Ability.IMPORT)
def index() -> Response:
    return _index()


@bp.post("")
@needs(Ability.IMPORT)
def create() -> Response:
    upload = request.files.get("file")
    try:
        if upload is None or not upload.filename:
            raise InvalidFields({"file": _("Choose a file first.")})
        run = start_run(
            chosen(ImportSubject, request.form.get("subject", "")), upload.stream,
            name=upload.filename, by=signed_in_user(),
        )  # fmt: skip
    except InvalidFields as error:
        return _index(error=str(error), status=422)
    return redirect_to("staff.imports.show", run_id=run.id)


@bp.get("/<int:run_id>")
@needs(Ability.IMPORT)
def show(run_id: int) -> Response:
    run = get_run(run_id)
    return render_page(
        "staff/imports/show.html", fragment="run", run=run, columns=SHAPES[run.subject],
        problems=problems_of(run, page_request()), done=progress_of(run),
    )  # fmt: skip


@bp.get("/<int:run_id>/problems.csv")
@needs(Ability.IMPORT)
def problems_file(run_id: int) -> Response:
    rows = [(one.row_number, one.column, one.sentence) for one in all_problems_of(get_run(run_id))]
    titles = (_("Row"), _("Column"), _("Why"))
    return csv_response(titles, rows, f"bad-rows-{run_id}.csv")


@bp.post("/<int:run_id>/check")
@needs(Ability.IMPORT)
def check(run_id: int) -> Response:
    run = get_run(run_id)
    mapping = {one.name: request.form.get(one.name, "") for one in SHAPES[run.subject]}
    ask_for_check(run, mapping)
    return redirect_to("staff.imports.show", run_id=run_id)


@bp.post("/<int:run_id>/saving")
@needs(Ability.IMPORT)
def save(run_id: int) -> Response:
    ask_for_saving(get_run(run_id))
    return redirect_to("staff.imports.show", run_id=run_id)


def _index(*, error: str = "", status: int = 200) -> Response:
    return render_page(
        "staff/imports/index.html", status=status, page=find_runs(page_request()), error=error,
        subjects=list(ImportSubject), picked=request.form.get("subject", "customers"),
    )  # fmt: skip
