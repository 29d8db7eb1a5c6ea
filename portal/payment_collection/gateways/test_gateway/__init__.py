"""The built-in TEST GATEWAY: the same path as a real one, but no money moves.

It stands for a foreign system: it keeps its own rows in its own transactions, and reports by
signed webhooks. It has buttons only and never asks for a card number.
"""

from portal.payment_collection.gateways.test_gateway.charges import CHARGE_BUTTONS, TestCharges
from portal.payment_collection.gateways.test_gateway.checkouts import ALLOWED_FROM, TestCheckouts
from portal.payment_collection.gateways.test_gateway.events import TestEvents
from portal.payment_collection.gateways.test_gateway.methods import (
    METHOD_BUTTONS,
    SETUP_BUTTONS,
    TestMethods,
    setup_state,
)

__all__ = [
    "ALLOWED_FROM",
    "CHARGE_BUTTONS",
    "METHOD_BUTTONS",
    "SETUP_BUTTONS",
    "TestGateway",
    "setup_state",
]


class TestGateway(TestCheckouts, TestMethods, TestCharges, TestEvents):
    """Refused in production unless told so."""

    name = "test"
    livemode = False
