"""The outbox: what was sent, what is kept, what failed and why."""

from __future__ import annotations

from flask import Blueprint, Response
from flask_babel import gettext as _

from portal.access import Ability
from portal.models import MessageState
from portal.outbox import MessageFilter, attachment_bytes, find_messages, get_message, retry_message
from portal.web import (
    filters,
    needs,
    notify,
    page_request,
    pdf_response,
    redirect_to,
    render_page,
)
from staff.choices import row_of

bp = Blueprint("outbox", __name__, url_prefix="/outbox")


@bp.get("")
@needs(Ability.VIEW_OUTBOX)
def index() -> Response:
    return render_page(
        "staff/outbox/index.html", fragment="rows",
        page=find_messages(filters(MessageFilter), page_request()),
        states=[(one.value, one.value.capitalize()) for one in MessageState],
    )  # fmt: skip


@bp.get("/<int:message_id>")
@needs(Ability.VIEW_OUTBOX)
def show(message_id: int) -> Response:
    return render_page("staff/outbox/show.html", message=get_message(message_id))


@bp.get("/<int:message_id>/html")
@needs(Ability.VIEW_OUTBOX)
def html(message_id: int) -> Response:
    """The mail's own page, locked into a sandbox: no script, no form, nothing from outside."""
    response = Response(get_message(message_id).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        "sandbox allow-popups; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "frame-ancestors 'self'"
    )
    return response


@bp.get("/<int:message_id>/attachments/<int:attachment_id>")
@needs(Ability.VIEW_OUTBOX)
def attachment(message_id: int, attachment_id: int) -> Response:
    wanted = row_of(get_message(message_id).attachments, attachment_id)
    return pdf_response(attachment_bytes(wanted), wanted.filename)


@bp.post("/<int:message_id>/retry")
@needs(Ability.VIEW_OUTBOX)
def retry(message_id: int) -> Response:
    retry_message(get_message(message_id))
    notify(_("Sending is tried again."))
    return redirect_to("staff.outbox.show", message_id=message_id)
