"""Money, dates and numbers as people of a locale write them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import dates, numbers

from portal.kernel.money import Money


@lru_cache(maxsize=20_000)
def format_money(amount: Money, locale: str, currency: str = "USD") -> str:
    """$1,234.50 in the locale's form; negative amounts carry the locale's minus."""
    return str(numbers.format_currency(amount.amount, currency, locale=locale))


@lru_cache(maxsize=20_000)
def format_day(day: date, locale: str, style: str = "medium") -> str:
    """A business date; `style` is Babel's short, medium, long or full."""
    return str(dates.format_date(day, style, locale=locale))


@lru_cache(maxsize=20_000)
def format_month(day: date, locale: str) -> str:
    """The month of a date with its year, e.g. February 2026."""
    return str(dates.format_skeleton("yMMMM", day, locale=locale))


def format_months(locale: str) -> list[str]:
    """The names of the twelve months, January first."""
    names = dates.get_month_names("wide", context="stand-alone", locale=locale)
    return [str(names[number]) for number in range(1, 13)]


def format_instant(at: datetime, locale: str, zone: str) -> str:
    """Date and time of an instant in the company's zone."""
    return str(dates.format_datetime(at.astimezone(ZoneInfo(zone)), "medium", locale=locale))


@lru_cache(maxsize=20_000)
def format_quantity(value: Decimal, locale: str) -> str:
    """Up to four decimals, none that are zero."""
    return str(numbers.format_decimal(value, "#,##0.####", locale=locale))


@lru_cache(maxsize=20_000)
def format_rate(fraction: Decimal, locale: str) -> str:
    """A fraction as a percentage with up to four decimals: 0.08875 is 8.875%."""
    return str(numbers.format_percent(fraction, "#,##0.####%", locale=locale))
