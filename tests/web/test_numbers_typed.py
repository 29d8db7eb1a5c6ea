"""How numbers are read that people type into forms."""

import pytest

from portal.kernel.money import Money
from portal.web import read_money

READ = {
    "12.50": 1250,
    " 12.5 ": 1250,
    "$1,234.50": 123450,
    "-$5": -500,
    "1 234.50": 123450,
    "1\u202f234": 123400,
    ".75": 75,
    "1,234,567.8": 123456780,
}

REFUSED = [
    "12 50",
    "12,50",
    "1_0",
    "1e3",
    "5%",
    "1.234,50",
    "nan",
    "12.345",
    "--1",
    "",
    "٣",
    "9" * 11,
]


@pytest.mark.parametrize(("typed", "cents"), READ.items())
def test_amounts_are_read_as_people_group_them(app, typed, cents):
    assert read_money(typed) == Money(cents)


@pytest.mark.parametrize("typed", REFUSED)
def test_what_could_mean_another_number_is_refused(app, typed):
    with app.test_request_context(), pytest.raises(ValueError, match=r"\w"):
        read_money(typed)
