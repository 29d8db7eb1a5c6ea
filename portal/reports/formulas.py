"""The figures of receivables as plain formulas; docs/figures.md says what each one means.

Days and per cents as decimals, None where a figure does not exist (nothing was billed).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from portal.kernel.money import ZERO, Money

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class Stretch:
    """Some days in a row, and what was billed on them."""

    days: int
    billed: Money


def days_outstanding(owed: Money, billed: Money, days: int) -> Decimal | None:
    """DSO, simple: how many days of billing are still owed. Owed ÷ billed × days."""
    if billed <= ZERO:
        return None
    return Decimal(owed.cents) / Decimal(billed.cents) * days


def days_outstanding_countback(owed: Money, stretches: Sequence[Stretch]) -> Decimal | None:
    """DSO by counting back: whole months, newest first, until their billing used up what is owed.

    Of the last month only the share that is still needed counts. None when even all of them
    do not suffice: what is owed is older than what was looked at.
    """
    left, days = owed, Decimal(0)
    for stretch in stretches:
        if left <= ZERO:
            return days
        if stretch.billed > left:
            share = Decimal(left.cents) / Decimal(stretch.billed.cents)
            return days + share * stretch.days
        days += stretch.days
        left -= max(stretch.billed, ZERO)
    return days if left <= ZERO else None


def effectiveness(began: Money, billed: Money, ended: Money, not_due: Money) -> Decimal | None:
    """CEI: of what could be collected in the period, how many per cent were.

    (began + billed − ended) ÷ (began + billed − ended but not yet due) × 100.
    """
    could = began + billed - not_due
    if could <= ZERO:
        return None
    return Decimal((began + billed - ended).cents) / Decimal(could.cents) * HUNDRED


def per_cent(part: int, whole: int) -> Decimal | None:
    """A share of a count; None of nothing."""
    return Decimal(part) / Decimal(whole) * HUNDRED if whole else None
