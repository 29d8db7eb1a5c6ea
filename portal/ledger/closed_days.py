"""Which days are closed, read once: for lists, where asking month by month would add up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.db import db
from portal.kernel import calendar
from portal.models import AccountingPeriod, PeriodState


@dataclass(frozen=True)
class ClosedDays:
    """Every day before `before` but those of the months in `reopened`; None: nothing is closed."""

    before: date | None
    reopened: frozenset[date]

    def holds(self, day: date | None) -> bool:
        """Whether that day is closed; a document without a day is in no closed month."""
        if day is None or self.before is None or day >= self.before:
            return False
        return calendar.month_start(day) not in self.reopened

    def where(self, column: Any) -> sa.ColumnElement[bool]:
        """The same question about a date column, for a query.

        A CASE, so that no engine walks an index of dates for half of all rows.
        """
        if self.before is None:
            return sa.false()
        again = [
            sa.not_(column.between(month, calendar.month_end(month)))
            for month in sorted(self.reopened)
        ]
        return sa.case((sa.and_(column < self.before, *again), 1), else_=0) == 1


def closed_days() -> ClosedDays:
    """What is closed now: up to the latest closed month, without those opened again (§17)."""
    rows = db.session.execute(sa.select(AccountingPeriod.starts_on, AccountingPeriod.state)).all()
    closed = [row.starts_on for row in rows if row.state is PeriodState.CLOSED]
    if not closed:
        return ClosedDays(None, frozenset())
    last = max(closed)
    opened = (row.starts_on for row in rows if row.state is PeriodState.OPEN)
    reopened = frozenset(month for month in opened if month < last)
    return ClosedDays(calendar.add_months(last, 1), reopened)
