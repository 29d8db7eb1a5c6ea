"""What accounts hold as of a day: a kept closing balance and the lines since."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money, db, total_of
from portal.kernel import calendar
from portal.kernel.money import ZERO, Money
from portal.models import Account, ClosingBalance, JournalLine


@dataclass(frozen=True)
class TrialBalanceRow:
    """One account's balance as of a day: debit positive."""

    account: Account
    balance: Money


def trial_balance(on: date) -> list[TrialBalanceRow]:
    """Every account that holds something at the end of that day, by number; one statement."""
    query = sa.select(Account, _balance(Account.id, on)).order_by(Account.number)
    found = db.session.execute(query)
    return [TrialBalanceRow(account, balance) for account, balance in found if balance]


def balance_of(account_id: int, on: date) -> Money:
    """What one account holds at the end of that day: debit positive."""
    return db.session.scalar(sa.select(_balance(sa.literal(account_id), on))) or ZERO


def _balance(account_id: Any, on: date) -> sa.ColumnElement[Money]:
    """From the newest closing balances kept by then; per account one short range of the index."""
    newest = (
        sa.select(sa.func.max(ClosingBalance.ends_on))
        .where(ClosingBalance.ends_on <= on)
        .scalar_subquery()
    )
    first = sa.func.coalesce(newest, sa.literal(date.min, sa.Date))
    kept = sa.func.coalesce(_kept(account_id, newest), NO_MONEY)
    return as_money(kept + _booked(account_id, first, on))


def _kept(account_id: Any, ends_on: Any) -> sa.ScalarSelect[Money]:
    mine = ClosingBalance.account_id == account_id
    query = sa.select(ClosingBalance.amount).where(mine, ClosingBalance.ends_on == ends_on)
    return query.scalar_subquery()


def _booked(account_id: Any, after: Any, through: date) -> sa.ScalarSelect[Money]:
    query = sa.select(total_of(JournalLine.amount)).where(
        JournalLine.account_id == account_id,
        JournalLine.entry_date > after,
        JournalLine.entry_date <= through,
    )
    return query.scalar_subquery()


def keep_closing_balances(month: date) -> None:
    """Keep what every account holds at the end of this month, up to which all is closed now.

    Called under the lock of the periods. Kept as long as nothing can be written before it.
    """
    ends_on = calendar.month_end(month)
    forget_closing_balances(ends_on, through=ends_on)
    sums = total_of(JournalLine.amount)
    query = (
        sa.select(JournalLine.account_id, sums)
        .where(JournalLine.entry_date <= ends_on)
        .group_by(JournalLine.account_id)
        .having(sums != NO_MONEY)
    )
    for account_id, amount in db.session.execute(query).all():
        db.session.add(ClosingBalance(ends_on=ends_on, account_id=account_id, amount=amount))
    db.session.flush()


def forget_closing_balances(start: date, *, through: date = date.max) -> None:
    """A month that takes entries again may change every balance from then on."""
    days = ClosingBalance.ends_on.between(start, through)
    db.session.execute(
        sa.delete(ClosingBalance).where(days).execution_options(synchronize_session=False)
    )


def wrong_closing_balances() -> Iterator[str]:
    """Each kept balance is what the journal adds up to, and none is missing."""
    days = sa.select(ClosingBalance.ends_on).distinct().order_by(ClosingBalance.ends_on)
    for day in db.session.scalars(days).all():
        kept = sa.func.coalesce(_kept(Account.id, sa.literal(day)), NO_MONEY)
        booked = _booked(Account.id, sa.literal(date.min), day)
        query = sa.select(Account.number, as_money(kept), as_money(booked)).where(kept != booked)
        for number, says, wanted in db.session.execute(query.order_by(Account.number)):
            yield f"Account {number} closed {day} with {says}; the journal says {wanted}."
