"""Pages of our own with buttons instead of a card form."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from portal.db import insert_once, own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO
from portal.models import TestCheckout
from portal.payment_collection.gateways.test_gateway.base import TestDoor, checkout_by
from portal.payment_collection.port.checkouts import (
    CheckoutOrder,
    CheckoutSeen,
    CheckoutState,
    OpenedCheckout,
)

LIFETIME = timedelta(hours=24)
OUTCOMES = {  # button → (state it leads to, method)
    "succeed": ("succeeded", "card"),
    "decline": ("open", "card"),
    "bank-debit": ("processing", "bank_debit"),
    "debit-settles": ("succeeded", "bank_debit"),
    "debit-fails": ("failed", "bank_debit"),
}
EVENTS = {
    "succeed": ["payment_intent.succeeded", "checkout.session.completed"],
    "decline": ["payment_intent.payment_failed"],
    "bank-debit": ["payment_intent.processing", "checkout.session.completed"],
    "debit-settles": ["payment_intent.succeeded", "checkout.session.async_payment_succeeded"],
    "debit-fails": ["payment_intent.payment_failed", "checkout.session.async_payment_failed"],
}
ALLOWED_FROM = {
    "succeed": "open",
    "decline": "open",
    "bank-debit": "open",
    "debit-settles": "processing",
    "debit-fails": "processing",
}


def _new_page(order: CheckoutOrder) -> TestCheckout:
    return TestCheckout(
        session_ref=f"tcs_{secrets.token_urlsafe(24)}",
        payment_ref=f"tpi_{secrets.token_urlsafe(16)}",
        idempotency_key=order.reference,
        client_reference=order.reference,
        description=order.description,
        amount=order.amount,
        currency=order.currency,
        return_url=order.return_url,
        expires_at=clock.now() + LIFETIME,
    )


def _page_of(session: Session, order: CheckoutOrder) -> TestCheckout:
    row = checkout_by(session, TestCheckout.idempotency_key, order.reference)
    if row is None:
        raise OutsideFailure("TEST GATEWAY: the page is just being opened.")
    return row


class TestCheckouts(TestDoor):
    """Opens pages at /test-gateway."""

    def open_checkout(self, order: CheckoutOrder) -> OpenedCheckout:
        """Open a page; the same reference opens the same page."""
        with own_transaction() as session:
            row = checkout_by(session, TestCheckout.idempotency_key, order.reference)
            if row is None:
                opened = _new_page(order)
                # two workers may ask at once: the second finds the page of the first
                row = opened if insert_once(opened, session) else _page_of(session, order)
            url = f"{self._base_url}/test-gateway/checkout/{row.session_ref}"
            return OpenedCheckout(row.session_ref, url, row.expires_at)

    def look_up(self, session_ref: str) -> CheckoutSeen:
        with reading(), Session(db.engine) as session:
            row = checkout_by(session, TestCheckout.session_ref, session_ref)
            if row is None:
                raise OutsideFailure(
                    "TEST GATEWAY: no such checkout.", permanent=True, missing=True
                )
            paid = row.state == "succeeded"
            return CheckoutSeen(
                state=_state(row),
                reference=row.client_reference,
                session_ref=row.session_ref,
                payment_ref=row.payment_ref if row.method else None,
                received=row.amount if paid else ZERO,
                method=row.method,
                failure=row.failure,
                failure_code=_code(row),
                received_at=row.pressed_at if paid else None,
                currency=row.currency,
            )

    def close_checkout(self, session_ref: str) -> None:
        with own_transaction() as session:
            row = checkout_by(session, TestCheckout.session_ref, session_ref)
            if row is not None and row.state == "open":
                row.state = "expired"

    def checkout(self, session_ref: str) -> TestCheckout | None:
        """What the page shows."""
        with reading():
            return checkout_by(db.session, TestCheckout.session_ref, session_ref)

    def press(self, session_ref: str, button: str) -> tuple[str, list[bytes]]:
        """One of the page's buttons: move the state, return where to go and the webhooks.

        Raises DomainError when the checkout is not in a state that has this button.
        """
        with own_transaction() as session:
            row = checkout_by(session, TestCheckout.session_ref, session_ref)
            if row is None or _state(row) != ALLOWED_FROM.get(button):
                raise DomainError("This test payment is past that step.")
            row.state, row.method = OUTCOMES[button]
            if button in ("succeed", "debit-settles"):
                row.pressed_at = clock.now()
            row.failure = "The card was declined." if button == "decline" else ""
            bodies = [_event(row, kind) for kind in EVENTS[button]]
            return row.return_url, bodies


def _state(row: TestCheckout) -> CheckoutState:
    if row.state == "open" and row.expires_at <= clock.now():
        return CheckoutState.EXPIRED
    return CheckoutState(row.state)


def _code(row: TestCheckout) -> str:
    if row.state == "failed":
        return "insufficient_funds"  # a debit that came back
    return "card_declined" if row.failure else ""


def _event(row: TestCheckout, kind: str) -> bytes:
    event: dict[str, Any] = {
        "id": f"tevt_{secrets.token_urlsafe(16)}",
        "type": kind,
        "reference": row.client_reference,
        "session": row.session_ref,
        "payment": row.payment_ref,
    }
    return json.dumps(event).encode()
