"""The monthly run by itself, and its settings."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from portal.audit import record_changes
from portal.company import company, format_month, today
from portal.db import bump, db, in_transaction
from portal.kernel.calendar import month_start, on_day
from portal.kernel.errors import InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    StatementKind,
    StatementRun,
    StatementSettings,
    StatementWay,
)
from portal.statements.audience import Audience, audience_ids
from portal.statements.computing import StatementWanted
from portal.statements.runs import RunOrder, start_run


@dataclass(frozen=True)
class MonthlyWords:
    """The settings as they are typed."""

    monthly: bool = False
    day_of_month: int = 1
    weeks_between: int = 0
    kind: StatementKind = StatementKind.OPEN_ITEM
    way: StatementWay = StatementWay.AS_PREFERRED
    with_copies: bool = False
    credit_only: bool = False
    least: Money = ZERO


def statement_settings() -> StatementSettings:
    """The one row; the usual values until somebody saves other ones."""
    found = db.session.get(StatementSettings, 1)
    return found or StatementSettings(**_values(MonthlyWords()), version=0)


def change_settings(words: MonthlyWords, *, version: int) -> StatementSettings:
    """Save them. Raises InvalidFields for a day or weeks that are none, Conflict when old."""
    errors = {}
    if not 1 <= words.day_of_month <= 31:
        errors["day_of_month"] = "A day of the month lies between 1 and 31."
    if not 0 <= words.weeks_between <= 52:
        errors["weeks_between"] = "Give between 0 and 52 weeks."
    if words.least < ZERO:
        errors["least"] = "Give an amount of zero or more."
    if errors:
        raise InvalidFields(errors)
    row = db.session.get(StatementSettings, 1)
    before = _plain(row) if row else _plain(MonthlyWords())
    if row is None:
        row = StatementSettings(id=1)
        db.session.add(row)
    else:
        bump(row, version)
    for name, value in _values(words).items():
        setattr(row, name, value)
    db.session.flush()
    record_changes(row, "The settings of statements changed.", before, _plain(words))
    return row


def send_monthly() -> None:
    """Once a day: begin this month's run when its day has come and it has none yet.

    A day missed in a pause is made up; the month's slot is unique, so there is one run.
    """
    in_transaction(_begin)


def monthly_wanted(kind: StatementKind, on: date) -> StatementWanted:
    """Open items as of that day, or what happened in the month before it."""
    if kind is StatementKind.OPEN_ITEM:
        return StatementWanted(kind, on)
    last = month_start(on) - timedelta(days=1)
    return StatementWanted(kind, last, month_start(last))


def _begin() -> None:
    row, on = statement_settings(), today()
    slot = on.strftime("%Y-%m")
    if not row.monthly or on < on_day(on.year, on.month, row.day_of_month):
        return
    if db.session.scalar(sa.select(StatementRun.id).where(StatementRun.slot == slot)):
        return
    wanted = monthly_wanted(row.kind, on)
    least = int(row.least.amount.to_integral_value()) if row.least else None
    ids = audience_ids(Audience(least=least), on=wanted.ends_on)
    month = format_month(on, company().locale)
    order = RunOrder(
        wanted,
        way=row.way,
        copies=row.with_copies,
        credit_only=row.credit_only,
        weeks_between=row.weeks_between,
        narrowed_to=f"Monthly, {month}",
        slot=slot,
    )
    if ids:
        start_run(ids, order, today=on)


def _values(row: StatementSettings | MonthlyWords) -> dict[str, Any]:
    return {one.name: getattr(row, one.name) for one in fields(MonthlyWords)}


def _plain(row: StatementSettings | MonthlyWords) -> dict[str, Any]:
    """As the trail keeps them."""
    return {name: str(one) if isinstance(one, Money) else one for name, one in _values(row).items()}
