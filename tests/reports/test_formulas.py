"""The formulas by hand, as docs/figures.md works them out."""

from decimal import Decimal

import pytest

from portal.kernel.money import ZERO, Money
from portal.reports.formulas import (
    Stretch,
    days_outstanding,
    days_outstanding_countback,
    effectiveness,
    per_cent,
)


def usd(amount):
    return Money.of(amount)


def test_dso_is_what_is_owed_over_what_was_billed_in_days():
    assert days_outstanding(usd(45_000), usd(90_000), 90) == 45


def test_without_billing_there_is_no_dso():
    assert days_outstanding(usd(100), ZERO, 90) is None
    assert days_outstanding(usd(100), usd(-5), 90) is None


def test_counting_back_uses_whole_months_and_a_share_of_the_last():
    """45,000 owed: March 20,000 (31 days), February 15,000 (28 days), then 10,000 of 30,000."""
    months = [Stretch(31, usd(20_000)), Stretch(28, usd(15_000)), Stretch(31, usd(30_000))]

    assert days_outstanding_countback(usd(45_000), months) == Decimal(59) + Decimal(31) / 3


def test_counting_back_stops_where_a_month_uses_it_up_exactly():
    months = [Stretch(31, usd(20_000)), Stretch(28, usd(15_000)), Stretch(31, usd(30_000))]

    assert days_outstanding_countback(usd(35_000), months) == 59


def test_a_month_that_billed_nothing_still_counts_its_days():
    months = [Stretch(10, ZERO), Stretch(28, usd(-50)), Stretch(31, usd(31_000))]

    assert days_outstanding_countback(usd(1_000), months) == 39


def test_what_is_older_than_all_months_has_no_countback():
    assert days_outstanding_countback(usd(50), [Stretch(31, usd(20))]) is None
    assert days_outstanding_countback(ZERO, [Stretch(31, usd(20))]) == 0


@pytest.mark.parametrize(
    ("began", "billed", "ended", "not_due", "cei"),
    [
        (40_000, 60_000, 30_000, 20_000, Decimal("87.5")),  # 70,000 of 80,000
        (40_000, 60_000, 20_000, 20_000, Decimal(100)),  # all that was due came
        (40_000, 0, 40_000, 0, Decimal(0)),
    ],
)
def test_cei_is_what_was_collected_of_what_could_be(began, billed, ended, not_due, cei):
    assert effectiveness(usd(began), usd(billed), usd(ended), usd(not_due)) == cei


def test_where_nothing_could_be_collected_there_is_no_cei():
    assert effectiveness(ZERO, usd(100), usd(100), usd(100)) is None


def test_a_share_of_nothing_is_none():
    assert per_cent(1, 4) == 25
    assert per_cent(0, 0) is None
