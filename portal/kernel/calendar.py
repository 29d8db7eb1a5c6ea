"""Arithmetic on business dates: months that clamp, quarters, fiscal years."""

from __future__ import annotations

import calendar
from datetime import date, timedelta


def days_in_month(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def on_day(year: int, month: int, day: int) -> date:
    """That day of the month, or the month's last day when it is shorter (31 → 28 February)."""
    return date(year, month, min(day, days_in_month(year, month)))


def add_months(start: date, months: int, *, day: int | None = None) -> date:
    """`months` later (or earlier), on `day` or the same day, clamped to the month's length."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    return on_day(year, month + 1, day or start.day)


def month_start(day: date) -> date:
    return day.replace(day=1)


def month_end(day: date) -> date:
    return day.replace(day=days_in_month(day.year, day.month))


def fiscal_year(day: date, *, first_month: int = 1) -> int:
    """The year a fiscal year is named after: the calendar year in which it ends."""
    if first_month == 1 or day.month < first_month:
        return day.year
    return day.year + 1


def add_business_days(start: date, days: int) -> date:
    """So many Mondays to Fridays later; from a weekend it counts from the Friday before."""
    day = start - timedelta(days=max(start.weekday() - 4, 0))
    weeks, rest = divmod(days, 5)
    day += timedelta(weeks=weeks)
    over = day.weekday() + rest > 4
    return day + timedelta(days=rest + (2 if over else 0))
