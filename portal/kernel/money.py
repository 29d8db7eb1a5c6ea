"""Money as whole cents. No floats, no rounding surprises, exact sums in any database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in whole cents of the installation's one currency; may be negative."""

    cents: int = 0

    @classmethod
    def of(cls, amount: str | int | Decimal) -> Money:
        """Parse an amount in currency units ("12.34"); half cents round away from zero."""
        return cls(round_half_up(Decimal(amount) * 100))

    @classmethod
    def total(cls, amounts: Iterable[Money]) -> Money:
        return cls(sum(amount.cents for amount in amounts))

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def __sub__(self, other: Money) -> Money:
        return Money(self.cents - other.cents)

    def __neg__(self) -> Money:
        return Money(-self.cents)

    def __abs__(self) -> Money:
        return Money(abs(self.cents))

    def __lt__(self, other: Money) -> bool:
        return self.cents < other.cents

    def __bool__(self) -> bool:
        return self.cents != 0

    def __str__(self) -> str:
        """As English sentences say it, in the installation's currency (see write_money_by)."""
        return _write(self)

    @property
    def amount(self) -> Decimal:
        """The amount in currency units, exactly two decimals."""
        return Decimal(self.cents).scaleb(-2)

    def times(self, factor: Decimal) -> Money:
        """Multiply and round half up to the cent; the only place a product is rounded."""
        return Money(round_half_up(Decimal(self.cents) * factor))

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Share out by weight so that the parts always add up to the whole.

        Leftover cents go to the largest remainders, earliest first. A negative amount is
        split like its absolute value, so a reversal mirrors the original to the cent.
        Raises ValueError when a weight is negative or all are zero.
        """
        if not weights or sum(weights) <= 0 or min(weights) < 0:
            raise ValueError("weights must not be negative and must add up to more than zero")
        if self.cents < 0:
            return [-part for part in (-self).split(weights)]
        whole = sum(weights)
        shares = [divmod(self.cents * weight, whole) for weight in weights]
        leftover = self.cents - sum(share for share, _ in shares)
        favoured = sorted(range(len(shares)), key=lambda i: -shares[i][1])[:leftover]
        return [Money(share + (i in favoured)) for i, (share, _) in enumerate(shares)]


def round_half_up(value: Decimal) -> int:
    """To the nearest whole number; halves go away from zero."""
    return int(value.quantize(Decimal(1), rounding=ROUND_HALF_UP))


ZERO = Money(0)


def write_in_dollars(amount: Money) -> str:
    """$1,234.50, with the minus before the sign of the currency."""
    sign = "-" if amount.cents < 0 else ""
    return f"{sign}${abs(amount.cents) // 100:,}.{abs(amount.cents) % 100:02}"


def write_money_by(how: Callable[[Money], str]) -> None:
    """Say how sentences write amounts: an installation has one currency, and one way to say it.

    The company does this whenever its currency is read or changed.
    """
    global _write  # one company per installation, one currency per process
    _write = how


_write: Callable[[Money], str] = write_in_dollars
