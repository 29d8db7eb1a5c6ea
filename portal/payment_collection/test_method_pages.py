"""The TEST GATEWAY's pages about kept methods and their charges: buttons, never a card form."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, abort, current_app, redirect, url_for

from portal.db import in_transaction
from portal.models import TestGatewayObject
from portal.payment_collection.gateways.test_gateway import (
    CHARGE_BUTTONS,
    METHOD_BUTTONS,
    SETUP_BUTTONS,
    TestGateway,
    setup_state,
)
from portal.payment_collection.inbox import keep_event
from portal.web import open_to_all, render_page

method_pages = Blueprint("test_methods", __name__, url_prefix="/test-gateway")


@method_pages.get("/setup/<ref>")
@open_to_all
def show_setup(ref: str) -> Response:
    setup = _thing("setup", ref)
    state = setup_state(setup)
    return render_page(
        "test_gateway/setup.html", setup=setup, state=state,
        buttons=SETUP_BUTTONS if state == "open" else (),
    )  # fmt: skip


@method_pages.post("/setup/<ref>/<button>")
@open_to_all
def press_setup(ref: str, button: str) -> Response:
    _thing("setup", ref)
    return_url, bodies = _gateway().press_setup(ref, button)
    _report(bodies)
    return redirect(return_url, code=303)  # type: ignore[return-value]


@method_pages.get("/charge/<ref>")
@open_to_all
def show_charge(ref: str) -> Response:
    charge = _thing("charge", ref)
    buttons = CHARGE_BUTTONS if charge.state == "processing" else ()
    return render_page("test_gateway/charge.html", charge=charge, buttons=buttons)


@method_pages.post("/charge/<ref>/<button>")
@open_to_all
def press_charge(ref: str, button: str) -> Response:
    _thing("charge", ref)
    _report(_gateway().press_charge(ref, button))
    return redirect(url_for("test_methods.show_charge", ref=ref), 303)  # type: ignore[return-value]


@method_pages.get("/method/<ref>")
@open_to_all
def show_method(ref: str) -> Response:
    method = _thing("method", ref)
    buttons = METHOD_BUTTONS if method.state == "attached" else ()
    return render_page("test_gateway/method.html", method=method, buttons=buttons)


@method_pages.post("/method/<ref>/<button>")
@open_to_all
def press_method(ref: str, button: str) -> Response:
    _thing("method", ref)
    _report(_gateway().press_method(ref, button))
    return redirect(url_for("test_methods.show_method", ref=ref), 303)  # type: ignore[return-value]


def _report(bodies: Sequence[bytes]) -> None:
    """By signed webhooks, as a processor would."""
    for body in bodies:
        seen = _gateway().verify_event(body, _gateway().sign(body))
        in_transaction(lambda seen=seen, body=body: keep_event(seen, body))  # type: ignore[misc]


def _thing(kind: str, ref: str) -> TestGatewayObject:
    found = _gateway().thing(kind, ref)
    return found or abort(404)


def _gateway() -> TestGateway:
    gateway = current_app.extensions["gateway"]
    return gateway if isinstance(gateway, TestGateway) else abort(404)
