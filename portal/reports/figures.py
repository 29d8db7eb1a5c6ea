"""The figures of receivables over any range of days, from dated rows alone."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import sqlalchemy as sa

from portal.db import NO_MONEY, db, total_of
from portal.kernel import calendar
from portal.kernel.errors import InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    OFF_THE_BOOKS,
    Invoice,
    InvoiceDispute,
    InvoiceKind,
    PromiseState,
    PromiseToPay,
)
from portal.receivables import AgingRow, aging_totals
from portal.reports.formulas import (
    Stretch,
    days_outstanding,
    days_outstanding_countback,
    effectiveness,
    per_cent,
)

MONTHS_BACK = 24  # how far counting back goes
MONTHS_SHOWN = 6
# These settle or move what was billed before; they bill nothing.
NOT_BILLING = (InvoiceKind.WRITE_OFF, InvoiceKind.REFUND, InvoiceKind.FINANCING)


@dataclass(frozen=True)
class Range:
    """The days from `start` to `end`, both counted."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1


@dataclass(frozen=True)
class Figures:
    """What docs/figures.md defines; days and per cents, None where one does not exist."""

    range: Range
    began: Money
    billed: Money
    ended: Money
    not_due: Money
    overdue: Money
    dso: Decimal | None
    dso_countback: Decimal | None
    best_dso: Decimal | None
    days_delinquent: Decimal | None
    cei: Decimal | None
    promises_kept: int
    promises_broken: int
    invoices: int
    disputed: int

    @property
    def promise_rate(self) -> Decimal | None:
        return per_cent(self.promises_kept, self.promises_kept + self.promises_broken)

    @property
    def dispute_rate(self) -> Decimal | None:
        return per_cent(self.disputed, self.invoices)


def range_of(start: date | None, end: date | None, *, on: date) -> Range:
    """What was asked for, else the 90 days up to today; InvalidFields when it runs backwards."""
    end = end or on
    start = start or end - timedelta(days=89)
    if start > end:
        raise InvalidFields({"start": "The first day lies after the last."})
    return Range(start, end)


def receivable_figures(asked: Range) -> Figures:
    """Every figure of a range, as the books stand now for those days."""
    began = aging_totals(on=asked.start - timedelta(days=1)).total
    ended = aging_totals(on=asked.end)
    billed, invoices = _billed(asked)
    kept, broken = _promises(asked)
    overdue = ended.total - ended.current - ended.no_term
    months = _billed_by_month(asked.end)
    return Figures(
        range=asked, began=began, billed=billed, ended=ended.total,
        not_due=ended.current + ended.no_term, overdue=overdue,
        dso=days_outstanding(ended.total, billed, asked.days),
        dso_countback=_countback(ended, asked.end, months),
        best_dso=days_outstanding(ended.current + ended.no_term, billed, asked.days),
        days_delinquent=days_outstanding(overdue, billed, asked.days),
        cei=effectiveness(began, billed, ended.total, ended.current + ended.no_term),
        promises_kept=kept, promises_broken=broken, invoices=invoices, disputed=_disputed(asked),
    )  # fmt: skip


def dso_by_month(*, on: date) -> list[tuple[date, Decimal | None]]:
    """DSO by counting back at the end of each of the last six months, this one as of the day."""
    months = _billed_by_month(on)
    ends = [calendar.month_end(calendar.add_months(on, -back)) for back in range(MONTHS_SHOWN)]
    ends[0] = on
    return [(end, _countback(aging_totals(on=end), end, months)) for end in reversed(ends)]


def _countback(owed: AgingRow, end: date, billed: dict[date, Money]) -> Decimal | None:
    """From the month of `end` back; of that month only the days up to it."""
    first = calendar.month_start(end)
    stretches = [Stretch(end.day, billed[first])]
    for back in range(1, MONTHS_BACK):
        month = calendar.add_months(first, -back)
        stretches.append(Stretch(calendar.month_end(month).day, billed[month]))
    return days_outstanding_countback(owed.total, stretches)


def _billed(asked: Range) -> tuple[Money, int]:
    """What documents of these days billed, less what they took back, and how many charged."""
    charges = sa.func.count(sa.case((Invoice.total > NO_MONEY, 1)))
    query = sa.select(total_of(Invoice.total), charges).where(*_billing(asked.start, asked.end))
    total, count = db.session.execute(query).one()
    return total or ZERO, count


def _billed_by_month(end: date) -> dict[date, Money]:
    """By the first day of each month, what was billed in it up to that day."""
    start = calendar.add_months(calendar.month_start(end), -MONTHS_BACK - MONTHS_SHOWN)
    query = sa.select(Invoice.invoice_date, sa.func.sum(Invoice.total))
    sums: dict[date, Money] = defaultdict(Money)
    for day, amount in db.session.execute(
        query.where(*_billing(start, end)).group_by(Invoice.invoice_date)
    ):
        assert day is not None  # it lies between two days
        sums[calendar.month_start(day)] += amount
    return sums


def _billing(start: date, end: date) -> list[sa.ColumnElement[bool]]:
    return [
        Invoice.state.not_in(OFF_THE_BOOKS),
        Invoice.kind.not_in(NOT_BILLING),
        Invoice.invoice_date.between(start, end),
    ]


def _promises(asked: Range) -> tuple[int, int]:
    """Promises found kept and found broken on these days."""
    query = (
        sa.select(PromiseToPay.state, sa.func.count())
        .where(
            PromiseToPay.state.in_([PromiseState.KEPT, PromiseState.BROKEN]),
            PromiseToPay.decided_on.between(asked.start, asked.end),
        )
        .group_by(PromiseToPay.state)
    )
    found = {row.state: row[1] for row in db.session.execute(query)}
    return found.get(PromiseState.KEPT, 0), found.get(PromiseState.BROKEN, 0)


def _disputed(asked: Range) -> int:
    """Invoices of these days that a customer contested, wholly or in part, whenever that was."""
    query = sa.select(sa.func.count(sa.distinct(InvoiceDispute.invoice_id))).join(
        Invoice, Invoice.id == InvoiceDispute.invoice_id
    )
    wheres = [*_billing(asked.start, asked.end), Invoice.total > NO_MONEY]
    return db.session.scalar(query.where(*wheres)) or 0
