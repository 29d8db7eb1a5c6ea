"""The invoices behind an aging: a page of them on screen, all of them in a workbook."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.db import Page, PageRequest, db, total_of
from portal.documents import Sheet, write_workbook
from portal.kernel.money import ZERO, Money
from portal.models import BusinessUnit, Customer, Invoice, Location
from portal.receivables.aging import FIGURES
from portal.receivables.grouping import AgingView, every_group, grouped_aging, open_amounts

FETCHED = 1_000  # rows read at a time


@dataclass(frozen=True)
class OpenItem:
    """One invoice with what was open on it that day."""

    invoice_id: int
    number: str
    customer_id: int
    customer_name: str
    unit: str
    place: str
    invoice_date: date
    due_date: date | None
    total: Money
    open: Money

    def days_late(self, on: date) -> int:
        return max((on - self.due_date).days, 0) if self.due_date else 0


def open_list(view: AgingView, page: PageRequest, *, on: date) -> tuple[Page[OpenItem], Money]:
    """One page of open invoices, the oldest due first, and what is open on all of them."""
    amounts = open_amounts(view, on).subquery()
    sums = sa.select(sa.func.count(), total_of(amounts.c.open_amount))
    count, total = db.session.execute(sums).one()
    number = min(max(page.number, 1), max((count + page.size - 1) // page.size, 1))
    cut = _query(view, on).limit(page.size).offset((number - 1) * page.size)
    rows = [OpenItem(*one) for one in db.session.execute(cut)]
    return Page(rows, count, number, page.size), total or ZERO


def every_open_item(view: AgingView, *, on: date) -> list[OpenItem]:
    """All invoices that were open on that day and fit the view, the oldest due first."""
    return [OpenItem(*one) for one in db.session.execute(_query(view, on))]


def aging_workbook(view: AgingView, *, on: date) -> IO[bytes]:
    """The groups with their sums, and every open invoice: an open file at its start."""
    return write_workbook(
        [
            Sheet(_("Aging"), _group_columns(), _group_rows(view, on)),
            Sheet(_("Open invoices"), _item_columns(), _item_rows(view, on)),
        ]
    )


def _query(view: AgingView, on: date) -> sa.Select[*tuple[Any, ...]]:
    amounts = open_amounts(view, on).subquery()
    place = sa.case((Location.name != "", Location.name), else_=Location.street)
    return (
        sa.select(
            Invoice.id, sa.func.coalesce(Invoice.document_number, Invoice.reference_number),
            Customer.id, Customer.name, sa.func.coalesce(BusinessUnit.name, ""),
            sa.func.coalesce(place, ""), Invoice.invoice_date, Invoice.due_date, Invoice.total,
            amounts.c.open_amount,
        )
        .join(amounts, amounts.c.invoice_id == Invoice.id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(BusinessUnit, BusinessUnit.id == Invoice.business_unit_id)
        .outerjoin(Location, Location.id == Invoice.location_id)
        .order_by(Invoice.due_date.is_(None), Invoice.due_date, Invoice.id)
    )  # fmt: skip


def _group_columns() -> list[str]:
    return [
        _("Group"), _("Customer"), _("Current"), _("1–30"), _("31–60"), _("61–90"), _("91+"),
        _("No term"), _("Total"), _("Credit"), _("Net"),
    ]  # fmt: skip


def _group_rows(view: AgingView, on: date) -> Iterator[list[Any]]:
    for row in every_group(view, on=on):
        figures = [getattr(row.figures, name) for name in FIGURES]
        yield [row.name or _("none"), row.whose, *figures, row.credit, row.net]
    totals = grouped_aging(view, PageRequest(size=1), on=on).totals
    figures = [getattr(totals.figures, name) for name in FIGURES]
    yield [_("Total as of %(d)s", d=on.isoformat()), "", *figures, totals.credit, totals.net]


def _item_columns() -> list[str]:
    return [
        _("Invoice"), _("Customer"), _("Business unit"), _("Location"), _("Date"), _("Due"),
        _("Days late"), _("Total"), _("Open"),
    ]  # fmt: skip


def _item_rows(view: AgingView, on: date) -> Iterator[list[Any]]:
    query = _query(view, on).execution_options(yield_per=FETCHED)
    total = ZERO
    for found in db.session.execute(query):
        one = OpenItem(*found)
        total = total + one.open
        yield [
            one.number, one.customer_name, one.unit, one.place, one.invoice_date, one.due_date,
            one.days_late(on), one.total, one.open,
        ]  # fmt: skip
    yield [_("Total"), "", "", "", None, None, None, None, total]
