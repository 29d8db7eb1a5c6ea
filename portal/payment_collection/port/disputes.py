"""What a payer's bank asks back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from portal.kernel.money import Money
from portal.payment_collection.port.payouts import MovementSeen


@dataclass(frozen=True)
class DisputeSeen:
    """A dispute. An inquiry holds no funds (yet); `movements` are what really moved.

    `outcome`: inquiry, open, under_review, won, lost or closed (an inquiry come to nothing).
    """

    dispute_ref: str
    payment_ref: str
    amount: Money
    reason: str
    outcome: str
    answer_by: datetime | None = None
    movements: tuple[MovementSeen, ...] = ()
    currency: str = ""
    answered: bool = False  # our evidence was taken


class Disputes(Protocol):
    def look_up_dispute(self, dispute_ref: str) -> DisputeSeen: ...

    def answer_dispute(
        self, dispute_ref: str, words: Mapping[str, str], pdf: bytes, reference: str
    ) -> DisputeSeen: ...
