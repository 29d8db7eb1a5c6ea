"""Posting a batch and taking it back: the question first, then it is done."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.access import Ability
from portal.batches import (
    ask_for_posting,
    ask_for_unposting,
    count_warnings,
    get_batch,
    named_in,
    print_batch,
    refused_warnings,
    seen_of,
    sum_of,
    sums_by_kind,
)
from portal.kernel.errors import DomainError, NotAllowed
from portal.models import Batch, WhenRefused
from portal.web import may, needs, redirect_to, render_page, signed_in_user
from staff.choices import chosen

bp = Blueprint("batch_posting", __name__, url_prefix="/batches/<int:batch_id>")


@bp.get("/posting")
@needs(Ability.POST_INVOICES)
def question(batch_id: int) -> Response:
    return _ask(get_batch(batch_id))


@bp.post("/posting")
@needs(Ability.POST_INVOICES)
def post(batch_id: int) -> Response:
    batch = get_batch(batch_id)
    _refuse_without_payments(batch)
    seen = request.form.get("seen")
    if seen != seen_of(batch):
        return _ask(batch, again=seen is not None)
    wanted = chosen(WhenRefused, request.form.get("when_refused", ""))
    ask_for_posting(batch, when_refused=wanted, by=signed_in_user(), seen=seen)
    return redirect_to("staff.batches.show", batch_id=batch.id)


@bp.get("/unposting")
@needs(Ability.UNPOST_INVOICES)
def unpost_question(batch_id: int) -> Response:
    return _ask_unposting(get_batch(batch_id))


@bp.post("/unposting")
@needs(Ability.UNPOST_INVOICES)
def unpost(batch_id: int) -> Response:
    batch = get_batch(batch_id)
    _refuse_without_payments(batch)
    because = request.form.get("because", "")
    try:
        ask_for_unposting(batch, because=because, by=signed_in_user())
    except DomainError as error:
        return _ask_unposting(batch, refused=str(error), because=because)
    return redirect_to("staff.batches.show", batch_id=batch.id)


@bp.post("/print-runs")
@needs(Ability.BATCH_INVOICES)
def print_all(batch_id: int) -> Response:
    runs = print_batch(get_batch(batch_id), by=signed_in_user())
    if len(runs) > 1:
        return redirect_to("staff.batches.show", batch_id=batch_id)
    return redirect_to("staff.print_runs.show", run_id=runs[0].id)


def _refuse_without_payments(batch: Batch) -> None:
    if sum_of(batch).payments and not may(Ability.POST_PAYMENTS):
        raise NotAllowed(_("This batch holds payments, which your role may not post."))


def _ask(batch: Batch, *, again: bool = False) -> Response:
    counts, stop = count_warnings(batch), refused_warnings()
    return render_page(
        "staff/batches/question.html", batch=batch, held=sum_of(batch), again=again,
        sums=sums_by_kind(batch), seen=seen_of(batch),
        named=named_in(batch, counts),
        refused={one: count for one, count in counts.items() if one in stop},
        warnings={one: count for one, count in counts.items() if one not in stop},
    )  # fmt: skip


def _ask_unposting(batch: Batch, *, refused: str = "", because: str = "") -> Response:
    return render_page(
        "staff/batches/unposting.html", status=422 if refused else 200, batch=batch,
        held=sum_of(batch), refused=refused, because=because,
    )  # fmt: skip
