"""What the TEST GATEWAY keeps of payers: methods saved by a button.

How a method behaves is chosen when it is saved, like a processor's test card numbers: one is
always declined, another wants its owner, a bank debit waits until a button settles it.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db import own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import TestGatewayObject
from portal.payment_collection.gateways.test_gateway.base import TestDoor
from portal.payment_collection.gateways.test_gateway.objects import found, made_once, told
from portal.payment_collection.port.checkouts import CheckoutState, OpenedCheckout
from portal.payment_collection.port.methods import (
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
    code: str = ""
    years: int = 4  # until it expires; 0: at the end of this month


BEHAVIOURS = {
    "card": Behaviour("card", "Visa", "4242", "succeeded"),
    "declined-card": Behaviour(
        "card", "Visa", "0002", "failed", "The card was declined.", "card_declined"
    ),
    "in-person-card": Behaviour(
        "card", "Visa", "3155", "failed",
        "The bank wants the owner of this card to confirm in person: ask them to pay online.",
        "authentication_required",
    ),
    "expiring-card": Behaviour("card", "Mastercard", "4444", "succeeded", years=0),
    "bank": Behaviour("bank_debit", "Test Bank", "6789", "processing"),
}  # fmt: skip
SETUP_BUTTONS = (*BEHAVIOURS, "refuse")
METHOD_BUTTONS = ("renew", "detach", "end-mandate")


class TestMethods(TestDoor):
    """Rows of kind payer, setup and method; a method's parent is its payer."""

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

    def press_method(self, method_ref: str, button: str) -> list[bytes]:
        """What happens to a kept card or account at its bank; the webhooks.

        Raises DomainError when the method is not kept any more.
        """
        with own_transaction() as session:
            row = found(session, "method", method_ref)
            if row.state != "attached" or button not in METHOD_BUTTONS:
                raise DomainError("This test payment method is past that step.")
            if button == "renew":
                renewed = Behaviour(row.data["kind"], "", "", "")
                row.data = {**row.data, "expires_on": str(expiry_of(renewed) or "")}
                return [told("payment_method.automatically_updated", object=row.ref)]
            row.state = "detached"
            if button == "end-mandate":
                return [told("mandate.updated", object=f"mandate_{row.ref}")]
            return [told("payment_method.detached", object=row.ref)]

    def thing(self, kind: str, ref: str) -> TestGatewayObject | None:
        """What a page shows of a visit, a kept method or a charge."""
        with reading():
            return db.session.scalars(
                sa.select(TestGatewayObject).where(
                    TestGatewayObject.kind == kind, TestGatewayObject.ref == ref
                )
            ).one_or_none()

    def forget_method(self, method_ref: str) -> None:
        with own_transaction() as session:
            found(session, "method", method_ref).state = "detached"


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
