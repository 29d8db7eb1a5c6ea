"""Cells into values, each refusal a sentence."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation

from portal.kernel.money import Money
from portal.kernel.numbers import UnitPrice, without_thousands

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
LARGEST = Decimal("99999999.99")


def to_text(cell: str) -> str:
    return cell.strip()


def to_money(cell: str) -> Money:
    """1234.5, $1,234.50 or (12.00); at most two decimals."""
    number = _number(cell, "an amount such as 1234.50")
    if number != number.quantize(Decimal("0.01")):
        raise ValueError(f"“{cell}” has more than two decimals.")
    return Money.of(number)


def to_price(cell: str) -> UnitPrice:
    number = _number(cell, "a price such as 18.50")
    if number < 0:
        raise ValueError("A price cannot be negative.")
    return UnitPrice.of(number)


def to_day(cell: str) -> date:
    """2026-03-01, 3/1/2026 (month first), or 1 Mar 2026."""
    words = cell.strip()
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", words):
        year, month, day = (int(part) for part in found.groups())
    elif found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", words):
        month, day, year = (int(part) for part in found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[ -]([A-Za-z]{3})[a-z]*[ -](\d{4})", words):
        day, month, year = int(found[1]), MONTHS.get(found[2].lower(), 0), int(found[3])
    else:
        raise ValueError(f"“{cell}” is not a date; write 2026-03-01 or 3/1/2026 (month first).")
    try:
        value = date(year, month, day)
    except ValueError:
        raise ValueError(
            f"There is no day “{cell}”; dates with slashes put the month first."
        ) from None
    if not 1990 <= value.year <= 2100:
        raise ValueError(f"“{cell}” is too far away.")
    return value


def to_yes(cell: str) -> bool:
    words = cell.strip().lower()
    if words in ("yes", "y", "true", "1", "x", "taxable", "active"):
        return True
    if words in ("no", "n", "false", "0", "", "non", "inactive"):
        return False
    raise ValueError(f"“{cell}” is neither yes nor no.")


def _number(cell: str, wanted: str) -> Decimal:
    words = cell.strip()
    negative = words.startswith("(") and words.endswith(")")
    cleaned = words.strip("()").replace("$", "").replace(" ", "")
    try:
        number = Decimal(without_thousands(cleaned))
    except InvalidOperation:
        raise ValueError(f"“{cell}” is not {wanted}.") from None
    if not number.is_finite() or abs(number) > LARGEST:
        raise ValueError(f"“{cell}” is too large.")
    return -number if negative else number
