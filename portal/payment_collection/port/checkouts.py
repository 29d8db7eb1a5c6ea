"""Pages of the gateway's where somebody pays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.kernel.money import ZERO, Money


class CheckoutState(StrEnum):
    """What a gateway says of a checkout or a charge; processing money may still take days."""

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
    """A page of the gateway's where the customer pays or saves a method."""

    session_ref: str
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class CheckoutSeen:
    """The gateway's truth about one checkout or one charge of a saved method (which has no
    session), fetched, never taken from a webhook's body."""

    state: CheckoutState
    reference: str
    session_ref: str
    payment_ref: str | None = None
    received: Money = ZERO
    method: str = ""
    failure: str = ""  # for the office
    received_at: datetime | None = None  # when the money was received, if the gateway says
    failure_code: str = ""  # why it was refused, e.g. insufficient_funds (see refusals)
    currency: str = ""  # of `received`, as EUR; every gateway says it of money received


class Checkouts(Protocol):
    """Opening with the same reference twice opens one checkout."""

    def open_checkout(self, order: CheckoutOrder) -> OpenedCheckout: ...

    def look_up(self, session_ref: str) -> CheckoutSeen: ...

    def close_checkout(self, session_ref: str) -> None: ...
