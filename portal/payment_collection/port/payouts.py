"""What the gateway moved, kept as its fee, and paid out to the bank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from portal.kernel.money import ZERO, Money


@dataclass(frozen=True)
class MovementSeen:
    """One balance transaction; net = amount − fee. `kind` is a word of MovementKind.

    `payment_ref` is the payment it belongs to, `source_ref` its charge, refund or dispute.
    """

    movement_ref: str
    kind: str
    amount: Money
    fee: Money
    moved_at: datetime
    payment_ref: str = ""
    source_ref: str = ""
    payout_ref: str = ""
    currency: str = ""


@dataclass(frozen=True)
class PayoutSeen:
    """`state`: on_its_way, paid or failed. Negative when the gateway took money from the bank."""

    payout_ref: str
    amount: Money
    arrives_on: date
    state: str
    failure: str = ""
    currency: str = ""


@dataclass(frozen=True)
class PaymentListed:
    """One line of the gateway's own list of payments, for comparing with ours."""

    payment_ref: str
    reference: str
    received: Money
    refunded: Money = ZERO
    received_at: datetime | None = None
    currency: str = ""


class Payouts(Protocol):
    def look_up_payout(self, payout_ref: str) -> PayoutSeen: ...

    def payouts_between(self, start: datetime, end: datetime) -> Iterator[PayoutSeen]: ...

    def movements_of(self, payout_ref: str) -> Iterator[MovementSeen]: ...

    def movements_between(self, start: datetime, end: datetime) -> Iterator[MovementSeen]: ...

    def payments_between(self, start: datetime, end: datetime) -> Iterator[PaymentListed]: ...
