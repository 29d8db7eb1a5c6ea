"""Closing months and opening them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, format_month, today
from portal.db import db, lock_alone
from portal.kernel import calendar, clock
from portal.kernel.errors import DomainError
from portal.ledger.balances import forget_closing_balances, keep_closing_balances
from portal.ledger.periods import LOCK, is_open
from portal.models import (
    AccountingPeriod,
    Invoice,
    InvoiceState,
    JournalEntry,
    PeriodState,
)


@dataclass(frozen=True)
class Month:
    """One accounting period: its first day, whether it takes entries, and what is in it."""

    starts_on: date
    is_open: bool
    entries: int
    pending: int  # invoices dated in it that are not posted

    @property
    def ends_on(self) -> date:
        return calendar.month_end(self.starts_on)


def months_of(year: int) -> list[Month]:
    """The twelve periods of a fiscal year, the first one first."""
    first = company().fiscal_year_first_month
    start = date(year if first == 1 else year - 1, first, 1)
    days = [calendar.add_months(start, n) for n in range(12)]
    entries = _counts(JournalEntry.entry_date, days)
    pending = _counts(Invoice.invoice_date, days, Invoice.state == InvoiceState.PENDING)
    states = _are_open(days)
    return [Month(*facts) for facts in zip(days, states, entries, pending, strict=True)]


def to_close(month: date) -> list[Month]:
    """What closing up to this month closes: it, and every open month with entries or drafts.

    A month that was opened again closes too, also an empty one: else it stayed open before a
    closed one, and what is booked in it later is missing from the closing balances.
    Raises DomainError for a month that has not ended.
    """
    last = calendar.month_start(month)
    if calendar.month_end(last) >= today():
        raise DomainError(f"{format_month(last, company().locale)} has not ended yet.")
    entries = _by_month(JournalEntry.entry_date, last)
    drafts = _by_month(Invoice.invoice_date, last, Invoice.state == InvoiceState.PENDING)
    reopened = sa.select(AccountingPeriod.starts_on).where(
        AccountingPeriod.starts_on <= last, AccountingPeriod.state == PeriodState.OPEN
    )
    days = sorted({*entries, *drafts, *db.session.scalars(reopened), last})
    found = zip(days, _are_open(days), strict=True)
    return [Month(day, True, entries.get(day, 0), drafts.get(day, 0)) for day, yes in found if yes]


def close_through(month: date) -> list[date]:
    """Close this month and every open one before it; returns the months closed.

    Waits for whoever is writing into one of them. Nothing is created, changed or posted in a
    closed month but summaries (servicetitan-rules §17). Raises DomainError for a month that
    has not ended. Idempotent.
    """
    lock_alone(LOCK)  # before looking: what others are writing now is there afterwards
    closed = [one.starts_on for one in to_close(month)]
    for day in closed:
        _write(day, PeriodState.CLOSED)
    if closed:
        keep_closing_balances(closed[-1])
    return closed


def reopen_month(month: date) -> None:
    """Let one month take entries again; idempotent."""
    day = calendar.month_start(month)
    lock_alone(LOCK)
    if not is_open(day):
        _write(day, PeriodState.OPEN)
        forget_closing_balances(day)


def _write(day: date, state: PeriodState) -> None:
    period = db.session.scalar(sa.select(AccountingPeriod).where(AccountingPeriod.starts_on == day))
    if period is None:
        period = AccountingPeriod(starts_on=day)
        db.session.add(period)
    period.state, period.changed_at = state, clock.now()
    verb = "closed" if state is PeriodState.CLOSED else "reopened"
    record(verb, period, f"The accounting period {day:%B %Y} was {verb}.")


def _are_open(months: list[date]) -> list[bool]:
    """Whether each takes entries, from one look at all the periods there are."""
    query = sa.select(AccountingPeriod.starts_on, AccountingPeriod.state)
    states = dict(db.session.execute(query).all())
    closed = [day for day, state in states.items() if state is PeriodState.CLOSED]
    newest = max(closed, default=date.min)
    return [states[day] is PeriodState.OPEN if day in states else day > newest for day in months]


def _by_month(column: Any, last: date, *wheres: sa.ColumnElement[bool]) -> dict[date, int]:
    """How many rows there are per month, up to and including the last one."""
    parts = (sa.extract("year", column), sa.extract("month", column))
    query = (
        sa.select(*parts, sa.func.count())
        .where(column <= calendar.month_end(last), *wheres)
        .group_by(*parts)
    )
    return {date(int(y), int(m), 1): count for y, m, count in db.session.execute(query)}


def _counts(column: Any, months: list[date], *wheres: sa.ColumnElement[bool]) -> list[int]:
    """How many rows each month has, in one statement that stays in the index on the day."""
    parts = [
        sa.select(sa.func.count())
        .where(column.between(day, calendar.month_end(day)), *wheres)
        .scalar_subquery()
        for day in months
    ]
    return list(db.session.execute(sa.select(*parts)).one())
