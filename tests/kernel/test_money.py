import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice


def test_parts_always_add_up_to_the_whole():
    parts = Money.of("100.00").split([1, 1, 1])

    assert [str(part) for part in parts] == ["$33.34", "$33.33", "$33.33"]


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_no_split_loses_or_makes_a_cent(cents, weights):
    if sum(weights) == 0:
        return

    parts = Money(cents).split(weights)

    assert sum(part.cents for part in parts) == cents
    assert all((part.cents >= 0) == (cents >= 0) or part.cents == 0 for part in parts)


def test_refuses_negative_weights():
    with pytest.raises(ValueError, match="negative"):
        Money(100).split([2, -1])


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("1234.5", "$1,234.50"), ("-0.05", "-$0.05"), ("0.005", "$0.01"), ("-0.005", "-$0.01")],
)
def test_reads_and_shows_dollars(typed, shown):
    assert str(Money.of(typed)) == shown


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        ("3", "0.335", "1.01"),
        ("1.5", "135", "202.50"),
        ("-2", "18.25", "-36.50"),
        ("0.3333", "3", "1.00"),
    ],
)
def test_a_line_is_rounded_half_up_once(quantity, price, total):
    assert UnitPrice.of(price).extend(Quantity.of(quantity)) == Money.of(total)


def test_a_rate_keeps_six_places():
    assert Rate.percent("8.875").of_money(Money.of("100")) == Money.of("8.88")
    assert str(Rate.percent("8.875").as_percent.normalize()) == "8.875"
