"""What a late invoice is charged, worked out by hand; no database."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import pytest

from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.late_fees.computing import Charge, LateInvoice, charge_for
from portal.models import FeeBase, FeeFrequency, FeeShape, LateFeeRule

DUE = date(2026, 1, 1)
LATE = LateInvoice(
    total=Money.of(1000), undisputed=Money.of(1000), earlier=ZERO, charged=ZERO, due=DUE,
    charged_through=None, is_business=True, limit=None,
)  # fmt: skip


def rule(**words):
    return LateFeeRule(**{
        "shape": FeeShape.PERCENT, "flat": Money.of(25), "rate": Rate.percent(18),
        "frequency": FeeFrequency.MONTHLY, "base": FeeBase.PRINCIPAL, "grace_days": 10,
        "cap": Rate(0), "active": True, "kinds": ["job"], "applies_from": DUE,
    } | words)  # fmt: skip


def after(days):
    return DUE + timedelta(days=days)


def test_nothing_is_charged_on_the_last_day_of_grace_and_something_on_the_next():
    assert charge_for(rule(), LATE, on=after(10)) == "It is within its 10 days of grace."
    assert charge_for(rule(), LATE, on=after(11)).amount == Money.of(15)


def test_a_month_of_eighteen_per_cent_a_year_is_one_and_a_half():
    charge = charge_for(rule(), LATE, on=after(11))

    assert charge.sentence == "$1,000.00 × 18% per year × 1 of 12 months = $15.00"
    assert [(one.starts_on, one.ends_on) for one in charge.periods] == [
        (date(2026, 1, 12), date(2026, 2, 11))
    ]


def test_months_that_were_missed_are_charged_together():
    charge = charge_for(rule(), LATE, on=date(2026, 3, 12))

    assert (charge.amount, len(charge.periods)) == (Money.of(45), 3)


def test_days_are_actual_days_of_a_year_of_365():
    charge = charge_for(rule(frequency=FeeFrequency.DAILY), LATE, on=after(40))

    assert charge.amount == Money.of("14.79")  # 1000 × 0.18 × 30 ÷ 365
    assert charge.periods[0].days == 30


@pytest.mark.parametrize(
    ("words", "amount"),
    [
        ({"shape": FeeShape.FLAT}, "25"),
        ({"shape": FeeShape.PERCENT, "rate": Rate.percent(2)}, "20"),
        ({"shape": FeeShape.GREATER, "rate": Rate.percent(2)}, "25"),
        ({"shape": FeeShape.GREATER, "rate": Rate.percent(3)}, "30"),
    ],
)
def test_a_fee_charged_once(words, amount):
    once = rule(frequency=FeeFrequency.ONCE, **words)
    charge = charge_for(once, LATE, on=after(400))

    assert charge.amount == Money.of(amount)
    again = replace(LATE, charged_through=charge.periods[0].ends_on)
    assert charge_for(once, again, on=after(500)) == "It was charged for these days already."


def test_a_flat_fee_each_month_counts_the_months():
    charge = charge_for(rule(shape=FeeShape.FLAT), LATE, on=date(2026, 2, 12))

    assert (charge.amount, charge.sentence) == (Money.of(50), "a flat $25.00 × 2")


def test_interest_on_interest_is_for_businesses_only():
    total, owing = rule(base=FeeBase.TOTAL), replace(LATE, earlier=Money.of(100))

    assert charge_for(total, owing, on=after(11)).amount == Money.of("16.50")
    consumer = replace(owing, is_business=False)
    assert charge_for(total, consumer, on=after(11)).amount == Money.of(15)


def test_the_cap_cuts_what_is_left_and_then_ends_it():
    capped = rule(cap=Rate.percent(2))

    first = charge_for(capped, replace(LATE, charged=Money.of(12)), on=after(11))
    assert first.amount == Money.of(8)
    assert first.sentence.endswith("capped at 2% of the invoice")
    assert "capped" in charge_for(capped, replace(LATE, charged=Money.of(20)), on=after(11))


def test_a_consumer_never_pays_more_than_the_limit_of_the_state():
    """$1,000 for 11 days at 10 % a year is $3.01, whatever the term says."""
    consumer = replace(LATE, is_business=False, limit=Rate.percent(10))

    charge = charge_for(rule(), consumer, on=after(11))

    assert charge.amount == Money.of("3.01")
    assert charge.sentence.endswith("a consumer pays at most 10% per year")


def test_what_is_disputed_bears_nothing():
    assert charge_for(rule(), replace(LATE, undisputed=Money.of(400)), on=after(11)).amount == (
        Money.of(6)
    )
    assert isinstance(charge_for(rule(), replace(LATE, undisputed=ZERO), on=after(11)), str)


@pytest.mark.parametrize("frequency", list(FeeFrequency))
def test_no_day_is_charged_twice_however_often_somebody_looks(frequency, seed):
    """Thousands of runs on random days: periods never overlap, the cap is never passed."""
    random, agreed = Random(seed), rule(frequency=frequency, cap=Rate.percent(30))
    for _ in range(60):
        late, on, taken = LATE, DUE, []
        for _ in range(25):
            on += timedelta(days=random.randint(0, 40))
            charge = charge_for(agreed, late, on=on)
            if not isinstance(charge, Charge):
                continue
            for period in charge.periods:
                assert not taken or period.starts_on > taken[-1].ends_on
                assert period.starts_on > DUE + timedelta(days=10)
                taken.append(period)
            late = replace(
                late, charged=late.charged + charge.amount, charged_through=taken[-1].ends_on
            )
            assert late.charged <= Money.of(300)
