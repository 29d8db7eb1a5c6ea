"""The outbox: what was sent, what is kept, what failed and why."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later

from portal.access import Ability
from portal.kernel.errors import InvalidFields
from portal.models import Channel, Message, MessageState
from portal.outbox import (
    SIGN_IN,
    MessageFilter,
    attachment_bytes,
    find_messages,
    get_message,
    mail_is_kept,
    report_bounce,
    retry_message,
    texts_are_kept,
    with_links,
    without_links,
)
from portal.sendings import not_sent_by_rule
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
    require,
)
from staff.choices import row_of

bp = Blueprint("outbox", __name__, url_prefix="/outbox")

CHANNELS = {Channel.EMAIL: later("Email"), Channel.SMS: later("SMS")}


@bp.get("")
@needs(Ability.VIEW_OUTBOX)
def index() -> Response:
    return render_page(
        "staff/outbox/index.html", fragment="rows",
        page=find_messages(filters(MessageFilter), page_request()), channel_words=CHANNELS,
        states=[(one.value, one.value.capitalize()) for one in MessageState],
        channels=[(one.value, CHANNELS[one]) for one in Channel],
        left_out=not_sent_by_rule(page_request(size=10)).total if may("send invoices") else 0,
    )  # fmt: skip


@bp.get("/<int:message_id>")
@needs(Ability.VIEW_OUTBOX)
def show(message_id: int) -> Response:
    return _page(get_message(message_id))


def _page(message: Message, *, status: int = 200, because: str = "", refused: str = "") -> Response:
    return render_page(
        "staff/outbox/show.html", status=status, message=message,
        body=_as_readable(message, message.body),
        hides_a_link=message.kind == SIGN_IN and not _may_read_links(message),
        medium=CHANNELS[message.channel], because=because, refused=refused,
        kept_because=_("no text gateway is set up (TWILIO_ACCOUNT_SID)")
        if message.channel is Channel.SMS else _("no mail server is set up (SMTP_URL)"),
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
    content = attachment_bytes(wanted)
    if wanted.filename.endswith(".jpg"):
        return Response(content, mimetype="image/jpeg")
    return pdf_response(content, wanted.filename)


@bp.post("/<int:message_id>/retry")
@needs(Ability.SEND_INVOICES)
def retry(message_id: int) -> Response:
    message = get_message(message_id)
    require(Ability.VIEW_OUTBOX)
    retry_message(message)
    if message.channel is Channel.SMS and texts_are_kept():
        notify(_("Kept, not sent: no text gateway is set up."), "warning")
    elif message.channel is Channel.EMAIL and mail_is_kept():
        notify(_("Kept, not sent: no mail server is set up."), "warning")
    else:
        notify(_("Sending is tried again."))
    return redirect_to("staff.outbox.show", message_id=message_id)


@bp.post("/<int:message_id>/bounce")
@needs(Ability.SEND_INVOICES)
def bounce(message_id: int) -> Response:
    """Somebody saw that it came back; the next sending warns of the address."""
    message, because = get_message(message_id), request.form.get("because", "")
    require(Ability.VIEW_OUTBOX)
    try:
        report_bounce(message, because)
    except InvalidFields as error:
        return _page(message, status=422, because=because, refused=str(error))
    notify(_("Noted. The next sending warns of this address."))
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
