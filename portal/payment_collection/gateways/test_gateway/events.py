"""Webhooks of the TEST GATEWAY: signed as a real one's."""

from __future__ import annotations

import hmac
import json
from typing import Any

from portal.payment_collection.gateways.test_gateway.base import TestDoor
from portal.payment_collection.port.events import EventSeen, ForgedEvent


class TestEvents(TestDoor):
    """What it tells by itself."""

    def verify_event(self, body: bytes, signature: str) -> EventSeen:
        given = signature.encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(self.sign(body).encode(), given):
            raise ForgedEvent("The signature does not match.")
        try:
            return self.read_event(body)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ForgedEvent(str(error)) from error

    def read_event(self, body: bytes) -> EventSeen:
        event: dict[str, Any] = json.loads(body.decode())
        if not isinstance(event, dict):
            raise ValueError("not an event")
        return EventSeen(
            event_ref=event["id"],
            kind=event["type"],
            reference=event.get("reference") or event.get("setup") or "",
            session_ref=event.get("session") or "",
            payment_ref=event.get("payment") or "",
            object_ref=event.get("object") or "",
        )
