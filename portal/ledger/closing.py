"""Closing months and opening them again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, today
from portal.db import db, lock_alone
from portal.kernel import calendar, clock
from portal.kernel.errors import DomainError
from portal.ledger.periods import is_open, lock_name
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
    return [
        Month(day, is_open(day), *counts)
        for day, *counts in zip(days, entries, pending, strict=True)
    ]


def to_close(month: date) -> list[Month]:
    """What closing up to this month closes: every open month with entries or drafts, and it."""
    month = calendar.month_start(month)
    oldest = db.session.scalar(sa.select(sa.func.min(JournalEntry.entry_date)))
    drafts = db.session.scalar(
        sa.select(sa.func.min(Invoice.invoice_date)).where(Invoice.state == InvoiceState.PENDING)
    )
    first = min([calendar.fiscal_year(one, first_month=company().fiscal_year_first_month)
                 for one in (oldest, drafts, month) if one])  # fmt: skip
    last = calendar.fiscal_year(month, first_month=company().fiscal_year_first_month)
    found = [one for year in range(first, last + 1) for one in months_of(year)]
    return [
        one
        for one in found
        if one.is_open
        and one.starts_on <= month
        and (one.entries or one.pending or one.starts_on == month)
    ]


def close_through(month: date) -> list[date]:
    """Close this month and every open one before it; returns the months closed.

    Waits for whoever is writing into one of them. Nothing is created, changed or posted in a
    closed month but summaries (servicetitan-rules §17). Raises DomainError for a month that
    has not ended. Idempotent.
    """
    month = calendar.month_start(month)
    if calendar.month_end(month) >= today():
        raise DomainError(f"{month:%B %Y} has not ended yet.")
    closed = [one.starts_on for one in to_close(month)]
    for day in closed:
        lock_alone(lock_name(day))
        _write(day, PeriodState.CLOSED)
    return closed


def reopen_month(month: date) -> None:
    """Let one month take entries again; idempotent."""
    day = calendar.month_start(month)
    lock_alone(lock_name(day))
    if not is_open(day):
        _write(day, PeriodState.OPEN)


def _write(day: date, state: PeriodState) -> None:
    period = db.session.scalar(sa.select(AccountingPeriod).where(AccountingPeriod.starts_on == day))
    if period is None:
        period = AccountingPeriod(starts_on=day)
        db.session.add(period)
    period.state, period.changed_at = state, clock.now()
    verb = "closed" if state is PeriodState.CLOSED else "reopened"
    record(verb, period, f"The accounting period {day:%B %Y} was {verb}.")


def _counts(column: Any, months: list[date], *wheres: sa.ColumnElement[bool]) -> list[int]:
    """How many rows each month has, in one statement that stays in the index on the day."""
    parts = [
        sa.select(sa.func.count())
        .where(column.between(day, calendar.month_end(day)), *wheres)
        .scalar_subquery()
        for day in months
    ]
    return list(db.session.execute(sa.select(*parts)).one())
