from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.kernel.calendar import days_in_month
from portal.kernel.errors import InvalidFields
from portal.kernel.money import Money
from portal.models import PlanRhythm
from portal.payment_plans import MOST_INSTALMENTS, split_plan

AMOUNTS = st.integers(min_value=MOST_INSTALMENTS, max_value=10_000_000).map(Money)
COUNTS = st.integers(min_value=1, max_value=MOST_INSTALMENTS)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 1, 1))


def days(rhythm, first_on, payments=4):
    return [one.due_on for one in split_plan(Money.of(100), payments, rhythm, first_on)]


@settings(max_examples=500)
@given(AMOUNTS, COUNTS, st.sampled_from(PlanRhythm), DAYS)
def test_instalments_add_up_to_the_cent_with_the_remainder_on_the_first(
    amount, payments, rhythm, first_on
):
    found = split_plan(amount, payments, rhythm, first_on)
    amounts = [one.amount for one in found]

    assert Money.total(amounts) == amount
    assert len(set(amounts[1:])) <= 1
    assert all(amounts[0] >= other for other in amounts)
    assert 0 <= amounts[0].cents - amounts[-1].cents < payments
    assert [one.number for one in found] == list(range(1, payments + 1))


@settings(max_examples=500)
@given(COUNTS, DAYS)
def test_months_keep_the_wanted_day_or_end_with_a_shorter_month(payments, first_on):
    for number, day in enumerate(days(PlanRhythm.MONTHLY, first_on, payments)):
        months = (day.year - first_on.year) * 12 + day.month - first_on.month
        assert months == number
        assert day.day == min(first_on.day, days_in_month(day.year, day.month))


@given(COUNTS, DAYS, st.sampled_from([(PlanRhythm.WEEKLY, 7), (PlanRhythm.BIWEEKLY, 14)]))
def test_weeks_are_seven_days_over_every_change_of_the_clocks(payments, first_on, rhythm):
    found = days(rhythm[0], first_on, payments)
    assert found == [first_on + timedelta(days=rhythm[1] * n) for n in range(payments)]


def test_the_31st_comes_back_after_a_short_february():
    assert days(PlanRhythm.MONTHLY, date(2027, 12, 31)) == [
        date(2027, 12, 31), date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31),
    ]  # fmt: skip


def test_a_leap_day_is_met_in_a_year_without_one():
    assert days(PlanRhythm.MONTHLY, date(2028, 2, 29), 13)[-1] == date(2029, 2, 28)


def test_the_days_the_clocks_change_are_days_like_others():
    assert days(PlanRhythm.WEEKLY, date(2026, 3, 1), 3) == [
        date(2026, 3, 1), date(2026, 3, 8), date(2026, 3, 15),
    ]  # fmt: skip
    assert days(PlanRhythm.WEEKLY, date(2026, 10, 25), 2)[-1] == date(2026, 11, 1)


def test_a_hundred_dollars_in_three():
    found = split_plan(Money.of("100.01"), 3, PlanRhythm.WEEKLY, date(2026, 3, 2))
    assert [str(one.amount) for one in found] == ["$33.35", "$33.33", "$33.33"]


@pytest.mark.parametrize(("cents", "payments"), [(100, 0), (100, -1), (100, 37), (3, 4), (0, 1)])
def test_what_cannot_be_split_is_refused_in_words(cents, payments):
    with pytest.raises(InvalidFields):
        split_plan(Money(cents), payments, PlanRhythm.WEEKLY, date(2026, 3, 2))
