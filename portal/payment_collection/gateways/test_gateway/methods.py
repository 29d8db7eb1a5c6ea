"""What the TEST GATEWAY keeps of payers: methods saved by a button, and charges of them.

How a method behaves is chosen when it is saved, like a processor's test card numbers: one is
always declined, another wants its owner, a bank debit waits until a button settles it.
"""

from __future__ import annotations

import json
import secrets
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.db import own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import TestDoor
from portal.payment_collection.port.checkouts import CheckoutSeen, CheckoutState, OpenedCheckout
from portal.payment_collection.port.methods import (
    ChargeOrder,
    MethodSeen,
    PayerOrder,
    SetupOrder,
    SetupSeen,
)

SETUP_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True)
class Behaviour:
    """What is printed on a test method, and what charging it leads to."""

    kind: str
    brand: str
    last4: str
    leads_to: str  # the state of a confirmed charge
    words: str = ""
    years: int = 4  # until it expires; 0: at the end of this month


BEHAVIOURS = {
    "card": Behaviour("card", "Visa", "4242", "succeeded"),
    "declined-card": Behaviour("card", "Visa", "0002", "failed", "The card was declined."),
    "in-person-card": Behaviour(
        "card", "Visa", "3155", "failed",
        "The bank wants the owner of this card to confirm in person: ask them to pay online.",
    ),
    "expiring-card": Behaviour("card", "Mastercard", "4444", "succeeded", years=0),
    "bank": Behaviour("bank_debit", "Test Bank", "6789", "processing"),
}  # fmt: skip
SETUP_BUTTONS = (*BEHAVIOURS, "refuse")
CHARGE_BUTTONS = ("debit-settles", "debit-fails")
CHARGE_STATES = {
    "prepared": CheckoutState.OPEN,
    "processing": CheckoutState.PROCESSING,
    "succeeded": CheckoutState.SUCCEEDED,
    "failed": CheckoutState.FAILED,
    "cancelled": CheckoutState.EXPIRED,
}


class TestMethods(TestDoor):
    """Rows of kind payer, setup, method and charge; a charge's parent is its method."""

    def know_payer(self, order: PayerOrder) -> str:
        with own_transaction() as session:
            data = {"name": order.name, "email": order.email}
            return made_once(session, "payer", order.reference, "tcus", data=data).ref

    def open_setup(self, order: SetupOrder) -> OpenedCheckout:
        """Open a page with buttons; the same reference opens the same page."""
        with own_transaction() as session:
            row = made_once(
                session, "setup", order.reference, "tset",
                parent_ref=order.customer_ref, state="open",
                data={
                    "reference": order.reference,
                    "return_url": order.return_url,
                    "expires_at": (clock.now() + SETUP_LIFETIME).isoformat(),
                },
            )  # fmt: skip
            url = f"{self._base_url}/test-gateway/setup/{row.ref}"
            return OpenedCheckout(row.ref, url, datetime.fromisoformat(row.data["expires_at"]))

    def look_up_setup(self, session_ref: str) -> SetupSeen:
        with reading(), Session(db.engine) as session:
            row = found(session, "setup", session_ref)
            method = session.scalar(
                sa.select(TestGatewayObject).where(
                    TestGatewayObject.kind == "method",
                    TestGatewayObject.ref == row.data.get("method", "-"),
                )
            )
            return SetupSeen(
                state=setup_state(row),
                reference=row.data["reference"],
                session_ref=row.ref,
                method=_seen(method) if method else None,
                failure=row.data.get("failure", ""),
            )

    def setup(self, setup_ref: str) -> TestGatewayObject | None:
        """What the page of one visit shows."""
        with reading():
            return db.session.scalar(
                sa.select(TestGatewayObject).where(
                    TestGatewayObject.kind == "setup", TestGatewayObject.ref == setup_ref
                )
            )

    def press_setup(self, setup_ref: str, button: str) -> tuple[str, list[bytes]]:
        """Save a method of the chosen behaviour, or refuse it; where to go, and the webhooks.

        Raises DomainError when the page is not open any more.
        """
        with own_transaction() as session:
            row = found(session, "setup", setup_ref)
            if setup_state(row) is not CheckoutState.OPEN or button not in SETUP_BUTTONS:
                raise DomainError("This test page is past that step.")
            words = {"setup": row.data["reference"], "session": row.ref}
            if button == "refuse":
                row.data = {**row.data, "failure": "The bank refused to have this card saved."}
                return row.data["return_url"], [told("setup_intent.setup_failed", **words)]
            method = _save(session, row, BEHAVIOURS[button], button)
            row.state, row.data = "succeeded", {**row.data, "method": method.ref, "failure": ""}
            kinds = ("setup_intent.succeeded", "checkout.session.completed")
            return row.data["return_url"], [told(kind, **words) for kind in kinds]

    def look_up_method(self, method_ref: str) -> MethodSeen:
        with reading(), Session(db.engine) as session:
            return _seen(found(session, "method", method_ref))

    def look_up_mandate(self, mandate_ref: str) -> MethodSeen:
        return self.look_up_method(mandate_ref.removeprefix("mandate_"))

    def forget_method(self, method_ref: str) -> None:
        with own_transaction() as session:
            found(session, "method", method_ref).state = "detached"

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
                data={"reference": order.reference, "description": order.description},
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
                row.data = {**row.data, "failure": behaviour.words, "settled_at": settled}
            return _charge_seen(session, row)

    def look_up_charge(self, payment_ref: str) -> CheckoutSeen:
        with reading(), Session(db.engine) as session:
            return _charge_seen(session, found(session, "charge", payment_ref))

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
                "settled_at": clock.now().isoformat() if settles else "",
            }
            kind = "payment_intent.succeeded" if settles else "payment_intent.payment_failed"
            return [told(kind, reference=row.data["reference"], payment=row.ref)]

    def cancel_charge(self, payment_ref: str) -> CheckoutSeen:
        with own_transaction() as session:
            row = found(session, "charge", payment_ref)
            if row.state == "prepared":
                row.state = "cancelled"
            return _charge_seen(session, row)


