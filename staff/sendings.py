"""Sending many: the question first, the progress, what became of each, and the list to print."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from portal.access import Ability
from portal.batches import start_print_runs
from portal.company import today
from portal.invoices import InvoiceFilter, ids_to_send, lock_in_order
from portal.kernel.errors import DomainError
from portal.models import SendingItemState, SendingRun, SendingState
from portal.outbox import mail_is_kept
from portal.sendings import (
    figures_of,
    figures_of_all,
    find_items,
    find_runs,
    find_to_print,
    get_run,
    ids_to_print,
    mark_printed,
    not_sent_by_rule,
    outlook,
    print_mark,
    sent_marks,
    start_run,
    stop_run,
)
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
from staff.questions import is_answered, sending_question, ticked
from staff.shown_ids import Difference, as_ranges, difference

bp = Blueprint("sendings", __name__)

MOST_TICKED = 200  # what a page of the list holds


class RunForm(Form):
    once = OnceField()


@bp.post("/invoices/sendings")
@needs(Ability.SEND_INVOICES)
def send_ticked() -> Response:
    """The bulk bar: what is ticked is looked at one by one, then sent by the worker."""
    ids = ticked()
    if len(ids) > MOST_TICKED:
        raise DomainError(_("Narrow the list and send all that match instead."))
    lock_in_order(ids)
    asked = sending_question(ids)
    if not is_answered(asked) and not is_repeat(RunForm()):
        return _ask(ids, url_for("staff.sendings.send_ticked"), asked=asked)
    return _start([one.invoice.id for one in asked.rows])


@bp.get("/sendings/new")
@needs(Ability.SEND_INVOICES)
def new() -> Response:
    """All that match the list's filters, counted."""
    return _ask(_matching(), _address())


@bp.post("/sendings")
@needs(Ability.SEND_INVOICES)
def create() -> Response:
    """Asked again when others match by now, as many or not: what was confirmed is what is sent."""
    ids = _matching()
    if request.form.get("seen") != _seen(ids) and not is_repeat(RunForm()):
        return _ask(ids, _address(), changed="seen" in request.form, other=difference(ids))
    return _start(ids)


@bp.get("/sendings")
@needs(Ability.SEND_INVOICES)
def index() -> Response:
    page = find_runs(page_request())
    return render_page(
        "staff/sendings/index.html", fragment="rows", page=page,
        figures=figures_of_all(page.rows),
        left_out=not_sent_by_rule(page_request(size=10)).total,
    )  # fmt: skip


@bp.get("/sendings/<int:run_id>")
@needs(Ability.SEND_INVOICES)
def show(run_id: int) -> Response:
    run = get_run(run_id)
    figures = figures_of(run)
    state = request.args.get("state", "")
    known = SendingItemState(state) if state in list(SendingItemState) else None
    return render_page(
        "staff/sendings/show.html", fragment="run", run=run, figures=figures,
        page=find_items(run, page_request(), state=known), left=_left(run, figures.rate),
        states=[(one.value, _state_words(one)) for one in SendingItemState], kept=mail_is_kept(),
    )  # fmt: skip


@bp.post("/sendings/<int:run_id>/stop")
@needs(Ability.SEND_INVOICES)
def stop(run_id: int) -> Response:
    stop_run(get_run(run_id))
    notify(_("Stopped. Messages made so far go their way; the rest was not sent."), "warning")
    return redirect_to("staff.sendings.show", run_id=run_id)


@bp.get("/sendings/to-print")
@needs(Ability.SEND_INVOICES)
def to_print() -> Response:
    return render_page(
        "staff/sendings/to_print.html", fragment="rows", page=find_to_print(page_request()),
        print_mark=print_mark,
    )  # fmt: skip


@bp.post("/sendings/to-print")
@needs(Ability.SEND_INVOICES)
def printed() -> Response:
    ids = request.form.getlist("items", type=int)
    if not ids:
        raise DomainError(_("Tick what you printed first."))
    sent = {one: request.form[f"shown-{one}"] for one in ids if f"shown-{one}" in request.form}
    done = mark_printed(ids, shown=sent)
    notify(ngettext("One invoice is marked as sent.", "%(num)s are marked as sent.", done))
    if done < len(set(ids)):
        notify(
            _("Some changed since this list was shown: print those that are left again."), "warning"
        )
    return redirect_to("staff.sendings.to_print")


@bp.get("/sendings/not-sent")
@needs(Ability.SEND_INVOICES)
def not_sent() -> Response:
    page = not_sent_by_rule(page_request())
    return render_page("staff/sendings/not_sent.html", fragment="rows", page=page)


@bp.post("/sendings/to-print/print-runs")
@needs(Ability.SEND_INVOICES)
def print_all() -> Response:
    """The whole list as one PDF, in its order; marking as sent stays a press of its own."""
    ids = ids_to_print()
    if not ids:
        raise DomainError(_("There is nothing to print."))
    runs = start_print_runs(_("List to print"), ids, by=signed_in_user())
    if len(runs) > 1:
        return redirect_to("staff.print_runs.index")
    return redirect_to("staff.print_runs.show", run_id=runs[0].id)


def _matching() -> list[int]:
    return ids_to_send(filters(InvoiceFilter), on=today())


def _seen(ids: Sequence[int]) -> str:
    """These very invoices and what each was sent so far, as a mark."""
    return hashlib.sha256(json.dumps(sorted(sent_marks(ids).items())).encode()).hexdigest()


def _address() -> str:
    return url_for("staff.sendings.create", **asked_for())


def _start(ids: Sequence[int]) -> Response:
    def act() -> Response:
        run = start_run(
            ids, again="again" in request.form, with_photos="photos" in request.form,
            by=signed_in_user(),
        )  # fmt: skip
        return redirect_to("staff.sendings.show", run_id=run.id)

    return once(RunForm(), act)


def _ask(
    ids: Sequence[int],
    address: str,
    *,
    asked: object = None,
    changed: bool = False,
    other: Difference | None = None,
) -> Response:
    return render_page(
        "staff/sendings/question.html", ids=ids, address=address, asked=asked,
        outlook=outlook(ids), seen="" if asked else _seen(ids),
        shown="" if asked else as_ranges(ids), other=other, form=RunForm(formdata=None),
        kept=mail_is_kept(),
        changed=changed or request.form.get("confirmed") == "yes",
    )  # fmt: skip


def _left(run: SendingRun, rate: float) -> str:
    """How long it will still take, roughly; empty while nobody can know."""
    if run.state is not SendingState.WAITING or rate <= 0:
        return ""
    seconds = figures_of(run).waiting / rate
    if seconds < 60:
        return str(_("less than a minute left"))
    return str(ngettext("about a minute left", "about %(num)s minutes left", round(seconds / 60)))


def _state_words(state: SendingItemState) -> str:
    return str(
        {
            SendingItemState.WAITING: _("Waiting"),
            SendingItemState.QUEUED: _("Queued"),
            SendingItemState.TO_PRINT: _("To print"),
            SendingItemState.REFUSED: _("Not sent"),
        }[state]
    )
