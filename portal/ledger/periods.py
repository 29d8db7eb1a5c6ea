"""Accounting periods: closed months take no entries."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.db import db
from portal.kernel import calendar
from portal.kernel.errors import PeriodClosed
from portal.models import AccountingPeriod, PeriodState


def is_open(day: date) -> bool:
    """Whether the month of that day takes entries; a month never closed is open."""
    query = sa.select(AccountingPeriod.state).where(
        AccountingPeriod.starts_on == calendar.month_start(day)
    )
    return db.session.scalar(query) is not PeriodState.CLOSED


def require_open_period(day: date) -> None:
    """Raises PeriodClosed with the next open day when that month is closed."""
    if not is_open(day):
        raise PeriodClosed(
            f"The accounting period {day:%B %Y} is closed. "
            f"The next open day is {next_open_day(day).isoformat()}.",
            field="invoice_date",
        )


def next_open_day(day: date) -> date:
    """That day, or the first day of the next open month."""
    while not is_open(day):
        day = calendar.add_months(calendar.month_start(day), 1)
    return day
