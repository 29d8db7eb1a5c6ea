"""The plain rule: how long an invoice is past due says how likely it stays unpaid.

Used while the history is too short to learn from, and what the learned model is measured by.
The chances are the house's own, rounded from what collectors expect; docs/figures.md.
"""

from __future__ import annotations

from decimal import Decimal

STEPS = ((0, 0.40), (30, 0.55), (60, 0.70), (90, 0.80))  # up to so many days past due
BEYOND = 0.90
WEEKS = 8
HEADLINE = 4  # the week a score is about


def rule_chance(days_past_due: int) -> float:
    """The chance that it is still unpaid four weeks on."""
    return next((chance for limit, chance in STEPS if days_past_due <= limit), BEYOND)


def rule_by_week(days_past_due: int) -> list[float]:
    """The same one to eight weeks on, as if the same share were paid every week."""
    weekly = rule_chance(days_past_due) ** (1 / HEADLINE)
    return [round(float(weekly**week), 4) for week in range(1, WEEKS + 1)]


def as_rate(chance: float) -> Decimal:
    """A chance to four decimals, as it is stored and shown."""
    return Decimal(f"{chance:.4f}")
