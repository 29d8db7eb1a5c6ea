"""The gateway this installation uses: one door, made of the parts in `port`."""

from __future__ import annotations

from typing import Protocol

from flask import current_app

from portal.kernel.errors import DomainError
from portal.payment_collection.port.checkouts import (
    CheckoutOrder,
    Checkouts,
    CheckoutSeen,
    CheckoutState,
    OpenedCheckout,
)
from portal.payment_collection.port.disputes import Disputes, DisputeSeen
from portal.payment_collection.port.events import Events, EventSeen, ForgedEvent
from portal.payment_collection.port.methods import (
    ChargeOrder,
    MethodSeen,
    PayerOrder,
    SavedMethods,
    SetupOrder,
    SetupSeen,
)
from portal.payment_collection.port.payouts import (
    MovementSeen,
    PaymentListed,
    Payouts,
    PayoutSeen,
)
from portal.payment_collection.port.refunds import RefundOrder, Refunds, RefundSeen, RefundState

__all__ = [
    "ChargeOrder",
    "CheckoutOrder",
    "CheckoutSeen",
    "CheckoutState",
    "DisputeSeen",
    "EventSeen",
    "ForgedEvent",
    "Gateway",
    "MethodSeen",
    "MovementSeen",
    "OpenedCheckout",
    "PayerOrder",
    "PaymentListed",
    "PayoutSeen",
    "RefundOrder",
    "RefundSeen",
    "RefundState",
    "SetupOrder",
    "SetupSeen",
    "gateway",
    "has_gateway",
]


class Gateway(Checkouts, SavedMethods, Refunds, Disputes, Payouts, Events, Protocol):
    """A payment processor. Every call may raise OutsideFailure; unless it is permanent, what
    happened is unknown."""

    name: str
    livemode: bool


def has_gateway() -> bool:
    """Whether online payment is offered at all."""
    return current_app.extensions.get("gateway") is not None


def gateway() -> Gateway:
    """The gateway this installation uses; DomainError when there is none."""
    chosen: Gateway | None = current_app.extensions.get("gateway")
    if chosen is None:
        raise DomainError("Online payment is not set up here. Please pay by check or transfer.")
    return chosen
