"""Hosted Checkout Sessions."""

from __future__ import annotations

from datetime import UTC, datetime

import stripe

from portal.kernel.money import ZERO, Money
from portal.payment_collection.gateways.stripe.client import (
    BANK_DEBITS,
    StripeDoor,
    call,
    currency_of,
    failure,
)
from portal.payment_collection.port.checkouts import (
    CheckoutOrder,
    CheckoutSeen,
    CheckoutState,
    OpenedCheckout,
)


class StripeCheckouts(StripeDoor):
    """Pages where somebody pays."""

    def open_checkout(self, order: CheckoutOrder) -> OpenedCheckout:
        """Open a hosted page; the reference is the idempotency key, so repeating is safe."""
        metadata = {"attempt": order.reference}
        session = call(
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
        session = call(
            lambda: self._client.v1.checkout.sessions.retrieve(
                session_ref, {"expand": ["payment_intent.latest_charge.balance_transaction"]}
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
            raise failure(error) from error


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
        method=method_of(known),
        failure=failure_words(known),
        failure_code=failure_code(known),
        received_at=received_at_of(known),
        currency=currency_of(known),
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


def method_of(intent: stripe.PaymentIntent | None) -> str:
    """How it was really paid; the intent itself only lists what was offered."""
    charge = _charge(intent)
    details = getattr(charge, "payment_method_details", None)
    offered = list(intent.payment_method_types or []) if intent else []
    kind = details.type if details else (offered[0] if len(offered) == 1 else "card")
    return "bank_debit" if kind in BANK_DEBITS else "card"


def received_at_of(intent: stripe.PaymentIntent | None) -> datetime | None:
    """When the money was Stripe's: a debit is charged days before it settles, and only its
    balance transaction is made then. None when that is not told: then it is when we heard."""
    charge = _charge(intent)
    settled = getattr(charge, "balance_transaction", None)
    if settled is not None and not isinstance(settled, str):
        seconds = settled.created
    elif method_of(intent) == "bank_debit":
        seconds = None
    else:
        seconds = getattr(charge or intent, "created", None)
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def failure_words(intent: stripe.PaymentIntent | None) -> str:
    error = intent.last_payment_error if intent else None
    return (error.message or "") if error else ""


def failure_code(intent: stripe.PaymentIntent | None) -> str:
    """The bank's own reason when it gave one, else Stripe's."""
    error = intent.last_payment_error if intent else None
    said = getattr(error, "decline_code", None) or getattr(error, "code", None)
    return str(said or "")
