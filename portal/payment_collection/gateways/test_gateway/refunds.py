"""Refunds of the TEST GATEWAY: at once, on their way for days, or coming back."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.db import own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import TestCheckout, TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import (
    TestDoor,
    checkout_by,
    event_about,
    object_by,
    objects_of,
)
from portal.payment_collection.port.refunds import RefundOrder, RefundSeen, RefundState

CLOSED = "the bank account was closed"
REFUND_BUTTONS = {  # button → (states it is there in, state it leads to, what is reported)
    "refund-settles": ({"in_transit"}, "succeeded", "refund.updated"),
    "refund-fails": ({"in_transit", "succeeded"}, "failed", "refund.failed"),
}
MADE_HERE = {"refund-half": 2, "refund-rest": 1}  # as in a processor's own dashboard
SPEEDS = {"slow-refunds": True, "quick-refunds": False}


@dataclass(frozen=True)
class Paid:
    """A payment this gateway took, by a page or by a saved method."""

    payment_ref: str
    amount: Money
    method: str
    currency: str = ""


class TestRefunds(TestDoor):
    """Gives back at once by card, after days by bank debit or when told to be slow."""

    def give_back(self, order: RefundOrder) -> RefundSeen:
        """Refuses what disputes hold and more than was paid; the same reference is one refund."""
        with own_transaction() as session:
            known = object_by(session, TestGatewayObject.key, order.reference)
            if known is None:
                paid = paid_by(session, order.payment_ref)
                if paid is None:
                    raise _refused("no such payment.", missing=True)
                known = _make(session, paid, order.amount, reference=order.reference)
            return _seen(known)

    def look_up_refund(self, refund_ref: str) -> RefundSeen:
        with reading(), Session(db.engine) as session:
            known = object_by(session, TestGatewayObject.ref, refund_ref)
            if known is None:
                raise _refused("no such refund.", missing=True)
            return _seen(known)

    def refunds_of(self, payment_ref: str) -> list[RefundSeen]:
        with reading(), Session(db.engine) as session:
            return [_seen(one) for one in objects_of(session, "refund", payment_ref)]

    def press_refund(self, refund_ref: str, button: str) -> list[bytes]:
        """A button beside one refund. Raises DomainError when it is past that step."""
        allowed, state, kind = REFUND_BUTTONS.get(button, (set(), "", ""))
        with own_transaction() as session:
            known = object_by(session, TestGatewayObject.ref, refund_ref)
            if known is None or known.kind != "refund" or known.state not in allowed:
                raise DomainError("This test refund is past that step.")
            known.state = state
            failure = CLOSED if state == "failed" else ""
            known.data = {**known.data, "failure": failure}
            return [event_about(kind, payment_ref=known.parent_ref, object_ref=known.ref)]

    def press_for_refunds(self, payment_ref: str, button: str) -> list[bytes]:
        """Refund at the gateway itself, or change how fast its refunds are."""
        with own_transaction() as session:
            paid = paid_by(session, payment_ref)
            if paid is None:
                raise DomainError("This test payment is past that step.")
            if button in SPEEDS:
                _set_speed(session, payment_ref, slow=SPEEDS[button])
                return []
            try:
                part = Money(left_of(session, paid).cents // MADE_HERE[button])
                made = _make(session, paid, part, reference=None)
            except OutsideFailure as failure:
                raise DomainError(str(failure)) from failure
            kinds = ("refund.created", "charge.refunded")
            return [event_about(one, payment_ref=payment_ref, object_ref=made.ref) for one in kinds]


def paid_by(session: Any, payment_ref: str) -> Paid | None:
    """The payment with this reference, once it succeeded."""
    page = checkout_by(session, TestCheckout.payment_ref, payment_ref)
    if page is not None:
        paid = Paid(payment_ref, page.amount, page.method, page.currency)
        return paid if page.state == "succeeded" else None
    charge = object_by(session, TestGatewayObject.ref, payment_ref)
    if charge is None or charge.state != "succeeded":
        return None
    method, currency = charge.data.get("method", "card"), charge.data.get("currency", "")
    return Paid(payment_ref, charge.amount, str(method), str(currency))


def left_of(session: Any, paid: Paid) -> Money:
    """What was neither given back nor is held by a dispute that is not won."""
    back = [one for one in objects_of(session, "refund", paid.payment_ref)
            if one.state != "failed"]  # fmt: skip
    held = [one for one in objects_of(session, "dispute", paid.payment_ref)
            if one.state in ("open", "under_review", "lost")]  # fmt: skip
    return paid.amount - Money.total(one.amount for one in (*back, *held))


def is_slow(session: Any, paid: Paid) -> bool:
    known = object_by(session, TestGatewayObject.ref, f"speed_{paid.payment_ref}")
    return known.state == "slow" if known else paid.method == "bank_debit"


def _set_speed(session: Any, payment_ref: str, *, slow: bool) -> None:
    known = object_by(session, TestGatewayObject.ref, f"speed_{payment_ref}")
    if known is None:
        known = TestGatewayObject(ref=f"speed_{payment_ref}", kind="speed", parent_ref=payment_ref)
        session.add(known)
    known.state = "slow" if slow else "quick"


def _make(session: Any, paid: Paid, amount: Money, *, reference: str | None) -> TestGatewayObject:
    if not ZERO < amount <= left_of(session, paid):
        raise _refused("more than is left of the payment.")
    made = TestGatewayObject(
        ref=f"tre_{secrets.token_urlsafe(12)}",
        kind="refund",
        key=reference,
        parent_ref=paid.payment_ref,
        state="in_transit" if is_slow(session, paid) else "succeeded",
        amount=amount,
        data={
            "reference": reference or "",
            "moved_at": clock.now().isoformat(),
            "currency": paid.currency,
        },
    )
    session.add(made)
    session.flush()
    return made


def _seen(row: TestGatewayObject) -> RefundSeen:
    return RefundSeen(
        state=RefundState(row.state),
        refund_ref=row.ref,
        reference=row.data["reference"],
        payment_ref=row.parent_ref,
        amount=row.amount,
        failure=row.data.get("failure", ""),
        moved_at=datetime.fromisoformat(row.data["moved_at"]),
        currency=row.data.get("currency", ""),
    )


def _refused(why: str, *, missing: bool = False) -> OutsideFailure:
    return OutsideFailure(f"TEST GATEWAY: {why}", permanent=True, missing=missing)
