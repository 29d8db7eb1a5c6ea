"""What changed a customer's account between two days, and what it stood at before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.db import as_money, db, total_of
from portal.kernel.money import ZERO, Money
from portal.receivables.account import AccountLine, account_events, account_line


@dataclass(frozen=True)
class Activity:
    """The events of a range, oldest first, each with the balance after it."""

    opening: Money
    lines: Sequence[AccountLine]

    @property
    def charges(self) -> Money:
        return Money.total(one.amount for one in self.lines if one.amount > ZERO)

    @property
    def credits(self) -> Money:
        """What came off, as a positive amount."""
        return -Money.total(one.amount for one in self.lines if one.amount < ZERO)

    @property
    def closing(self) -> Money:
        return self.opening + self.charges - self.credits


def activity_between(customer_id: int, starts_on: date, ends_on: date) -> Activity:
    """Both days included; `opening` is what was owed at the end of the day before. Two queries."""
    events = account_events(customer_id).cte("events")
    before = sa.select(total_of(events.c.amount)).where(events.c.day < starts_on)
    opening = db.session.scalar(before) or ZERO
    within = events.c.day.between(starts_on, ends_on)
    order = (events.c.day, events.c.rank, events.c.row_id)
    so_far = as_money(sa.func.sum(events.c.amount).over(order_by=order)).label("balance")
    query = sa.select(events, so_far).where(within).order_by(*order)
    rows = [account_line(row) for row in db.session.execute(query)]
    return Activity(opening, [_from(opening, row) for row in rows])


def _from(opening: Money, row: AccountLine) -> AccountLine:
    balance = opening + row.balance
    return AccountLine(row.on, row.event, row.id, row.words, row.kind, row.amount, balance)
