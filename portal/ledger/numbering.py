"""Gapless document numbers: a counter row per series and fiscal year."""

from __future__ import annotations

import re
from datetime import date
from typing import cast

import sqlalchemy as sa

from portal.company import company
from portal.db import db, insert_once
from portal.kernel import calendar
from portal.models import NumberSeries

SERIES = ("INV", "CN", "WO", "RF", "M", "J", "B")
_OWN = re.compile(rf"({'|'.join(SERIES)})-\d{{4}}-\d{{5,}}", re.IGNORECASE)


def is_own_number(text: str) -> bool:
    """Whether a number has the shape of our own series, which no person may type."""
    return _OWN.fullmatch(text.strip()) is not None


def is_numbered_for(number: str, on: date) -> bool:
    """Whether the fiscal year in a number of ours is that of a day; other numbers fit every day."""
    if not is_own_number(number):
        return True
    year = calendar.fiscal_year(on, first_month=company().fiscal_year_first_month)
    return int(number.split("-")[1]) == year


def next_number(series: str, on: date, *, count: int = 1) -> list[str]:
    """The next `count` numbers of a series, e.g. INV-2026-00042.

    Locks the counter row until the transaction ends, so call it last: a rolled-back
    transaction burns nothing, and two posters never get the same number.
    """
    year = calendar.fiscal_year(on, first_month=company().fiscal_year_first_month)
    last = _advance(series, year, count)
    if last is None:
        insert_once(NumberSeries(series=series, fiscal_year=year, last_number=0))
        last = _advance(series, year, count)
    assert last is not None
    return [f"{series}-{year}-{number:05}" for number in range(last - count + 1, last + 1)]


_COUNTER = cast(sa.Table, NumberSeries.__table__)
# Built once: every document takes a number.
_ADVANCE = (
    sa.update(_COUNTER)
    .where(
        _COUNTER.c.series == sa.bindparam("of_series"),
        _COUNTER.c.fiscal_year == sa.bindparam("of_year"),
    )
    .values(last_number=_COUNTER.c.last_number + sa.bindparam("count"))
    .returning(_COUNTER.c.last_number)
)


def _advance(series: str, year: int, count: int) -> int | None:
    words = {"of_series": series, "of_year": year, "count": count}
    last: int | None = db.session.scalar(_ADVANCE, words)
    return last
