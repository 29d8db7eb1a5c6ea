"""Webhooks of Stripe's: verified by their signature, read for hints."""

from __future__ import annotations

import json
from typing import Any

import stripe

from portal.kernel import clock
from portal.payment_collection.gateways.stripe.client import API_VERSION, StripeDoor
from portal.payment_collection.port.events import EventSeen, ForgedEvent

TOLERANCE = 300  # seconds


class StripeEvents(StripeDoor):
    """What Stripe tells by itself."""

    def verify_event(self, body: bytes, signature: str) -> EventSeen:
        """Raises ForgedEvent for a wrong signature or anything that is not an event."""
        try:
            # without the SDK's tolerance: it lets a time far in the future pass
            stripe.WebhookSignature.verify_header(body.decode(), signature, self._webhook_secret)
            _require_recent(signature)
            return self.read_event(body)
        except (
            stripe.SignatureVerificationError,
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
            RecursionError,
        ) as error:
            raise ForgedEvent(str(error)) from error

    def read_event(self, body: bytes) -> EventSeen:
        """The hints in a kept event's body. Raises ValueError or KeyError when there are none."""
        event = _json(body)
        thing: dict[str, Any] = event["data"]["object"]
        kind: str = event["type"]
        version = event.get("api_version")
        return EventSeen(
            event_ref=event["id"],
            kind=kind,
            reference=_reference(thing.get("metadata") or {}),
            session_ref=thing["id"] if kind.startswith("checkout.session.") else "",
            payment_ref=thing["id"] if kind.startswith("payment_intent.") else _payment(thing),
            object_ref=thing.get("id") or "",
            unsupported=""
            if version in (API_VERSION, None)
            else f"The event is of API version {version}; this installation speaks {API_VERSION}.",
        )


def _reference(metadata: dict[str, Any]) -> str:
    """What we wrote into it: a payment attempt's public id, or a method setup's."""
    return str(metadata.get("attempt") or metadata.get("setup") or "")


def _require_recent(signature: str) -> None:
    """ValueError unless it was signed within five minutes of now, before or after."""
    signed_at = next(int(part[2:]) for part in signature.split(",") if part.startswith("t="))
    if abs(int(clock.now().timestamp()) - signed_at) > TOLERANCE:
        raise ValueError("The signature is of another time.")


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


def _payment(thing: dict[str, Any]) -> str:
    """The payment a refund, a charge or a dispute belongs to; the door asks for no more."""
    intent = thing.get("payment_intent")
    return intent if isinstance(intent, str) else ""
