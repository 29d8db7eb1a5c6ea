"""The built-in TEST GATEWAY: the same path as a real one, but no money moves.

It stands for a foreign system: it keeps its own rows in its own transactions, and reports by
signed webhooks. It has buttons only and never asks for a card number.
"""

from sqlalchemy.orm import Session

from portal.db import reading
from portal.db.base import db
from portal.kernel.errors import DomainError
from portal.models import TestCheckout
from portal.payment_collection.gateways.test_gateway.base import checkout_by
from portal.payment_collection.gateways.test_gateway.charges import CHARGE_BUTTONS, TestCharges
from portal.payment_collection.gateways.test_gateway.checkouts import ALLOWED_FROM, TestCheckouts
from portal.payment_collection.gateways.test_gateway.events import TestEvents
from portal.payment_collection.gateways.test_gateway.methods import (
    METHOD_BUTTONS,
    SETUP_BUTTONS,
    TestMethods,
    setup_state,
)
from portal.payment_collection.gateways.test_gateway.money_back import MONEY_BACK, TestMoneyBack
from portal.payment_collection.gateways.test_gateway.payouts import TestPayouts

__all__ = [
    "ALLOWED_FROM",
    "CHARGE_BUTTONS",
    "METHOD_BUTTONS",
    "SETUP_BUTTONS",
    "TestGateway",
    "setup_state",
]


class TestGateway(TestCheckouts, TestMethods, TestCharges, TestMoneyBack, TestPayouts, TestEvents):
    """Refused in production unless told so."""

    name = "test"
    livemode = False

    def press(self, session_ref: str, button: str) -> tuple[str, list[bytes]]:
        """A button of a checkout's page, or one about the payment that was made there."""
        if button not in MONEY_BACK:
            return super().press(session_ref, button)
        with reading(), Session(db.engine) as session:
            page = checkout_by(session, TestCheckout.session_ref, session_ref)
        if page is None:
            raise DomainError("This test payment is past that step.")
        return page.return_url, self.press_payment(page.payment_ref, button)
