"""Online payments behind the scenes: attempts, gateway events, and a button for each."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.models import AttemptState, GatewayEventState
from portal.payment_collection import (
    AttemptFilter,
    find_attempts,
    find_events,
    get_event,
    recheck,
    retry_event,
)
from portal.web import filters, needs, notify, page_request, redirect_to, render_page

bp = Blueprint("attempts", __name__, url_prefix="/online-payments")


@bp.get("")
@needs(Ability.RESOLVE_ATTEMPTS)
def index() -> Response:
    return render_page(
        "staff/attempts/index.html", fragment="rows",
        page=find_attempts(filters(AttemptFilter), page_request()),
        states=[(one.value, one.value.capitalize()) for one in AttemptState],
        parked=find_events(GatewayEventState.PARKED, page_request(size=10, name="events_page")),
    )  # fmt: skip


@bp.post("/<int:attempt_id>/look")
@needs(Ability.RESOLVE_ATTEMPTS)
def look(attempt_id: int) -> Response:
    state = recheck(attempt_id)
    notify(_("The gateway says: %(s)s.", s=state))
    return redirect_to("staff.attempts.index")


@bp.post("/events/<int:event_id>/retry")
@needs(Ability.RESOLVE_ATTEMPTS)
def retry(event_id: int) -> Response:
    retry_event(get_event(event_id))
    notify(_("The event is looked at again."))
    return redirect_to("staff.attempts.index")
