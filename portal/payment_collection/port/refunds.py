"""Money that goes back the way it came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.kernel.money import Money


class RefundState(StrEnum):
    IN_TRANSIT = "in_transit"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class RefundOrder:
    """`reference` is the refund's public id; it makes repeating safe."""

    reference: str
    payment_ref: str
    amount: Money


@dataclass(frozen=True)
class RefundSeen:
    """The gateway's truth about one refund. Without a reference it was made at the gateway."""

    state: RefundState
    refund_ref: str
    reference: str
    payment_ref: str
    amount: Money
    failure: str = ""
    moved_at: datetime | None = None
    currency: str = ""


class Refunds(Protocol):
    def give_back(self, order: RefundOrder) -> RefundSeen: ...

    def look_up_refund(self, refund_ref: str) -> RefundSeen: ...

    def refunds_of(self, payment_ref: str) -> list[RefundSeen]: ...
