"""Webhooks: hints where to look, nothing to believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LONGEST = 255  # characters of a reference


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

    def __post_init__(self) -> None:
        """ValueError for anything that is no short plain text: no column could keep it."""
        for value in (self.event_ref, self.kind, self.reference, self.session_ref,
                      self.payment_ref, self.object_ref, self.unsupported):  # fmt: skip
            _require_plain(value)
        if not self.event_ref or not self.kind:
            raise ValueError("An event has a name and a kind.")


class ForgedEvent(Exception):
    """The signature does not hold, or the body is not an event."""


def _require_plain(value: object) -> None:
    if not isinstance(value, str) or len(value) > LONGEST or "\0" in value:
        raise ValueError("A reference is a short text.")
    value.encode()  # half a surrogate pair is no text; UnicodeEncodeError is a ValueError


class Events(Protocol):
    def verify_event(self, body: bytes, signature: str) -> EventSeen: ...

    def read_event(self, body: bytes) -> EventSeen: ...
