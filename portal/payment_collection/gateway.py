"""The one door to a payment processor, in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from flask import current_app

from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money


class CheckoutState(StrEnum):
    """What a gateway says of a checkout; processing money may still take days."""

    OPEN = "open"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True)
class CheckoutOrder:
    """What we ask a gateway to collect. `reference` is the attempt's public id."""

    reference: str
    amount: Money
    currency: str
    description: str
    return_url: str
    email: str = ""
    locale: str = "en"


@dataclass(frozen=True)
class OpenedCheckout:
    """A page of the gateway's where the customer pays."""

    session_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutSeen:
    """The gateway's truth about one checkout, fetched, never taken from a webhook's body."""

    state: CheckoutState
    reference: str
    session_ref: str
    payment_ref: str | None = None
    received: Money = ZERO
    method: str = ""
    failure: str = ""
    received_at: datetime | None = None  # when the money was received, if the gateway says


@dataclass(frozen=True)
class DisputeSeen:
    """A dispute as a webhook reports it. An inquiry holds no funds (yet)."""

    dispute_ref: str
    payment_ref: str
    amount: Money
    reason: str
    outcome: str  # inquiry, open, won or lost


@dataclass(frozen=True)
class EventSeen:
    """A verified webhook: hints where to look, nothing to believe."""

    event_ref: str
    kind: str
    reference: str = ""
    session_ref: str = ""
    payment_ref: str = ""
    dispute: DisputeSeen | None = None
    unsupported: str = ""


class ForgedEvent(Exception):
    """The signature does not hold, or the body is not an event."""


class Gateway(Protocol):
    """A payment processor. Every call may raise OutsideFailure; unless it is permanent, what
    happened is unknown. Opening with the same reference twice opens one checkout."""

    name: str
    livemode: bool

    def open_checkout(self, order: CheckoutOrder) -> OpenedCheckout: ...

    def look_up(self, session_ref: str) -> CheckoutSeen: ...

    def close_checkout(self, session_ref: str) -> None: ...

    def verify_event(self, body: bytes, signature: str) -> EventSeen: ...

    def read_event(self, body: bytes) -> EventSeen: ...


def has_gateway() -> bool:
    """Whether online payment is offered at all."""
    return current_app.extensions.get("gateway") is not None


def gateway() -> Gateway:
    """The gateway this installation uses; DomainError when there is none."""
    chosen: Gateway | None = current_app.extensions.get("gateway")
    if chosen is None:
        raise DomainError("Online payment is not set up here. Please pay by check or transfer.")
    return chosen
