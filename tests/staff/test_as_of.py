"""A report says the day it is of, also when only its rows are fetched anew."""

import pytest

from tests.conftest import staff_client


@pytest.mark.parametrize("path", ["/staff/ledger/trial-balance", "/staff/receivables"])
def test_the_day_comes_with_the_rows(app, build, path):
    build.posted("100.00")
    desk = staff_client(app, build, "Accountant")

    rows = desk.get(f"{path}?on=2026-02-28", headers={"HX-Request": "true"}).text

    assert "February 28, 2026" in rows
