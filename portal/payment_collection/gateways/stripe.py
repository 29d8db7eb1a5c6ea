"""Stripe: hosted Checkout Sessions. The only module that imports the SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import stripe

from portal.kernel.errors import OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.payment_collection.gateway import (
    CheckoutOrder,
    CheckoutSeen,
    CheckoutState,
    DisputeSeen,
    EventSeen,
    ForgedEvent,
    OpenedCheckout,
)

API_VERSION = "2026-10-28.endive"  # what SDK 16.1 was made for; pinned twice, checked in tests
BANK_DEBITS = ("us_bank_account", "sepa_debit", "acss_debit", "bacs_debit", "au_becs_debit")
T = TypeVar("T")


class StripeGateway:
    """Collects with Stripe. Test keys collect nothing real: livemode is false then."""

    name = "stripe"

    def __init__(
        self, secret_key: str, webhook_secret: str, *, api_base: str = "", retries: int = 2
    ) -> None:
        self.livemode = "_live_" in secret_key
        self._webhook_secret = webhook_secret
        self._client = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=15),
            base_addresses={"api": api_base} if api_base else {},
        )

    def open_checkout(self, order: CheckoutOrder) -> OpenedCheckout:
        """Open a hosted page; the reference is the idempotency key, so repeating is safe."""
        metadata = {"attempt": order.reference}
        session = _call(
            lambda: self._client.v1.checkout.sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": order.reference,
                    "metadata": metadata,
                    "payment_intent_data": {
                        "metadata": metadata,
                        "description": order.description,
                    },
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": order.currency.lower(),
                                "unit_amount": order.amount.cents,
                                "product_data": {"name": order.description},
                            },
                        }
                    ],
                    "success_url": order.return_url,
                    "cancel_url": order.return_url,
                    **({"customer_email": order.email} if order.email else {}),
                },
                {"idempotency_key": f"checkout:{order.reference}"},
            )
        )
        expires = datetime.fromtimestamp(session.expires_at, UTC)
        return OpenedCheckout(session.id, session.url or "", expires)

    def look_up(self, session_ref: str) -> CheckoutSeen:
        session = _call(
            lambda: self._client.v1.checkout.sessions.retrieve(
                session_ref, {"expand": ["payment_intent.latest_charge"]}
            )
        )
        return _seen(session)

    def close_checkout(self, session_ref: str) -> None:
        """Expire the page; one that is already complete or expired is left as it is."""
        try:
            self._client.v1.checkout.sessions.expire(session_ref)
        except stripe.InvalidRequestError:
            return  # not open any more: look_up tells what became of it
        except stripe.StripeError as error:
            raise _failure(error) from error

    def verify_event(self, body: bytes, signature: str) -> EventSeen:
        """Raises ForgedEvent for a wrong signature or anything that is not an event."""
        try:
            stripe.WebhookSignature.verify_header(
                body.decode(), signature, self._webhook_secret, 300
            )
            return self.read_event(body)
        except (
            stripe.SignatureVerificationError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as error:
            raise ForgedEvent(str(error)) from error

    def read_event(self, body: bytes) -> EventSeen:
        """The hints in a kept event's body. Raises ValueError or KeyError when there are none."""
        event = _json(body)
        thing: dict[str, Any] = event["data"]["object"]
        kind: str = event["type"]
        dispute = _dispute(thing) if kind.startswith("charge.dispute.") else None
        version = event.get("api_version")
        return EventSeen(
            event_ref=event["id"],
            kind=kind,
            reference=(thing.get("metadata") or {}).get("attempt", ""),
            session_ref=thing["id"] if kind.startswith("checkout.session.") else "",
            payment_ref=thing["id"] if kind.startswith("payment_intent.") else "",
            dispute=dispute,
            unsupported=""
            if version in (API_VERSION, None)
            else f"The event is of API version {version}; this installation speaks {API_VERSION}.",
        )


