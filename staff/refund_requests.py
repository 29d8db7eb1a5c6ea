"""Refunds waiting: those somebody has to approve, those on their way, those that came back."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from wtforms import StringField

from portal.access import Ability
from portal.audit import trail_of
from portal.kernel.errors import DomainError, NotAllowed
from portal.models import RefundRequest
from portal.payment_collection import (
    approve_refund,
    decline_refund,
    failed_refunds,
    find_refunds_in_transit,
    get_request,
    refund_limit,
    requests_waiting,
    words_of,
)
from portal.payments import source_by_key
from portal.web import (
    Form,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)
from staff.refund_words import EFFECTS, foretold

bp = Blueprint("refund_requests", __name__, url_prefix="/refunds-waiting")


class DeclineForm(Form):
    because = StringField("Why not")


@bp.get("")
@needs(Ability.VIEW_PAYMENTS)
def index() -> Response:
    return render_page(
        "staff/refund_requests/index.html", waiting=requests_waiting(), failed=failed_refunds(),
        page=find_refunds_in_transit(page_request()), limit=refund_limit(),
    )  # fmt: skip


@bp.get("/<int:request_id>")
@needs(Ability.VIEW_PAYMENTS)
def show(request_id: int) -> Response:
    return _page(get_request(request_id), DeclineForm(None))


@bp.post("/<int:request_id>/approval")
@needs(Ability.APPROVE_REFUNDS)
def approve(request_id: int) -> Response:
    """Its page says what will happen; this does it, checked again."""
    given = approve_refund(get_request(request_id), by=signed_in_user())
    notify(_("Approved: %(a)s go back.", a=str(-given.amount)))
    return redirect_to("staff.refunds.show", refund_id=given.id)


@bp.post("/<int:request_id>/refusal")
@needs(Ability.APPROVE_REFUNDS)
def decline(request_id: int) -> Response:
    form = DeclineForm(request.form)
    try:
        decline_refund(get_request(request_id), by=signed_in_user(), because=form.because.data)
    except NotAllowed:
        raise
    except DomainError as error:
        form.refuse(error)
        return _page(get_request(request_id), form, status=422)
    notify(_("Declined: nothing goes back."))
    return redirect_to("staff.refund_requests.index")


def _page(row: RefundRequest, form: DeclineForm, *, status: int = 200) -> Response:
    words, told, problem = words_of(row), None, ""
    if row.state == "waiting":
        try:
            told = foretold(source_by_key(row.payment, row.source_key), words)
        except DomainError as error:
            problem = str(error)
    return render_page(
        "staff/refund_requests/show.html", status=status, row=row, words=words, told=told,
        problem=problem, form=form, effects=EFFECTS, trail=trail_of(row),
        mine=row.asked_by_id == signed_in_user().id,
    )  # fmt: skip