def told(kind: str, **words: str) -> bytes:
    """A webhook's body."""
    return json.dumps({"id": f"tevt_{secrets.token_urlsafe(16)}", "type": kind, **words}).encode()


def _save(
    session: Session, setup: TestGatewayObject, behaviour: Behaviour, name: str
) -> TestGatewayObject:
    expires = expiry_of(behaviour)
    data = {
        "behaviour": name,
        "kind": behaviour.kind,
        "brand": behaviour.brand,
        "last4": behaviour.last4,
        "expires_on": expires.isoformat() if expires else "",
    }
    return made_once(
        session, "method", setup.data["reference"], "tpm",
        parent_ref=setup.parent_ref, state="attached", data=data,
    )  # fmt: skip


def made_once(
    session: Session,
    kind: str,
    reference: str,
    prefix: str,
    *,
    parent_ref: str = "",
    state: str = "",
    amount: Money = ZERO,
    data: dict[str, Any],
) -> TestGatewayObject:
    """The row of this idempotency key, made when it is not there yet."""
    key = f"{kind}:{reference}"
    query = sa.select(TestGatewayObject).where(TestGatewayObject.key == key)
    if row := session.scalar(query):
        return row
    ref = f"{prefix}_{secrets.token_urlsafe(16)}"
    row = TestGatewayObject(
        ref=ref, kind=kind, key=key, parent_ref=parent_ref, state=state, amount=amount, data=data
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
        return row
    except IntegrityError:  # the same request came twice at once
        return session.scalars(query).one()


def found(session: Session, kind: str, ref: str) -> TestGatewayObject:
    """Raises OutsideFailure (missing), as a processor answers for a thing it never had."""
    row = session.scalar(
        sa.select(TestGatewayObject)
        .where(TestGatewayObject.kind == kind, TestGatewayObject.ref == ref)
        .with_for_update()
    )
    if row is None:
        raise OutsideFailure(f"TEST GATEWAY: no such {kind}.", permanent=True, missing=True)
    return row


def setup_state(row: TestGatewayObject) -> CheckoutState:
    over = datetime.fromisoformat(row.data["expires_at"]) <= clock.now()
    return CheckoutState.EXPIRED if row.state == "open" and over else CheckoutState(row.state)


def expiry_of(behaviour: Behaviour) -> date | None:
    """The last day of the month a test card made today expires in."""
    if behaviour.kind != "card":
        return None
    today = clock.now().date()
    year = today.year + behaviour.years
    return date(year, today.month, monthrange(year, today.month)[1])


def _seen(row: TestGatewayObject) -> MethodSeen:
    expires = row.data.get("expires_on")
    return MethodSeen(
        method_ref=row.ref,
        customer_ref=row.parent_ref,
        kind=row.data["kind"],
        brand=row.data["brand"],
        last4=row.data["last4"],
        expires_on=date.fromisoformat(expires) if expires else None,
        usable=row.state == "attached",
    )


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
        received_at=datetime.fromisoformat(settled) if settled and paid else None,
    )
