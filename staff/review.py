"""The review queue: drafts to look at, what is owed, what was paid; several done at once."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from portal.access import Ability, get_person
from portal.company import today
from portal.invoices import (
    ME,
    NOBODY,
    WARNINGS,
    ReviewFilter,
    ReviewOutcome,
    assign_invoices,
    checklists,
    find_aging,
    find_paid,
    find_to_review,
    get_invoice,
    job_types,
    review_invoices,
    reviewers,
    sum_to_review,
)
from portal.kernel.errors import DomainError
from portal.models import ReviewState
from portal.web import (
    filters,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
    words_of,
)
from staff.choices import units
from staff.questions import ticked
from staff.review_card import kept_filter

bp = Blueprint("review", __name__, url_prefix="/review")


@bp.get("")
@needs(Ability.VIEW_INVOICES)
def index() -> Response:
    wanted, me = filters(ReviewFilter), signed_in_user().id
    count, total = sum_to_review(wanted, me=me)
    page = find_to_review(wanted, page_request(), me=me, total=count)
    return render_page(
        "staff/review/index.html", fragment="rows", page=page, findings=checklists(page.rows),
        total=total, reviewers=reviewers(), kept=kept_filter(),
        choices=_choices(review=True),
    )  # fmt: skip


@bp.get("/aging")
@needs(Ability.VIEW_INVOICES)
def aging() -> Response:
    page = find_aging(filters(ReviewFilter), page_request(), me=signed_in_user().id)
    return render_page(
        "staff/review/aging.html", fragment="rows", page=page, choices=_choices(), on=today()
    )


@bp.get("/paid")
@needs(Ability.VIEW_INVOICES)
def paid() -> Response:
    on = today()
    page = find_paid(filters(ReviewFilter), page_request(), me=signed_in_user().id, on=on)
    return render_page("staff/review/paid.html", fragment="rows", page=page, choices=_choices())


@bp.post("/reviews")
@needs(Ability.EDIT_INVOICES)
def review() -> Response:
    return _told(review_invoices(_chosen(), ReviewState.REVIEWED), _("Reviewed"))


@bp.get("/holds")
@needs(Ability.EDIT_INVOICES)
def ask_hold() -> Response:
    ids = request.args.getlist("only", type=int)
    return _hold_page(ids)


@bp.post("/holds")
@needs(Ability.EDIT_INVOICES)
def hold() -> Response:
    ids, note = _chosen(), request.form.get("note", "").strip()
    if not note:
        return _hold_page(ids, refused=_("Say what it waits for."))
    return _told(review_invoices(ids, ReviewState.ON_HOLD, note=note), _("On hold"))


@bp.post("/assignments")
@needs(Ability.ASSIGN_INVOICES)
def assign() -> Response:
    ids, who = _chosen(), request.form.get("assignee_id", "")
    if who != NOBODY and not who.isdecimal():
        raise DomainError(_("Choose who reviews them."))
    person = None if who == NOBODY else get_person(int(who[:9]))
    return _told(assign_invoices(ids, person), _("Assigned"))


def _chosen() -> list[int]:
    """The one row whose own button was pressed, or those that are ticked."""
    only = request.form.get("only", type=int)
    return [only] if only else ticked()


def _told(outcome: ReviewOutcome, verb: str) -> Response:
    """One done row needs no page of its own; else each row says what became of it."""
    if len(outcome.done) == 1 and not outcome.refused:
        words = outcome.done[0].review_state.replace("_", " ")
        notify(_("%(n)s: %(s)s.", n=outcome.done[0].number, s=words))
        return redirect_to("staff.review.index", **kept_filter())
    return render_page(
        "staff/review/outcome.html", status=200 if outcome.done else 422, outcome=outcome,
        verb=verb, kept=kept_filter(),
    )  # fmt: skip


def _hold_page(ids: list[int], *, refused: str = "") -> Response:
    return render_page(
        "staff/review/hold.html", status=422 if refused else 200, refused=refused,
        kept=kept_filter(), invoices=[get_invoice(one) for one in ids],
    )  # fmt: skip


def _choices(*, review: bool = False) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Everything the list can be narrowed by."""
    people = [(ME, _("Mine")), (NOBODY, _("Nobody's"))]
    people += [(str(one.id), one.name) for one in reviewers()]
    offered = [
        ("assignee", _("Reviewer"), people),
        ("business_unit_id", _("Business unit"), [(str(one.id), one.name) for one in units()]),
        ("job_type", _("Job type"), [(one, one) for one in job_types()]),
    ]
    if not review:
        return offered
    states = [(one.value, _said(one)) for one in ReviewState]
    warnings = [(one.value, _said(one)) for one in WARNINGS]
    dated = [("yes", _("Without a date"))]
    return [
        ("review", _("Review"), states),
        *offered,
        ("warning", _("Warning"), warnings),
        ("undated", _("Dated"), dated),
    ]


def _said(word: str) -> str:
    return words_of(word)
