"""What is in no batch yet, and putting it into one: ticked, or all that fits the filter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
from wtforms import StringField

from portal.access import Ability
from portal.batches import (
    FillingOutcome,
    FreePayments,
    add_invoices,
    add_matching_invoices,
    add_matching_payments,
    add_payments,
    count_unbatched,
    get_batch,
    held_back,
    open_batches,
    start_batch,
    unbatched_invoices,
    unbatched_payments,
    warnings_of,
    why_not_ready,
)
from portal.invoices import InvoiceFilter
from portal.kernel.errors import DomainError
from portal.models import Batch, ReviewState
from portal.web import (
    Form,
    IdField,
    OnceField,
    PageRequest,
    asked_for,
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

bp = Blueprint("batch_filling", __name__, url_prefix="/batches")
NAMED = 10  # members left out that are told in full


class ChoosingForm(Form):
    once = OnceField()
    batch_id = IdField("Batch", empty="A new batch")
    name = StringField("Name of the new batch")


@bp.get("/unbatched")
@needs(Ability.VIEW_INVOICES)
def unbatched() -> Response:
    counts = count_unbatched()
    page = unbatched_invoices(filters(InvoiceFilter), page_request(), free=counts[0])
    warnings = warnings_of([one.id for one in page.rows])
    return _unbatched("ready", page=page, counts=counts, warnings=warnings)


@bp.get("/unbatched/not-ready")
@needs(Ability.VIEW_INVOICES)
def not_ready() -> Response:
    counts = count_unbatched()
    wanted = filters(InvoiceFilter)
    page = unbatched_invoices(wanted, page_request(), ready=False, free=counts[1])
    return _unbatched("not_ready", page=page, counts=counts, why=why_not_ready)


@bp.get("/unbatched/payments")
@needs(Ability.VIEW_PAYMENTS)
def free_payments() -> Response:
    page = unbatched_payments(filters(FreePayments), page_request())
    return _unbatched("payments", page=page, counts=count_unbatched())


@bp.get("/choosing")
@needs(Ability.BATCH_INVOICES)
def choose_for_all() -> Response:
    """Everything that fits the filter in the address."""
    return _choosing(_choosing_form(None), ([], []))


@bp.post("/choosing")
@needs(Ability.BATCH_INVOICES)
def choose() -> Response:
    """What was ticked in a list."""
    return _choosing(_choosing_form(None), ticked_members())


@bp.post("/members")
@needs(Ability.BATCH_INVOICES)
def add() -> Response:
    members = ticked_members(needed="all" not in request.args)
    form = _choosing_form(request.form)
    try:
        if form.is_sent():
            return once(form, lambda: _add(form, members))
    except DomainError as error:
        form.refuse(error)
    return _choosing(form, members, status=422)


def _unbatched(tab: str, **context: Any) -> Response:
    return render_page(
        "staff/batches/unbatched.html", fragment="rows", tab=tab,
        address=_choosing_address(tab), reviews=_reviews(tab), **context,
    )  # fmt: skip


def _reviews(tab: str) -> list[tuple[str, str]]:
    """The review states the list can be narrowed to; what is held back is never ready."""
    left_out = held_back() if tab == "ready" else {}
    known = [one for one in ReviewState if one not in left_out]
    return [(one.value, words_of(one)) for one in known]


def _choosing_address(tab: str) -> dict[str, str]:
    """What the link to "all that match" carries: the list's filter, not its page."""
    asked = {name: value for name, value in request.args.items() if value}
    kept = {name: value for name, value in asked.items() if name not in ("page", "sort", "size")}
    return {**kept, "all": "payments" if tab == "payments" else "invoices"}


def _choosing_form(sent: object) -> ChoosingForm:
    form = ChoosingForm(sent)
    form.batch_id.offer(open_batches(), words=lambda one: f"{one.number} · {one.name}")
    return form


def _choosing(
    form: ChoosingForm, members: tuple[Sequence[int], Sequence[int]], *, status: int = 200
) -> Response:
    subject = request.args.get("all", "")
    one_row = PageRequest(size=1)
    if subject == "payments":
        count = unbatched_payments(filters(FreePayments), one_row).total
    elif subject:
        count = unbatched_invoices(filters(InvoiceFilter), one_row).total
    else:
        count = len(members[0]) + len(members[1])
    return render_page(
        "staff/batches/choosing.html", status=status, form=form, members=members, count=count,
        asked=asked_for(),
    )  # fmt: skip


def _add(form: ChoosingForm, members: tuple[Sequence[int], Sequence[int]]) -> Response:
    by = signed_in_user()
    new = form.batch_id.data is None
    batch = start_batch(form.name.data or "", by=by) if new else get_batch(form.batch_id.data)
    outcome = _fill(batch, members)
    if not outcome.added:
        raise DomainError(_("Nothing was put in. %(why)s", why=_left_out(outcome)))
    notify(ngettext("One was put in.", "%(num)s were put in.", outcome.added))
    if outcome.refused:
        notify(_("Left out: %(why)s", why=_left_out(outcome)), "warning")
    return redirect_to("staff.batches.show", batch_id=batch.id)


def _fill(batch: Batch, members: tuple[Sequence[int], Sequence[int]]) -> FillingOutcome:
    subject = request.args.get("all", "")
    if subject == "payments":
        return FillingOutcome(add_matching_payments(batch, filters(FreePayments)))
    if subject:
        return FillingOutcome(add_matching_invoices(batch, filters(InvoiceFilter)))
    invoices, payments = add_invoices(batch, members[0]), add_payments(batch, members[1])
    return FillingOutcome(invoices.added + payments.added, invoices.refused + payments.refused)


def _left_out(outcome: FillingOutcome) -> str:
    named = " ".join(f"{number}: {why}" for number, why in outcome.refused[:NAMED])
    more = len(outcome.refused) - NAMED
    if more > 0:
        return f"{named} {ngettext('And one more.', 'And %(num)s more.', more)}"
    return named or str(_("Nothing that is ready fits."))


def ticked_members(*, needed: bool = True) -> tuple[list[int], list[int]]:
    """Invoices and payments that were ticked; DomainError when there are none."""
    invoices = list(dict.fromkeys(request.form.getlist("ids", type=int)))
    payments = list(dict.fromkeys(request.form.getlist("payment_ids", type=int)))
    if needed and not invoices and not payments:
        raise DomainError(_("Tick the invoices or payments this is about first."))
    return invoices, payments
