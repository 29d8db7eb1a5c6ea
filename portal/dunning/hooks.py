"""Where the text gateway reports: receipts and incoming texts, each signed."""

from __future__ import annotations

from xml.sax.saxutils import escape  # nosec B406  (it only writes)

from flask import Blueprint, Flask, Response, abort, current_app, request

from portal.dunning.incoming import take_text
from portal.outbox import (
    INCOMING,
    RECEIPTS,
    note_receipt,
    read_incoming,
    read_receipt,
    signed_by_twilio,
)
from portal.settings import Settings
from portal.web import csrf_exempt, open_to_all

hooks = Blueprint("text_hooks", __name__)


@hooks.post(RECEIPTS)
@open_to_all
def receipt() -> Response:
    """204 for every signed receipt, known or not; 404 without a gateway, 403 unsigned."""
    note_receipt(read_receipt(_signed(RECEIPTS)))
    return Response(status=204)


@hooks.post(INCOMING)
@open_to_all
def incoming() -> Response:
    """An answer in the gateway's own form; empty when there is nothing to say."""
    said = take_text(read_incoming(_signed(INCOMING)))
    words = f"<Message>{escape(said)}</Message>" if said else ""
    xml = f'<?xml version="1.0" encoding="UTF-8"?><Response>{words}</Response>'
    return Response(xml, mimetype="text/xml")


def _signed(path: str) -> dict[str, str]:
    settings: Settings = current_app.config["SETTINGS"]
    if not settings.twilio_account_sid:
        abort(404)
    form = request.form.to_dict()
    proof = request.headers.get("X-Twilio-Signature", "")
    url = f"{settings.base_url}{path}"
    if not signed_by_twilio(url, form, proof, token=settings.twilio_auth_token):
        abort(403)
    return form


def set_up(app: Flask) -> None:
    """Open the door for the gateway, which signs instead of carrying a form's token."""
    csrf_exempt(app, hooks)
    app.register_blueprint(hooks)