def _json(body: bytes) -> dict[str, Any]:
    parsed = json.loads(body.decode())
    shape = isinstance(parsed, dict) and (
        isinstance(parsed.get("id"), str)
        and isinstance(parsed.get("type"), str)
        and isinstance(parsed.get("data"), dict)
        and isinstance(parsed["data"].get("object"), dict)
        and isinstance(parsed["data"]["object"].get("metadata") or {}, dict)
    )
    if not shape:
        raise ValueError("not an event")
    return dict(parsed)


def _call(request: Callable[[], T]) -> T:
    try:
        return request()
    except stripe.StripeError as error:
        raise _failure(error) from error


def _failure(error: stripe.StripeError) -> OutsideFailure:
    """Only a definite refusal is permanent; time-outs, 5xx and conflicts leave it unknown."""
    definite = (
        stripe.CardError,
        stripe.InvalidRequestError,
        stripe.AuthenticationError,
        stripe.PermissionError,
    )
    return OutsideFailure(
        f"Stripe: {error.user_message or error}",
        permanent=isinstance(error, definite),
        missing=getattr(error, "code", None) == "resource_missing",
    )


def _seen(session: stripe.checkout.Session) -> CheckoutSeen:
    intent = session.payment_intent
    ref = intent if isinstance(intent, str) else (intent.id if intent else None)
    known = None if intent is None or isinstance(intent, str) else intent
    return CheckoutSeen(
        state=_state(session, known),
        reference=session.client_reference_id or "",
        session_ref=session.id,
        payment_ref=ref,
        received=Money(known.amount_received or 0) if known else ZERO,
        method=_method(known),
        failure=_failure_words(known),
        received_at=_received_at(known),
    )


def _state(session: stripe.checkout.Session, intent: stripe.PaymentIntent | None) -> CheckoutState:
    if intent is not None and intent.status == "succeeded":
        return CheckoutState.SUCCEEDED
    if intent is not None and intent.status == "processing":
        return CheckoutState.PROCESSING
    if session.status == "expired":
        return CheckoutState.EXPIRED
    if session.status == "complete" and intent is not None:
        # a debit that was accepted and later returned goes back to wanting a method
        if intent.status in ("requires_payment_method", "canceled"):
            return CheckoutState.FAILED
        return CheckoutState.PROCESSING
    return CheckoutState.OPEN


def _charge(intent: stripe.PaymentIntent | None) -> stripe.Charge | None:
    charge = getattr(intent, "latest_charge", None)  # absent when nothing was charged yet
    return None if isinstance(charge, str) else charge


def _method(intent: stripe.PaymentIntent | None) -> str:
    """How it was really paid; the intent itself only lists what was offered."""
    charge = _charge(intent)
    details = getattr(charge, "payment_method_details", None)
    offered = list(intent.payment_method_types or []) if intent else []
    kind = details.type if details else (offered[0] if len(offered) == 1 else "card")
    return "bank_debit" if kind in BANK_DEBITS else "card"


def _received_at(intent: stripe.PaymentIntent | None) -> datetime | None:
    charge = _charge(intent)
    seconds = getattr(charge or intent, "created", None)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _failure_words(intent: stripe.PaymentIntent | None) -> str:
    error = intent.last_payment_error if intent else None
    return (error.message or "") if error else ""


def _dispute(thing: dict[str, Any]) -> DisputeSeen:
    """Statuses that begin with "warning" are inquiries: Stripe holds no funds for them."""
    status = str(thing.get("status") or "")
    known = {"won": "won", "lost": "lost"}
    outcome = "inquiry" if status.startswith("warning") else known.get(status, "open")
    return DisputeSeen(
        dispute_ref=thing["id"],
        payment_ref=thing.get("payment_intent") or "",
        amount=Money(thing["amount"]),
        reason=str(thing.get("reason") or "").replace("_", " "),
        outcome=outcome,
    )
