"""Where mail providers report what came back: /hooks/bounces/<secret>."""

from __future__ import annotations

import hmac

from flask import Blueprint, Flask, Response, abort, current_app

from portal.outbox import note_bounce, sent_message
from portal.sendings.bounce_reports import BounceReport, read_reports
from portal.settings import Settings
from portal.web import csrf_exempt, open_to_all, read_report

hooks = Blueprint("bounce_hooks", __name__, url_prefix="/hooks")


@hooks.post("/bounces/<secret>")
@open_to_all
def receive(secret: str) -> Response:
    """200 for every readable report, known or not: a provider must not learn whom we know.

    404 for a wrong secret and where none is set, 400 for what is no JSON.
    """
    settings: Settings = current_app.config["SETTINGS"]
    expected = settings.bounce_secret.encode()
    if not expected or not hmac.compare_digest(secret.encode(), expected):
        abort(404)
    body = read_report()
    try:
        reports = read_reports(body)
    except ValueError:
        return Response("not a report\n", status=400, mimetype="text/plain")
    for report in reports:
        _note(report)
    return Response("noted\n", mimetype="text/plain")


def _note(report: BounceReport) -> None:
    message = sent_message(report.message_id, report.recipient)
    if message is not None:
        note_bounce(message, report.because, address=report.recipient)


def set_up(app: Flask) -> None:
    """Open the door for providers, who carry the secret instead of a form's token."""
    csrf_exempt(app, hooks)
    app.register_blueprint(hooks)
