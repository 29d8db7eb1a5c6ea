"""Statements as they were sent: the list, one of them, and the list to print."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import Ability
from portal.batches import start_print_runs
from portal.kernel.errors import DomainError
from portal.outbox import messages_about
from portal.statements import (
    StatementFilter,
    find_statements,
    get_statement,
    ids_to_print,
    mark_printed,
    revoke_link,
    statement_bytes,
    statement_link,
)
from portal.web import (
    filters,
    needs,
    notify,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("statements", __name__, url_prefix="/statements")


@bp.get("")
@needs(Ability.SEND_STATEMENTS)
def index() -> Response:
    wanted = filters(StatementFilter)
    return render_page(
        "staff/statements/index.html", fragment="rows", wanted=wanted,
        page=find_statements(wanted, page_request()),
    )  # fmt: skip


@bp.get("/<int:statement_id>")
@needs(Ability.SEND_STATEMENTS)
def show(statement_id: int) -> Response:
    statement = get_statement(statement_id)
    return render_page(
        "staff/statements/show.html", statement=statement, messages=messages_about(statement),
        link="" if statement.revoked_at else statement_link(statement.nonce),
    )  # fmt: skip


@bp.get("/<int:statement_id>/statement.pdf")
@needs(Ability.SEND_STATEMENTS)
def pdf(statement_id: int) -> Response:
    """The very bytes that were sent."""
    statement = get_statement(statement_id)
    name = f"statement-{statement.ends_on.isoformat()}-{statement.customer_id}.pdf"
    return pdf_response(statement_bytes(statement_id), name)


@bp.post("/<int:statement_id>/link/revoke")
@needs(Ability.SEND_STATEMENTS)
def revoke(statement_id: int) -> Response:
    revoke_link(get_statement(statement_id))
    notify(_("The link on this statement no longer works. The next statement has a new one."))
    return redirect_to("staff.statements.show", statement_id=statement_id)


@bp.get("/to-print")
@needs(Ability.SEND_STATEMENTS)
def to_print() -> Response:
    wanted = filters(StatementFilter)
    printing = StatementFilter(run_id=wanted.run_id, printing=True)
    return render_page(
        "staff/statements/to_print.html", fragment="rows", run_id=wanted.run_id,
        page=find_statements(printing, page_request()),
    )  # fmt: skip


@bp.post("/to-print")
@needs(Ability.SEND_STATEMENTS)
def printed() -> Response:
    ids = request.form.getlist("statements", type=int)
    if not ids:
        raise DomainError(_("Tick what you printed first."))
    _say_marked(len(mark_printed(ids)))
    return redirect_to("staff.statements.to_print")


@bp.post("/to-print/print-runs")
@needs(Ability.SEND_STATEMENTS)
def print_all() -> Response:
    """The list as one PDF by postcode; “Print and mark as sent” says so of them at once."""
    ids = ids_to_print(run_id=request.form.get("run_id", type=int))
    if not ids:
        raise DomainError(_("There is nothing to print."))
    runs = start_print_runs(_("Statements"), ids, by=signed_in_user(), document_kind="statement")
    if "mark" in request.form:
        _say_marked(len(mark_printed(ids)))
    if len(runs) > 1:
        return redirect_to("staff.print_runs.index")
    return redirect_to("staff.print_runs.show", run_id=runs[0].id)


def _say_marked(count: int) -> None:
    notify(ngettext("One statement is marked as sent.", "%(num)s are marked as sent.", count))
