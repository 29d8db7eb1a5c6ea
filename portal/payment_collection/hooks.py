"""Where gateways report: verify, keep once, answer; the worker does the rest."""

from __future__ import annotations

from flask import Blueprint, Response, abort, request

from portal.payment_collection.gateway import ForgedEvent, gateway, has_gateway
from portal.payment_collection.inbox import is_kept, keep_event
from portal.web import open_to_all, read_report

hooks = Blueprint("hooks", __name__, url_prefix="/webhooks")

SIGNATURES = {"stripe": "Stripe-Signature", "test": "Test-Gateway-Signature"}


@hooks.post("/<name>")
@open_to_all
def receive(name: str) -> Response:
    """200 for every verified event, known or new; 400 writes nothing."""
    if not has_gateway() or name != gateway().name:
        abort(404)
    body = read_report()
    try:
        seen = gateway().verify_event(body, request.headers.get(SIGNATURES[name], ""))
    except ForgedEvent:
        return Response("not an event of ours\n", status=400, mimetype="text/plain")
    if not is_kept(seen):  # two may pass here at once; keeping settles it
        keep_event(seen, body)
    return Response("kept\n", mimetype="text/plain")
