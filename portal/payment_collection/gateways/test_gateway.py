"""The built-in TEST GATEWAY: the same path as a real one, but no money moves.

It stands for a foreign system: it keeps its own rows in its own transactions, and reports by
signed webhooks. It has buttons only and never asks for a card number.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db import own_transaction, reading
from portal.db.base import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import TestCheckout
from portal.payment_collection.gateway import (
    CheckoutOrder,
    CheckoutSeen,
    CheckoutState,
    DisputeSeen,
    EventSeen,
    ForgedEvent,
    OpenedCheckout,
)

LIFETIME = timedelta(hours=24)
OUTCOMES = {  # button → (state it leads to, method)
    "succeed": ("succeeded", "card"),
    "decline": ("open", "card"),
    "bank-debit": ("processing", "bank_debit"),
    "debit-settles": ("succeeded", "bank_debit"),
    "debit-fails": ("failed", "bank_debit"),
    "dispute": ("succeeded", "card"),
    "dispute-won": ("succeeded", "card"),
}
EVENTS = {
    "succeed": ["payment_intent.succeeded", "checkout.session.completed"],
    "decline": ["payment_intent.payment_failed"],
    "bank-debit": ["payment_intent.processing", "checkout.session.completed"],
    "debit-settles": ["payment_intent.succeeded", "checkout.session.async_payment_succeeded"],
    "debit-fails": ["payment_intent.payment_failed", "checkout.session.async_payment_failed"],
    "dispute": ["charge.dispute.created"],
    "dispute-won": ["charge.dispute.closed"],
}
ALLOWED_FROM = {
    "succeed": "open",
    "decline": "open",
    "bank-debit": "open",
    "debit-settles": "processing",
    "debit-fails": "processing",
    "dispute": "succeeded",
    "dispute-won": "succeeded",
}


class TestGateway:
    """Opens pages of our own at /test-gateway; `secret` signs its webhooks."""

    __test__ = False  # pytest: not a test class
    name = "test"
    livemode = False

    def __init__(self, secret: str, base_url: str) -> None:
        self._secret = hashlib.sha256(f"test gateway {secret}".encode()).digest()
        self._base_url = base_url

    def open_checkout(self, order: CheckoutOrder) -> OpenedCheckout:
        """Open a page; the same reference opens the same page."""
        with own_transaction() as session:
            row = _by(session, TestCheckout.idempotency_key, order.reference)
            if row is None:
                token = secrets.token_urlsafe(24)
                row = TestCheckout(
                    session_ref=f"tcs_{token}",
                    payment_ref=f"tpi_{secrets.token_urlsafe(16)}",
                    idempotency_key=order.reference,
                    client_reference=order.reference,
                    description=order.description,
                    amount=order.amount,
                    return_url=order.return_url,
                    expires_at=clock.now() + LIFETIME,
                )
                session.add(row)
                session.flush()
            url = f"{self._base_url}/test-gateway/checkout/{row.session_ref}"
            return OpenedCheckout(row.session_ref, url, row.expires_at)

    def look_up(self, session_ref: str) -> CheckoutSeen:
        with reading(), Session(db.engine) as session:
            row = _by(session, TestCheckout.session_ref, session_ref)
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
                received_at=row.pressed_at if paid else None,
            )

    def close_checkout(self, session_ref: str) -> None:
        with own_transaction() as session:
            row = _by(session, TestCheckout.session_ref, session_ref)
            if row is not None and row.state == "open":
                row.state = "expired"

    def verify_event(self, body: bytes, signature: str) -> EventSeen:
        given = signature.encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(self.sign(body).encode(), given):
            raise ForgedEvent("The signature does not match.")
        try:
            return self.read_event(body)
        except (ValueError, KeyError, TypeError) as error:
            raise ForgedEvent(str(error)) from error

    def read_event(self, body: bytes) -> EventSeen:
        event: dict[str, Any] = json.loads(body.decode())
        if not isinstance(event, dict):
            raise ValueError("not an event")
        dispute = event.get("dispute")
        return EventSeen(
            event_ref=str(event["id"]),
            kind=str(event["type"]),
            reference=str(event["reference"]),
            session_ref=str(event["session"]),
            payment_ref=str(event["payment"]),
            dispute=DisputeSeen(
                dispute_ref=str(dispute["id"]),
                payment_ref=str(event["payment"]),
                amount=Money(int(dispute["amount"])),
                reason="test dispute",
                outcome=str(dispute["outcome"]),
            )
            if dispute
            else None,
        )

    def sign(self, body: bytes) -> str:
        """The signature header of a webhook body."""
        return hmac.new(self._secret, body, hashlib.sha256).hexdigest()

    def checkout(self, session_ref: str) -> TestCheckout | None:
        """What the page shows."""
        with reading():
            return _by(db.session, TestCheckout.session_ref, session_ref)

    def press(self, session_ref: str, button: str) -> tuple[str, list[bytes]]:
        """One of the page's buttons: move the state, return where to go and the webhooks.

        Raises DomainError when the checkout is not in a state that has this button.
        """
        with own_transaction() as session:
            row = _by(session, TestCheckout.session_ref, session_ref)
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


def _event(row: TestCheckout, kind: str) -> bytes:
    event: dict[str, Any] = {
        "id": f"tevt_{secrets.token_urlsafe(16)}",
        "type": kind,
        "reference": row.client_reference,
        "session": row.session_ref,
        "payment": row.payment_ref,
    }
    if kind.startswith("charge.dispute."):
        event["dispute"] = {
            "id": f"tdp_{row.payment_ref}",
            "amount": row.amount.cents,
            "outcome": "won" if kind.endswith("closed") else "open",
        }
    return json.dumps(event).encode()


def _by(session: Any, column: Any, value: str) -> TestCheckout | None:
    found: TestCheckout | None = session.scalar(sa.select(TestCheckout).where(column == value))
    return found
