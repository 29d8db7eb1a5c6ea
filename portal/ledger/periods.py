"""Accounting periods: closed months take no entries."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session, SessionTransaction, object_session, scoped_session

from portal.company import company, format_day, format_month
from portal.db import db, lock_together
from portal.kernel import calendar
from portal.kernel.errors import PeriodClosed
from portal.models import AccountingPeriod, PeriodState

KNOWN = "open months"  # where the session remembers what it read
HELD = "the periods are held"  # … and that nobody closes a month before it commits
LOCK = "accounting periods"  # one for all months: writers share it, whoever closes has it alone


def is_open(day: date) -> bool:
    """Whether the month of that day takes entries, as far as is known now.

    A month without a row is closed when a later one is: books are closed up to a month, and
    nothing slips in before it. Asked once per month and transaction.
    """
    month = calendar.month_start(day)
    known: dict[date, bool] = db.session.info.setdefault(KNOWN, {})
    if month not in known:
        known[month] = _read(month)
    return known[month]


_PERIODS = cast(sa.Table, AccountingPeriod.__table__).c
# Its own row, else the next closed month. Built once: whatever is posted or received asks.
_DECIDES = (
    sa.select(_PERIODS.state)
    .where(_PERIODS.starts_on >= sa.bindparam("month"))
    .where(
        sa.or_(
            _PERIODS.starts_on == sa.bindparam("month"),
            _PERIODS.state == PeriodState.CLOSED,
        )
    )
    .order_by(_PERIODS.starts_on)
    .limit(1)
)


def _read(month: date) -> bool:
    return db.session.scalar(_DECIDES, {"month": month}) is not PeriodState.CLOSED


def hold_periods() -> None:
    """What is open stays open until this transaction ends: whoever closes a month waits.

    Who is going to write holds them before looking: asked before, is_open is asked again.
    """
    if not db.session.info.get(HELD):
        if lock_together(LOCK):
            db.session.info.pop(KNOWN, None)  # closed while we waited, perhaps
        db.session.info[HELD] = True


def require_open_period(day: date) -> None:
    """Raises PeriodClosed with the next open day when that month is closed; holds the periods."""
    hold_periods()
    if not is_open(day):
        raise PeriodClosed(closed_sentence(day), field="invoice_date")


def closed_sentence(day: date) -> str:
    """That this day's month is closed and when one may book instead, as the company writes days."""
    locale = company().locale
    return (
        f"The accounting period {format_month(day, locale)} is closed. "
        f"The next open day is {format_day(next_open_day(day), locale)}."
    )


def next_open_day(day: date) -> date:
    """That day, or the first day of the next open month; one statement however far it is."""
    if is_open(day):
        return day
    month = calendar.month_start(day)
    query = sa.select(AccountingPeriod.starts_on, AccountingPeriod.state)
    later = db.session.execute(query.where(AccountingPeriod.starts_on >= month)).all()
    reopened = [start for start, state in later if state is PeriodState.OPEN]
    newest = max(start for start, state in later if state is PeriodState.CLOSED)
    return min([*reopened, calendar.add_months(newest, 1)])


def forget_periods_after_each_transaction(session: scoped_session[Any]) -> None:
    """What was read of periods holds for one transaction and until one changes; idempotent."""
    if sa.event.contains(session, "after_transaction_end", _forget):
        return
    sa.event.listen(session, "after_transaction_end", _forget)
    for change in ("after_insert", "after_update", "after_delete"):
        sa.event.listen(AccountingPeriod, change, _forget_changed)


def _forget(session: Session, ended: SessionTransaction) -> None:
    if ended.nested:  # a savepoint that was rolled back let its locks go
        session.info.pop(HELD, None)
    elif ended.parent is None:
        session.info.pop(HELD, None)
        session.info.pop(KNOWN, None)


def _forget_changed(_mapper: object, _connection: object, period: AccountingPeriod) -> None:
    session = object_session(period)
    if session is not None:
        session.info.pop(KNOWN, None)
