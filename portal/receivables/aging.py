"""Aging by customer as of a date, computed from dated documents and applications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, PageRequest, db, holds
from portal.kernel.money import ZERO, Money
from portal.ledger import account_id_for, balance_of
from portal.models import (
    HAS_BALANCE,
    OFF_THE_BOOKS,
    AccountRole,
    Customer,
    Invoice,
    PaymentApplication,
)
from portal.payments import customers_in_credit

BUCKETS = ("current", "days_1_30", "days_31_60", "days_61_90", "days_over_90", "no_term")
FIGURES = (*BUCKETS, "total")


@dataclass(frozen=True)
class AgingFilter:
    """What the page is narrowed to; `on` is the as-of date, today when empty."""

    q: str = ""
    on: date | None = None
    business_unit_id: int | None = None
    credit: bool | None = None  # only who has some, owing or not; or only who has none


@dataclass(frozen=True)
class AgingRow:
    """One customer's open balance by days past due."""

    customer_id: int
    customer_name: str
    current: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    days_over_90: Money
    no_term: Money
    total: Money

    @property
    def over_30(self) -> Money:
        return self.days_31_60 + self.days_61_90 + self.days_over_90


@dataclass(frozen=True)
class Aging:
    """One page of customers and the totals of all of them; `owing` are those who owe."""

    rows: Sequence[AgingRow]
    totals: AgingRow
    customers: int
    owing: int
    number: int
    size: int

    @property
    def total(self) -> int:
        return self.customers

    @property
    def last(self) -> int:
        return max((self.customers + self.size - 1) // self.size, 1)

    @property
    def first_row(self) -> int:
        return (self.number - 1) * self.size + 1 if self.customers else 0

    @property
    def last_row(self) -> int:
        return min(self.number * self.size, self.customers)


def aging(wanted: AgingFilter, page: PageRequest, *, on: date) -> Aging:
    """Customers who owed something on that day, largest debt first, in one query.

    Only Posted and Exported invoices count. An invoice counts from its date; an application
    from the later of its own and the invoice's date, as in the ledger. 90 days are in 61-90.
    """
    listed = _listed(wanted, on)
    sums = [sa.func.sum(listed.c[name]).label(name) for name in FIGURES]
    owing = sa.func.coalesce(sa.func.sum(sa.case((listed.c.total != NO_MONEY, 1), else_=0)), 0)
    totals = sa.select(sa.literal(0).label("customer_id"), sa.literal("").label("name"), *sums,
                       sa.func.count().label("customers"), owing.label("owing"))  # fmt: skip
    rows: list[Any] = list(db.session.execute(sa.union_all(totals, _cut(listed, page))))
    whole = next(row for row in rows if not row.customer_id)
    number = max(page.number, 1)
    last = max((whole.customers + page.size - 1) // page.size, 1)
    if number > last:  # beyond the end: the last page there is
        return aging(wanted, replace(page, number=last), on=on)
    found = [_row(row) for row in rows if row.customer_id]
    return Aging(found, _row(whole), whole.customers, whole.owing, number, page.size)


def customers_owing(wanted: AgingFilter, *, on: date) -> list[int]:
    """The ids of every customer the list lets through, by id."""
    listed = _listed(wanted, on)
    query = sa.select(listed.c.customer_id).where(listed.c.total != NO_MONEY)
    return list(db.session.scalars(query.order_by(listed.c.customer_id)))


def _cut(listed: sa.CTE, page: PageRequest) -> sa.Select[*tuple[object, ...]]:
    """The rows of one page, in its order, from the whole list."""
    key = page.sort if page.sort.removeprefix("-") in ("name", *FIGURES) else "-total"
    column = listed.c[key.removeprefix("-")]
    cut = (
        sa.select(listed, sa.literal(0).label("customers"), sa.literal(0).label("owing"))
        .order_by(column.desc() if key.startswith("-") else column.asc(), listed.c.customer_id)
        .limit(page.size)
        .offset((max(page.number, 1) - 1) * page.size)
        .subquery()
    )
    return sa.select(cut)


def _row(found: sa.Row[*tuple[Any, ...]]) -> AgingRow:
    figures = (getattr(found, name) or ZERO for name in FIGURES)
    return AgingRow(found.customer_id, found.name, *figures)


def aging_of_customer(customer_id: int, *, on: date) -> AgingRow:
    """One customer's buckets; all zero when nothing is owed."""
    items = _open_items(on, customer_id=customer_id).subquery()
    row = db.session.execute(_bucketed(items, on)).first()
    if row is None:
        return AgingRow(customer_id, "", *([ZERO] * 7))
    return AgingRow(customer_id, "", *(getattr(row, name) for name in FIGURES))


def open_items(customer_id: int, *, on: date) -> list[tuple[Invoice, Money]]:
    """A customer's open invoices as of a date with what was open on each, oldest due first."""
    items = _open_items(on, customer_id=customer_id).subquery()
    amounts = (
        sa.select(items.c.invoice_id, sa.func.sum(items.c.open_amount).label("open_amount"))
        .group_by(items.c.invoice_id)
        .having(sa.func.sum(items.c.open_amount) != NO_MONEY)
        .subquery()
    )
    query = (
        sa.select(Invoice, amounts.c.open_amount)
        .join(amounts, amounts.c.invoice_id == Invoice.id)
        .order_by(Invoice.due_date, Invoice.id)
        .options(joinedload(Invoice.customer))
    )
    return [(invoice, amount) for invoice, amount in db.session.execute(query)]


def aging_totals(*, on: date) -> AgingRow:
    """All customers' open balances as of a day, by age, in one row."""
    items = _open_items(on).subquery()
    row = db.session.execute(sa.select(*bucket_sums(items, on))).one()
    return AgingRow(0, "", *(getattr(row, name) or ZERO for name in FIGURES))


def receivable_booked(*, on: date) -> Money:
    """The balance of the A/R control account as of a day.

    It must equal the sum of open items; the page shows both.
    """
    return balance_of(account_id_for(AccountRole.RECEIVABLE), on)


def _listed(wanted: AgingFilter, on: date) -> sa.CTE:
    """Every customer of the list with name and figures; page and totals both read it."""
    items = _open_items(on, business_unit_id=wanted.business_unit_id).subquery()
    owing = _bucketed(items, on).subquery()
    figures = [sa.func.coalesce(owing.c[name], NO_MONEY).label(name) for name in FIGURES]
    query = sa.select(Customer.id.label("customer_id"), Customer.name, *figures).join(
        owing, owing.c.customer_id == Customer.id, isouter=wanted.credit is True
    )
    if wanted.credit is not None:
        has_some = Customer.id.in_(customers_in_credit(on=on))
        query = query.where(has_some if wanted.credit else ~has_some)
    if wanted.q.strip():
        query = query.where(holds(Customer.name, wanted.q))
    return query.cte("listed")


def _bucketed(items: sa.Subquery, on: date) -> sa.Select[*tuple[object, ...]]:
    return (
        sa.select(items.c.customer_id, *bucket_sums(items, on))
        .group_by(items.c.customer_id)
        .having(sa.func.sum(items.c.open_amount) != NO_MONEY)
    )


def bucket_sums(items: sa.Subquery, on: date) -> list[sa.ColumnElement[Money]]:
    """The columns of FIGURES over rows that have `due_date` and `open_amount`."""
    due, amount = items.c.due_date, items.c.open_amount
    day = timedelta(days=1)
    conditions = {
        "current": due >= on,
        "days_1_30": sa.and_(due < on, due >= on - 30 * day),
        "days_31_60": sa.and_(due < on - 30 * day, due >= on - 60 * day),
        "days_61_90": sa.and_(due < on - 60 * day, due >= on - 90 * day),
        "days_over_90": due < on - 90 * day,
        "no_term": due.is_(None),
    }
    columns = [
        sa.func.sum(sa.case((condition, amount), else_=NO_MONEY)).label(name)
        for name, condition in conditions.items()
    ]
    return [*columns, sa.func.sum(amount).label("total")]


def _open_items(
    on: date, *, customer_id: int | None = None, business_unit_id: int | None = None
) -> sa.CompoundSelect[*tuple[object, ...]]:
    """What was open on that day: what is open now, plus what was applied only after it.

    An invoice can have a row of each kind; sums over customer, bucket or invoice are right.
    Two branches, so that both engines stay inside the covering indexes. The day is written into
    the statement: a plan made for any day at all reads every invoice.
    """
    day = sa.literal(on, literal_execute=True)
    wheres = [Invoice.state.not_in(OFF_THE_BOOKS), Invoice.invoice_date <= day]
    if customer_id is not None:
        wheres.append(Invoice.customer_id == customer_id)
    if business_unit_id is not None:
        wheres.append(Invoice.business_unit_id == business_unit_id)
    columns = (Invoice.id.label("invoice_id"), Invoice.customer_id, Invoice.due_date)
    return sa.union_all(
        sa.select(*columns, Invoice.balance.label("open_amount")).where(HAS_BALANCE, *wheres),
        sa.select(*columns, PaymentApplication.amount)
        .join(PaymentApplication, PaymentApplication.invoice_id == Invoice.id)
        .where(Invoice.last_applied_on > day, PaymentApplication.applied_on > day, *wheres),
    )
