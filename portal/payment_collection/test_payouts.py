"""The TEST GATEWAY's payouts: a button, once a day by itself, and what its bank does with them."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app

from portal.company import today
from portal.db import db, in_transaction
from portal.kernel.errors import DomainError
from portal.payment_collection.gateways.test_gateway import TestGateway
from portal.payment_collection.inbox import keep_event


def has_test_gateway() -> bool:
    """Whether this installation collects with the TEST GATEWAY."""
    return isinstance(current_app.extensions.get("gateway"), TestGateway)


def pay_out_now() -> bool:
    """Pay out what moved; whether there was anything. Ends the session's transaction."""
    return _report(lambda gate: gate.pay_out())


def let_arrive(payout_ref: str) -> None:
    """The bank received a test payout. DomainError when it is past that."""
    _report(lambda gate: gate.let_arrive(payout_ref))


def let_fail(payout_ref: str) -> None:
    """The bank sends a test payout back. DomainError when it did already."""
    _report(lambda gate: gate.let_fail(payout_ref))


def pay_out_daily() -> None:
    """As a processor does by itself: what is due arrives, what moved is paid out."""
    if not has_test_gateway():
        return
    on = today()
    db.session.rollback()
    for payout_ref in _gateway().arrivals(on):
        let_arrive(payout_ref)
    pay_out_now()


def _report(act: Callable[[TestGateway], list[bytes]]) -> bool:
    """The gateway is another system: nothing of ours is open while it acts and reports."""
    db.session.rollback()
    gate = _gateway()
    bodies = act(gate)
    for body in bodies:
        seen = gate.verify_event(body, gate.sign(body))
        in_transaction(lambda seen=seen, body=body: keep_event(seen, body))  # type: ignore[misc]
    return bool(bodies)


def _gateway() -> TestGateway:
    gate = current_app.extensions.get("gateway")
    if not isinstance(gate, TestGateway):
        raise DomainError("Only the TEST GATEWAY pays out at the press of a button.")
    return gate
