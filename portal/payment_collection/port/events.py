"""Webhooks: hints where to look, nothing to believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class EventSeen:
    """A verified webhook. `object_ref` is what it is about, e.g. a refund or a payout."""

    event_ref: str
    kind: str
    reference: str = ""
    session_ref: str = ""
    payment_ref: str = ""
    object_ref: str = ""
    unsupported: str = ""


class ForgedEvent(Exception):
    """The signature does not hold, or the body is not an event."""


class Events(Protocol):
    def verify_event(self, body: bytes, signature: str) -> EventSeen: ...

    def read_event(self, body: bytes) -> EventSeen: ...
