"""Which promises were kept: a plain function over promises and the money that came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.kernel.money import ZERO, Money


@dataclass(frozen=True)
class Promised:
    """One promise: this much, said on `made_on`, by `promised_on`."""

    id: int
    amount: Money
    made_on: date
    promised_on: date


@dataclass(frozen=True)
class Arrived:
    """Money that really came and stayed."""

    on: date
    amount: Money


def paid_on_promises(
    promises: Sequence[Promised], money: Sequence[Arrived], *, grace_days: int
) -> dict[int, Money]:
    """How much of each promise is paid: every cent counts for one promise only.

    Money counts from the day a promise was made to its day and the days of grace. The promise
    that is due first is filled first; of a payment that fits several, the rest goes on.
    """
    paid = {one.id: ZERO for one in promises}
    grace = timedelta(days=grace_days)
    in_order = sorted(promises, key=lambda one: (one.promised_on, one.id))
    for arrived in sorted(money, key=lambda one: one.on):
        left = arrived.amount
        for one in in_order:
            if one.made_on <= arrived.on <= one.promised_on + grace:
                part = min(left, one.amount - paid[one.id])
                paid[one.id] += part
                left -= part
    return paid
