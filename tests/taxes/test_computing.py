from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import TaxBase, TaxClass, TaxRate
from portal.taxes import TaxableLine, compute_taxes

LABOR, MATERIAL, TRIP = TaxClass.LABOR, TaxClass.MATERIAL, TaxClass.TRIP


def line(amount, *, taxable=True, tax_class=TaxClass.OTHER):
    return TaxableLine(Money.of(amount), taxable, tax_class)


def discount(amount, *, taxable=True):
    return TaxableLine(-Money.of(amount), taxable, TaxClass.OTHER, is_discount=True)


def rate(percent, *, base=TaxBase.SUBTOTAL, authority="State"):
    return TaxRate(
        authority=authority, base=base, rate=Rate.percent(percent), starts_on=date(2020, 1, 1)
    )


def tax(lines, percent="10", base=TaxBase.SUBTOTAL):
    only = compute_taxes(lines, [rate(percent, base=base)])[0]
    return only.taxable_amount, only.amount


@pytest.mark.parametrize(
    ("lines", "percent", "base", "amount"),
    [
        ([line("100.00")], "6.5", "100.00", "6.50"),
        ([line("100.00"), line("50.00", taxable=False)], "6.5", "100.00", "6.50"),
        ([line("0.05")], "10", "0.05", "0.01"),  # half a cent goes up
        ([line("0.04")], "10", "0.04", "0.00"),
        ([line("33.33"), line("33.33"), line("33.33")], "8.875", "99.99", "8.87"),  # once, not x3
        ([line("-100.00")], "6.5", "-100.00", "-6.50"),  # an adjustment gives tax back
        ([line("-0.05")], "10", "-0.05", "-0.01"),  # and mirrors the rounding
        ([], "6.5", "0.00", "0.00"),
    ],
)
def test_tax_is_the_taxable_base_times_the_rate_rounded_half_up_once(lines, percent, base, amount):
    assert tax(lines, percent) == (Money.of(base), Money.of(amount))


@pytest.mark.parametrize(
    ("lines", "base"),
    [
        ([line("100"), discount("10")], "90.00"),
        # a tenth off both lines, so a tenth off the taxable one
        ([line("100"), line("100", taxable=False), discount("20")], "90.00"),
        # the discount's own tax flag does not matter while there is work to share it over
        ([line("100"), discount("10", taxable=False)], "90.00"),
        # thirds: the leftover cent goes to the first of the largest remainders
        ([line("10"), line("10", taxable=False), line("10"), discount("0.01")], "19.99"),
        ([line("100"), discount("10"), discount("5")], "85.00"),
        ([discount("10")], "-10.00"),  # nothing to share it over
        ([discount("10", taxable=False)], "0.00"),
        ([line("0"), discount("10")], "-10.00"),
    ],
)
def test_discounts_come_off_before_tax(lines, base):
    assert tax(lines)[0] == Money.of(base)


@pytest.mark.parametrize(
    ("base", "taxable"),
    [
        (TaxBase.SUBTOTAL, "170.00"),
        (TaxBase.LABOR, "100.00"),
        (TaxBase.MATERIAL, "70.00"),  # everything taxable that is not labor
    ],
)
def test_a_rate_looks_at_its_own_base(base, taxable):
    lines = [
        line("100", tax_class=LABOR),
        line("50", tax_class=MATERIAL),
        line("20", tax_class=TRIP),
        line("500", tax_class=MATERIAL, taxable=False),
    ]

    assert tax(lines, base=base)[0] == Money.of(taxable)


def test_each_authority_is_rounded_by_itself():
    rates = [rate("6.25", authority="State"), rate("0.75", authority="City")]

    taxes = compute_taxes([line("0.70")], rates)

    assert [(one.authority, str(one.amount)) for one in taxes] == [
        ("State", "$0.04"),
        ("City", "$0.01"),
    ]


amounts = st.integers(-1_000_000, 1_000_000).map(Money)
charges = st.builds(TaxableLine, amounts, st.booleans(), st.sampled_from(TaxClass))
discounts = st.builds(
    TaxableLine,
    st.integers(-1_000_000, -1).map(Money),
    st.booleans(),
    st.sampled_from(TaxClass),
    st.just(True),
)


@given(st.lists(charges, min_size=1, max_size=8), st.lists(discounts, max_size=4))
def test_no_cent_of_a_discount_is_lost(charged, taken_off):
    """With every line taxable the base is the exact sum, however the shares fell."""
    lines = [TaxableLine(one.total, True, one.tax_class) for one in charged]
    off = [TaxableLine(one.total, True, one.tax_class, True) for one in taken_off]

    base, _amount = tax([*lines, *off])

    assert base == Money.total(one.total for one in [*lines, *off])


@given(st.lists(charges | discounts, max_size=10))
def test_labor_and_the_rest_together_are_the_whole(lines):
    rates = [rate("5", base=base) for base in TaxBase]

    subtotal, labor, material = compute_taxes(lines, rates)

    assert labor.taxable_amount + material.taxable_amount == subtotal.taxable_amount


@given(st.lists(charges, max_size=8), st.decimals(0, 100, places=4))
def test_giving_everything_back_gives_the_tax_back(lines, percent):
    mirror = [TaxableLine(-one.total, one.taxable, one.tax_class) for one in lines]

    assert tax(lines, percent)[1] + tax(mirror, percent)[1] == ZERO
