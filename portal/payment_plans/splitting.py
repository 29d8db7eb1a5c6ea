"""An amount cut into instalments: equal to the cent, on real days. Plain functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from portal.kernel import calendar
from portal.kernel.errors import InvalidFields
from portal.kernel.money import Money
from portal.models import PlanRhythm

MOST_INSTALMENTS = 36  # nobody agrees on more than three years of months
DAYS = {PlanRhythm.WEEKLY: 7, PlanRhythm.BIWEEKLY: 14}


@dataclass(frozen=True)
class Instalment:
    """What is to be paid on one day; `number` counts from 1."""

    number: int
    due_on: date
    amount: Money


def split_plan(
    amount: Money, payments: int, rhythm: PlanRhythm, first_on: date
) -> Sequence[Instalment]:
    """Instalments that add up to the amount; leftover cents are on the first.

    Months keep the wanted day and clamp to shorter months (31 January, 28 February, 31 March);
    weekends stay. A payment today is a down payment and counts. Raises InvalidFields when the
    number or the amount cannot be split so.
    """
    if not 1 <= payments <= MOST_INSTALMENTS:
        raise InvalidFields({"payments": f"Give a number from 1 to {MOST_INSTALMENTS}."})
    if amount.cents < payments:
        raise InvalidFields({"amount": f"{amount} cannot be split into {payments} payments."})
    rest = amount.split([1] * payments)[-1]  # the smallest part: the leftover goes ahead of it
    first = amount - Money.total([rest] * (payments - 1))
    return [
        Instalment(number + 1, _day(first_on, number, rhythm), rest if number else first)
        for number in range(payments)
    ]


def _day(first_on: date, number: int, rhythm: PlanRhythm) -> date:
    if rhythm is PlanRhythm.MONTHLY:
        return calendar.add_months(first_on, number)
    return first_on + timedelta(days=DAYS[rhythm] * number)
