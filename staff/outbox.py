"""The outbox: what was sent, what is kept, what failed and why."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from flask_babel import gettext as _

from portal.access import Ability
from portal.models import Message, MessageState
from portal.outbox import (
    SIGN_IN,
    MessageFilter,
    attachment_bytes,
    find_messages,
    get_message,
    mail_is_kept,
    retry_message,
    with_links,
    without_links,
)
from portal.settings import Settings
from portal.web import (
    filters,
    may,
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
    message = get_message(message_id)
    return render_page(
        "staff/outbox/show.html", message=message, body=_as_readable(message, message.body),
        hides_a_link=message.kind == SIGN_IN and not _may_read_links(message),
    )  # fmt: skip


@bp.get("/<int:message_id>/html")
@needs(Ability.VIEW_OUTBOX)
def html(message_id: int) -> Response:
    """The mail's own page, locked into a sandbox: no script, no form, nothing from outside."""
    message = get_message(message_id)
    response = Response(_as_readable(message, message.html), mimetype="text/html")
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
    if mail_is_kept():
        notify(_("Kept, not sent: no mail server is set up."), "warning")
    else:
        notify(_("Sending is tried again."))
    return redirect_to("staff.outbox.show", message_id=message_id)


def _as_readable(message: Message, words: str) -> str:
    return with_links(message, words) if _may_read_links(message) else without_links(message, words)


def _may_read_links(message: Message) -> bool:
    """A sign-in link is the customer's key, so nobody in the office reads it, with one exception.

    Where the app is tried out, no mail server is set up and the mail stays here: then who may
    give everybody a new password anyway (administrators) gets at it. Never in production.
    """
    settings: Settings = current_app.config["SETTINGS"]
    kept = message.state is MessageState.KEPT and mail_is_kept()
    return kept and not settings.is_production and may(Ability.MANAGE_PEOPLE)
