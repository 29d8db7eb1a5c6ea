"""The TEST GATEWAY's page of one payment: its refunds and disputes, with the buttons of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from portal.db import reading
from portal.db.base import db
from portal.kernel.money import ZERO, Money
from portal.models import TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import objects_of
from portal.payment_collection.gateways.test_gateway.disputes import (
    BEGINS,
    DECIDES,
    LIVE,
    TestDisputes,
)
from portal.payment_collection.gateways.test_gateway.refunds import (
    MADE_HERE,
    REFUND_BUTTONS,
    SPEEDS,
    TestRefunds,
    is_slow,
    left_of,
    paid_by,
)

MONEY_BACK = {*MADE_HERE, *SPEEDS, *BEGINS, *DECIDES}  # buttons about a payment as a whole


@dataclass(frozen=True)
class WithButtons:
    """A refund or a dispute as it stands, and what may be pressed about it."""

    ref: str
    amount: Money
    state: str
    buttons: Sequence[str]


@dataclass(frozen=True)
class PaymentPage:
    payment_ref: str
    amount: Money
    left: Money
    buttons: Sequence[str]
    refunds: Sequence[WithButtons]
    disputes: Sequence[WithButtons]


class TestMoneyBack(TestRefunds, TestDisputes):
    """Everything that takes money away again."""

    def payment_page(self, payment_ref: str) -> PaymentPage | None:
        """What the page shows; None for a payment that is not here or did not succeed."""
        with reading(), Session(db.engine) as session:
            paid = paid_by(session, payment_ref)
            if paid is None:
                return None
            refunds = objects_of(session, "refund", payment_ref)
            disputes = objects_of(session, "dispute", payment_ref)
            left = left_of(session, paid)
            may_begin = left > ZERO and not any(one.state in LIVE for one in disputes)
            speed = "quick-refunds" if is_slow(session, paid) else "slow-refunds"
            return PaymentPage(
                payment_ref=payment_ref,
                amount=paid.amount,
                left=left,
                buttons=[speed, *(MADE_HERE if left > ZERO else ()),
                         *(BEGINS if may_begin else ())],
                refunds=[_with(one, {name: REFUND_BUTTONS[name][0] for name in REFUND_BUTTONS})
                         for one in refunds],
                disputes=[_with(one, {name: DECIDES[name][0] for name in DECIDES})
                          for one in disputes],
            )  # fmt: skip

    def press_payment(self, payment_ref: str, button: str, refund_ref: str = "") -> list[bytes]:
        """Any button of that page; gives the webhooks it sends. Raises DomainError."""
        if refund_ref:
            return self.press_refund(refund_ref, button)
        if button in MADE_HERE or button in SPEEDS:
            return self.press_for_refunds(payment_ref, button)
        return self.press_dispute(payment_ref, button)


def _with(row: TestGatewayObject, allowed: dict[str, set[str]]) -> WithButtons:
    buttons = [name for name, states in allowed.items() if row.state in states]
    return WithButtons(row.ref, row.amount, row.state, buttons)
