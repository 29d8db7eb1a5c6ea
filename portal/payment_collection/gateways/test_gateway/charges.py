"""Charges of saved methods: prepared, confirmed as the method behaves, settled by a button."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db import own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO
from portal.models import TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import TestDoor
from portal.payment_collection.gateways.test_gateway.methods import BEHAVIOURS
from portal.payment_collection.gateways.test_gateway.objects import found, made_once, told
from portal.payment_collection.port.checkouts import CheckoutSeen, CheckoutState
from portal.payment_collection.port.methods import ChargeOrder

CHARGE_BUTTONS = ("debit-settles", "debit-fails")
CHARGE_STATES = {
    "prepared": CheckoutState.OPEN,
    "processing": CheckoutState.PROCESSING,
    "succeeded": CheckoutState.SUCCEEDED,
    "failed": CheckoutState.FAILED,
    "cancelled": CheckoutState.EXPIRED,
}


class TestCharges(TestDoor):
    """Rows of kind charge; a charge's parent is its method."""

    def prepare_charge(self, order: ChargeOrder) -> str:
        with own_transaction() as session:
            if found(session, "method", order.method_ref).state != "attached":
                raise OutsideFailure(
                    "TEST GATEWAY: this payment method is not kept here any more.", permanent=True
                )
            row = made_once(
                session, "charge", order.reference, "tpi",
                parent_ref=order.method_ref, state="prepared",
                amount=order.amount,
                data={
                    "reference": order.reference,
                    "description": order.description,
                    "currency": order.currency,
                },
            )  # fmt: skip
            return row.ref

    def confirm_charge(self, payment_ref: str, reference: str) -> CheckoutSeen:
        """Take the money as the method behaves; confirmed before, it stays as it is."""
        with own_transaction() as session:
            row = found(session, "charge", payment_ref)
            if row.state == "prepared":
                method = found(session, "method", row.parent_ref)
                behaviour = BEHAVIOURS[method.data["behaviour"]]
                row.state = behaviour.leads_to
                settled = clock.now().isoformat() if row.state == "succeeded" else ""
                words = {"failure": behaviour.words, "code": behaviour.code, "settled_at": settled}
                row.data = {**row.data, **words}
            return _charge_seen(session, row)

    def press_charge(self, payment_ref: str, button: str) -> list[bytes]:
        """What the bank says days later: debit-settles or debit-fails; the webhooks.

        Raises DomainError when the charge is not waiting for its bank.
        """
        with own_transaction() as session:
            row = found(session, "charge", payment_ref)
            if row.state != "processing" or button not in CHARGE_BUTTONS:
                raise DomainError("This test payment is past that step.")
            settles = button == "debit-settles"
            row.state = "succeeded" if settles else "failed"
            row.data = {
                **row.data,
                "failure": "" if settles else "The bank account has too little money in it.",
                "code": "" if settles else "insufficient_funds",
                "settled_at": clock.now().isoformat() if settles else "",
            }
            kind = "payment_intent.succeeded" if settles else "payment_intent.payment_failed"
            return [told(kind, reference=row.data["reference"], payment=row.ref)]

    def look_up_charge(self, payment_ref: str) -> CheckoutSeen:
        with reading(), Session(db.engine) as session:
            return _charge_seen(session, found(session, "charge", payment_ref))

    def cancel_charge(self, payment_ref: str) -> CheckoutSeen:
        with own_transaction() as session:
            row = found(session, "charge", payment_ref)
            if row.state == "prepared":
                row.state = "cancelled"
            return _charge_seen(session, row)


def _charge_seen(session: Session, row: TestGatewayObject) -> CheckoutSeen:
    method = session.scalar(
        sa.select(TestGatewayObject).where(TestGatewayObject.ref == row.parent_ref)
    )
    settled = row.data.get("settled_at")
    paid = row.state == "succeeded"
    return CheckoutSeen(
        state=CHARGE_STATES[row.state],
        reference=row.data["reference"],
        session_ref="",
        payment_ref=row.ref,
        received=row.amount if paid else ZERO,
        method=method.data["kind"] if method else "card",
        failure=row.data.get("failure", ""),
        failure_code=row.data.get("code", ""),
        received_at=datetime.fromisoformat(settled) if settled and paid else None,
        currency=row.data.get("currency", ""),
    )
