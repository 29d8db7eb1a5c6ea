"""Aging by customer, location, business unit or collector, gross or net of credit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.db import NO_MONEY, Page, PageRequest, db, holds
from portal.kernel.money import ZERO, Money
from portal.models import (
    HAS_BALANCE,
    OFF_THE_BOOKS,
    BusinessUnit,
    Customer,
    Invoice,
    Location,
    PaymentApplication,
    User,
)
from portal.payments import credit_sums
from portal.receivables.aging import FIGURES, AgingFilter, AgingRow, bucket_sums


class AgingBy(StrEnum):
    CUSTOMER = "customer"
    LOCATION = "location"
    BUSINESS_UNIT = "business_unit"
    COLLECTOR = "collector"


# Credit is a customer's, and so its collector's; never a place's.
HAS_CREDIT = frozenset({AgingBy.CUSTOMER, AgingBy.COLLECTOR})


@dataclass(frozen=True)
class AgingView(AgingFilter):
    """An aging narrowed and grouped; `net` sets each customer's credit against what is open.

    A location, business unit or collector 0 means what has none.
    """

    by: AgingBy = AgingBy.CUSTOMER
    net: bool = False
    location_id: int | None = None
    customer_id: int | None = None
    customer_type_id: int | None = None
    collector_id: int | None = None


@dataclass(frozen=True)
class GroupRow:
    """One group's open balance by age; `key` is None for what belongs to no group."""

    key: int | None
    name: str
    whose: str
    figures: AgingRow
    credit: Money

    @property
    def net(self) -> Money:
        return self.figures.total - self.credit


@dataclass(frozen=True)
class GroupedAging:
    """One page of groups, with the sums of all of them."""

    page: Page[GroupRow]
    totals: GroupRow


