"""Online payments behind the scenes: attempts, gateway events, and a button for each."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.models import AttemptState, GatewayEventState
from portal.payment_collection import (
    AttemptFilter,
    EventFilter,
    find_attempts,
    find_events,
    get_event,
    recheck,
    retry_event,
    set_event_aside,
    waiting_online,
)
from portal.web import (
    filters,
    needs,
    notify,
    page_request,
    redirect_to,
    render_page,
    signed_in_user,
)

bp = Blueprint("attempts", __name__, url_prefix="/online-payments")


@bp.get("")
@needs(Ability.RESOLVE_ATTEMPTS)
def index() -> Response:
    return render_page(
        "staff/attempts/index.html", fragment="rows", waiting=waiting_online(),
        page=find_attempts(filters(AttemptFilter), page_request()),
        states=[(one.value, one.value.capitalize()) for one in AttemptState],
    )  # fmt: skip


@bp.post("/<int:attempt_id>/look")
@needs(Ability.RESOLVE_ATTEMPTS)
def look(attempt_id: int) -> Response:
    state = recheck(attempt_id)
    notify(_("The gateway says: %(s)s.", s=state))
    return redirect_to("staff.attempts.index")


@bp.get("/events")
@needs(Ability.RESOLVE_ATTEMPTS)
def events() -> Response:
    return render_page(
        "staff/attempts/events.html", fragment="rows", waiting=waiting_online(),
        page=find_events(filters(EventFilter), page_request()),
        states=[(one.value, one.value.capitalize()) for one in GatewayEventState],
    )  # fmt: skip


@bp.post("/events/<int:event_id>/retry")
@needs(Ability.RESOLVE_ATTEMPTS)
def retry(event_id: int) -> Response:
    retry_event(get_event(event_id))
    notify(_("The event is looked at again."))
    return redirect_to("staff.attempts.events")


@bp.post("/events/<int:event_id>/set-aside")
@needs(Ability.RESOLVE_ATTEMPTS)
def set_aside(event_id: int) -> Response:
    set_event_aside(event_id, by=signed_in_user().name)
    notify(_("The event is set aside; it stays in the list of ignored ones."))
    return redirect_to("staff.attempts.events")
