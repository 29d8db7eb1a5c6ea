"""What goes to a text gateway and what comes back, in our own language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """One text message; `key` is our own number of it."""

    recipient: str
    words: str
    key: str


@dataclass(frozen=True)
class TextTaken:
    """The gateway took it: what it calls it, and in which state it says it is."""

    reference: str
    status: str


class OutcomeUnknown(Exception):
    """The line broke after the words left: sending again might send twice."""