def grouped_aging(view: AgingView, page: PageRequest, *, on: date) -> GroupedAging:
    """Groups that owed something on that day (net: or had credit), largest debt first.

    Every open cent is in exactly one group and one bucket. Two statements.
    """
    listed = groups_of(view, on)
    sums = [sa.func.sum(listed.c[name]).label(name) for name in (*FIGURES, "credit")]
    whole = db.session.execute(sa.select(sa.func.count().label("groups"), *sums)).one()
    last = max((whole.groups + page.size - 1) // page.size, 1)
    number = min(max(page.number, 1), last)
    cut = _ordered(listed, view, page.sort).limit(page.size).offset((number - 1) * page.size)
    rows = [_row(one) for one in db.session.execute(cut)]
    totals = GroupRow(None, "", "", _figures(whole, 0, ""), whole.credit or ZERO)
    return GroupedAging(Page(rows, whole.groups, number, page.size), totals)


def every_group(view: AgingView, *, on: date) -> Iterator[GroupRow]:
    """All groups in the order of the page, from a cursor; for a workbook."""
    query = _ordered(groups_of(view, on), view, "").execution_options(yield_per=1_000)
    for one in db.session.execute(query):
        yield _row(one)


def open_amounts(view: AgingView, on: date) -> sa.Select[*tuple[Any, ...]]:
    """(invoice_id, open_amount) of each invoice that was open on that day and fits the view."""
    items = _items(view, on, Invoice.id.label("invoice_id")).subquery()
    total = sa.func.sum(items.c.open_amount)
    return (
        sa.select(items.c.invoice_id, total.label("open_amount"))
        .group_by(items.c.invoice_id)
        .having(total != NO_MONEY)
    )


def _ordered(listed: sa.CTE, view: AgingView, sort: str) -> sa.Select[*tuple[Any, ...]]:
    usual = "-net" if view.net else "-total"
    key = sort if sort.removeprefix("-") in ("name", "credit", "net", *FIGURES) else usual
    columns = {**dict(listed.c), "net": listed.c.total - listed.c.credit}
    column = columns[key.removeprefix("-")]
    order = column.desc() if key.startswith("-") else column.asc()
    return sa.select(listed).order_by(order, listed.c.key)


def _row(found: Any) -> GroupRow:
    key = found.key or None
    return GroupRow(
        key, found.name or "", found.whose or "", _figures(found, key or 0, ""), found.credit
    )


def _figures(found: Any, key: int, name: str) -> AgingRow:
    return AgingRow(key, name, *(getattr(found, one) or ZERO for one in FIGURES))


def groups_of(view: AgingView, on: date) -> sa.CTE:
    """Every group as (key, name, whose, FIGURES, credit); 0 stands for what belongs to none."""
    owing = _groups(view, on).subquery()
    figures = [owing.c[name] for name in (*FIGURES, "credit")]
    match view.by:
        case AgingBy.CUSTOMER:
            query = sa.select(
                owing.c.key, Customer.name, sa.literal("").label("whose"), *figures
            ).join(Customer, Customer.id == owing.c.key)
        case AgingBy.LOCATION:
            street = sa.case((Location.name != "", Location.name), else_=Location.street)
            query = (
                sa.select(owing.c.key, street.label("name"), Customer.name.label("whose"), *figures)
                .outerjoin(Location, Location.id == owing.c.key)
                .outerjoin(Customer, Customer.id == Location.customer_id)
            )
        case AgingBy.BUSINESS_UNIT:
            query = sa.select(
                owing.c.key, BusinessUnit.name, sa.literal("").label("whose"), *figures
            ).outerjoin(BusinessUnit, BusinessUnit.id == owing.c.key)
        case AgingBy.COLLECTOR:
            query = sa.select(
                owing.c.key, User.name, sa.literal("").label("whose"), *figures
            ).outerjoin(User, User.id == owing.c.key)
    if view.q.strip():
        query = query.where(_named(view))
    return query.cte("listed")


def _named(view: AgingView) -> sa.ColumnElement[bool]:
    match view.by:
        case AgingBy.CUSTOMER:
            return holds(Customer.name, view.q)
        case AgingBy.LOCATION:
            fields = (Location.name, Location.street, Location.city, Customer.name)
            return sa.or_(*(holds(one, view.q) for one in fields))
        case AgingBy.BUSINESS_UNIT:
            return holds(BusinessUnit.name, view.q)
        case AgingBy.COLLECTOR:
            return holds(User.name, view.q)


def _groups(view: AgingView, on: date) -> sa.Select[*tuple[Any, ...]]:
    if view.by is AgingBy.COLLECTOR:
        return _by_collector(view, on)
    items = _items(view, on, _key_of(view.by).label("key")).subquery()
    key = sa.func.coalesce(items.c.key, sa.literal_column("0")).label("key")
    aged = sa.select(key, *bucket_sums(items, on), NO_MONEY.label("credit")).group_by(key)
    if not (view.net and view.by in HAS_CREDIT):
        return aged.having(sa.func.sum(items.c.open_amount) != NO_MONEY)
    both = sa.union_all(aged, _credit_rows(view, on)).subquery()
    sums = [sa.func.sum(both.c[name]).label(name) for name in (*FIGURES, "credit")]
    return (
        sa.select(both.c.key, *sums)
        .group_by(both.c.key)
        .having(
            sa.or_(sa.func.sum(both.c.total) != NO_MONEY, sa.func.sum(both.c.credit) != NO_MONEY)
        )
    )


def _by_collector(view: AgingView, on: date) -> sa.Select[*tuple[Any, ...]]:
    """The customers' groups, summed once more by who looks after them."""
    owing = _groups(replace(view, by=AgingBy.CUSTOMER), on).subquery()
    key = sa.func.coalesce(Customer.collector_id, sa.literal_column("0")).label("key")
    sums = [sa.func.sum(owing.c[name]).label(name) for name in (*FIGURES, "credit")]
    return (
        sa.select(key, *sums)
        .select_from(owing)
        .join(Customer, Customer.id == owing.c.key)
        .group_by(key)
    )


def _credit_rows(view: AgingView, on: date) -> sa.Select[*tuple[Any, ...]]:
    """Each customer's credit in the shape of a group without open items."""
    credit = credit_sums(on).subquery()
    nothing = [NO_MONEY.label(name) for name in FIGURES]
    query = sa.select(credit.c.customer_id.label("key"), *nothing, credit.c.amount.label("credit"))
    wheres = _of_customers(view)
    if wheres:
        query = query.join(Customer, Customer.id == credit.c.customer_id).where(*wheres)
    return query


def _key_of(by: AgingBy) -> Any:
    keys = {
        AgingBy.CUSTOMER: Invoice.customer_id,
        AgingBy.LOCATION: Invoice.location_id,
        AgingBy.BUSINESS_UNIT: Invoice.business_unit_id,
    }
    return keys[by]


def _items(view: AgingView, on: date, key: Any) -> sa.CompoundSelect[*tuple[Any, ...]]:
    """What was open on that day: what is open now, plus what was applied only after it.

    The same two branches as `aging`, which explains them, for any key and narrowing.
    """
    day = sa.literal(on, literal_execute=True)
    wheres = [
        Invoice.state.not_in(OFF_THE_BOOKS),
        Invoice.invoice_date <= day,
        *_narrowed(view),
    ]
    columns = (key, Invoice.due_date)
    return sa.union_all(
        sa.select(*columns, Invoice.balance.label("open_amount")).where(HAS_BALANCE, *wheres),
        sa.select(*columns, PaymentApplication.amount)
        .join(PaymentApplication, PaymentApplication.invoice_id == Invoice.id)
        .where(Invoice.last_applied_on > day, PaymentApplication.applied_on > day, *wheres),
    )


def _narrowed(view: AgingView) -> Sequence[sa.ColumnElement[bool]]:
    wheres: list[sa.ColumnElement[bool]] = []
    if view.business_unit_id is not None:
        wheres.append(Invoice.business_unit_id.is_not_distinct_from(view.business_unit_id or None))
    if view.location_id is not None:
        wheres.append(Invoice.location_id.is_not_distinct_from(view.location_id or None))
    if view.customer_id is not None:
        wheres.append(Invoice.customer_id == view.customer_id)
    if of_customers := _of_customers(view):
        wheres.append(Invoice.customer_id.in_(sa.select(Customer.id).where(*of_customers)))
    return wheres


def _of_customers(view: AgingView) -> Sequence[sa.ColumnElement[bool]]:
    """What of the view is said of the customer, so that it narrows credit too."""
    wheres: list[sa.ColumnElement[bool]] = []
    if view.customer_type_id is not None:
        wheres.append(Customer.customer_type_id == view.customer_type_id)
    if view.collector_id is not None:
        wheres.append(Customer.collector_id.is_not_distinct_from(view.collector_id or None))
    return wheres
