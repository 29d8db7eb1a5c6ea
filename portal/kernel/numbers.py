"""Fixed-point decimals that are not money: quantities, unit prices and rates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Self

from portal.kernel.money import Money, round_half_up


@dataclass(frozen=True, slots=True, order=True)
class FixedPoint:
    """A decimal kept as a whole number of its smallest step, so databases add it exactly."""

    scaled: int
    places: ClassVar[int] = 0

    @classmethod
    def of(cls, value: str | int | Decimal) -> Self:
        """Parse a decimal; digits beyond `places` are rounded half up."""
        return cls(round_half_up(Decimal(value).scaleb(cls.places)))

    @property
    def value(self) -> Decimal:
        return Decimal(self.scaled).scaleb(-self.places)

    def __bool__(self) -> bool:
        return self.scaled != 0

    def __neg__(self) -> Self:
        return type(self)(-self.scaled)

    def __str__(self) -> str:
        text = f"{self.value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True, order=True)
class Quantity(FixedPoint):
    """How many, in ten-thousandths: hours, feet, pieces. May be negative on adjustments."""

    places: ClassVar[int] = 4


@dataclass(frozen=True, slots=True, order=True)
class UnitPrice(FixedPoint):
    """Price or cost of one unit, in hundredths of a cent."""

    places: ClassVar[int] = 4

    def extend(self, quantity: Quantity) -> Money:
        """Quantity × unit price, rounded half up to the cent (ARCHITECTURE, decision 7)."""
        return Money(round_half_up(quantity.value * self.value * 100))


@dataclass(frozen=True, slots=True, order=True)
class Rate(FixedPoint):
    """A fraction, in millionths: 8.875 % is 0.088750."""

    places: ClassVar[int] = 6

    @classmethod
    def percent(cls, value: str | int | Decimal) -> Rate:
        return cls.of(Decimal(value) / 100)

    @property
    def as_percent(self) -> Decimal:
        return self.value * 100

    def of_money(self, base: Money) -> Money:
        """This share of an amount, rounded half up to the cent."""
        return base.times(self.value)


def without_thousands(typed: str) -> str:
    """Drop commas that group thousands; any other comma stays, so that the number is refused.

    A decimal comma (106,50) must never be read as a hundred times as much.
    """
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d*)?", typed):
        return typed.replace(",", "")
    return typed
