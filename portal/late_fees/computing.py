"""What a late invoice is charged by its term's rule: plain arithmetic over known facts.

Sources: servicetitan-rules §9.3, assistants-and-matching §5. Simple interest on what is owed
today; a consumer never pays interest on interest nor more per year than their state's limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from portal.kernel import calendar
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import FeeBase, FeeFrequency, FeeShape, LateFeeRule

DAYS_OF_A_YEAR = 365
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Period:
    """The days one charge is for, both counted."""

    starts_on: date
    ends_on: date

    @property
    def days(self) -> int:
        return (self.ends_on - self.starts_on).days + 1


@dataclass(frozen=True)
class LateInvoice:
    """What must be known of an invoice to charge it.

    `undisputed` is what is owed and not contested, `earlier` what is open of its earlier
    interest, `charged` what all its charges came to that were not taken back, and
    `charged_through` the last day that any of them was for.
    """

    total: Money
    undisputed: Money
    earlier: Money
    charged: Money
    due: date
    charged_through: date | None
    is_business: bool
    limit: Rate | None


@dataclass(frozen=True)
class Charge:
    """An amount for some periods, and how it comes about."""

    amount: Money
    periods: list[Period]
    sentence: str


def charge_for(rule: LateFeeRule, late: LateInvoice, *, on: date) -> Charge | str:
    """What is charged that day, or the sentence why nothing is."""
    first = late.due + timedelta(days=rule.grace_days) + DAY
    if on < first:
        return f"It is within its {rule.grace_days} days of grace."
    periods = list(_periods(rule.frequency, first, late.charged_through, on))
    if not periods:
        return "It was charged for these days already."
    base, words = _base(rule, late)
    amount, how = _amount(rule, base, periods)
    amount, bound = _bounded(rule, late, amount, on)
    if amount <= ZERO:
        return bound or "That comes to nothing."
    return Charge(amount, periods, f"{words}{how}{bound and f'; {bound}'}")


def _periods(
    frequency: FeeFrequency, first: date, through: date | None, on: date
) -> Iterator[Period]:
    """The periods that have begun by that day and were not charged."""
    match frequency:
        case FeeFrequency.ONCE:
            if through is None:
                yield Period(first, first)
        case FeeFrequency.DAILY:
            start = max(first, through + DAY) if through else first
            if start <= on:
                yield Period(start, on)
        case FeeFrequency.MONTHLY:
            number = 0
            while (start := calendar.add_months(first, number)) <= on:
                number += 1
                if through is None or start > through:
                    yield Period(start, calendar.add_months(first, number) - DAY)


def _base(rule: LateFeeRule, late: LateInvoice) -> tuple[Money, str]:
    """What bears interest: what is owed and not disputed, for a business with earlier interest."""
    if rule.base is FeeBase.TOTAL and late.is_business and late.earlier:
        whole = late.undisputed + late.earlier
        return whole, f"{late.undisputed} + {late.earlier} earlier interest: "
    return late.undisputed, ""


def _amount(rule: LateFeeRule, base: Money, periods: list[Period]) -> tuple[Money, str]:
    if not base:
        return ZERO, ""
    percent, how = _percent(rule, base, periods)
    times = (
        sum(one.days for one in periods) if rule.frequency is FeeFrequency.DAILY else len(periods)
    )
    flat = Money(rule.flat.cents * times)
    flat_how = f"a flat {rule.flat}" + (f" × {times}" if times > 1 else "")
    match rule.shape:
        case FeeShape.FLAT:
            return flat, flat_how
        case FeeShape.PERCENT:
            return percent, how
        case FeeShape.GREATER:
            return (flat, f"{flat_how}, more than {how}") if flat >= percent else (percent, how)


def _percent(rule: LateFeeRule, base: Money, periods: list[Period]) -> tuple[Money, str]:
    """Rounded half up once, over all periods together."""
    shown = f"{rule.rate.as_percent.normalize():f}%"
    match rule.frequency:
        case FeeFrequency.ONCE:
            factor, how = rule.rate.value, f"{base} × {shown}"
        case FeeFrequency.DAILY:
            days = sum(one.days for one in periods)
            factor = rule.rate.value * days / DAYS_OF_A_YEAR
            how = f"{base} × {shown} per year × {days} days ÷ 365"
        case FeeFrequency.MONTHLY:
            months = len(periods)
            factor = rule.rate.value * months / 12
            how = f"{base} × {shown} per year × {months} of 12 months"
    amount = base.times(Decimal(factor))
    return amount, f"{how} = {amount}"


def _bounded(rule: LateFeeRule, late: LateInvoice, amount: Money, on: date) -> tuple[Money, str]:
    """The amount within the cap and, for a consumer, the yearly limit; and what bound it."""
    bound = ""
    if rule.cap:
        left = max(rule.cap.of_money(late.total) - late.charged, ZERO)
        if amount > left:
            shown = f"{rule.cap.as_percent.normalize():f}%"
            amount, bound = left, f"its charges are capped at {shown} of the invoice"
    if late.limit is not None and not late.is_business:
        days = (on - late.due).days
        lawful = late.undisputed.times(late.limit.value * days / DAYS_OF_A_YEAR)
        left = max(lawful - late.charged, ZERO)
        if amount > left:
            shown = f"{late.limit.as_percent.normalize():f}%"
            amount, bound = left, f"a consumer pays at most {shown} per year"
    return amount, bound
