"""The TEST GATEWAY's own page: buttons instead of a card form."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, abort, current_app, redirect, request, url_for

from portal.db import in_transaction
from portal.payment_collection.gateways.test_gateway import ALLOWED_FROM, TestGateway
from portal.payment_collection.inbox import keep_event
from portal.web import open_to_all, render_page

pages = Blueprint("test_gateway", __name__, url_prefix="/test-gateway")


@pages.get("/checkout/<session_ref>")
@open_to_all
def show(session_ref: str) -> Response:
    checkout = _gateway().checkout(session_ref) or abort(404)
    buttons = [name for name, state in ALLOWED_FROM.items() if state == checkout.state]
    return render_page("test_gateway/checkout.html", checkout=checkout, buttons=buttons)


@pages.post("/checkout/<session_ref>/<button>")
@open_to_all
def press(session_ref: str, button: str) -> Response:
    """Move the payment, report it by signed webhooks, send the payer back."""
    return_url, bodies = _gateway().press(session_ref, button)
    _report(bodies)
    if ALLOWED_FROM[button] != "open":  # what happens days later: no payer waits for it
        return_url = url_for("test_gateway.show", session_ref=session_ref)
    return redirect(return_url, code=303)  # type: ignore[return-value]


@pages.get("/payments/<payment_ref>")
@open_to_all
def payment(payment_ref: str) -> Response:
    """Refunds and disputes of one payment, with the buttons of each."""
    page = _gateway().payment_page(payment_ref) or abort(404)
    return render_page("test_gateway/payment.html", page=page)


@pages.post("/payments/<payment_ref>/<button>")
@open_to_all
def press_payment(payment_ref: str, button: str) -> Response:
    bodies = _gateway().press_payment(payment_ref, button, request.form.get("refund", ""))
    _report(bodies)
    return redirect(url_for("test_gateway.payment", payment_ref=payment_ref), code=303)  # type: ignore[return-value]


def _report(bodies: Iterable[bytes]) -> None:
    for body in bodies:
        seen = _gateway().verify_event(body, _gateway().sign(body))
        in_transaction(lambda seen=seen, body=body: keep_event(seen, body))  # type: ignore[misc]


def _gateway() -> TestGateway:
    gateway = current_app.extensions["gateway"]
    return gateway if isinstance(gateway, TestGateway) else abort(404)
