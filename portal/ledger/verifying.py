"""Is every document numbered and booked just once? Invariants of single documents and entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.db import NO_MONEY, as_money, db, total_of
from portal.kernel import calendar
from portal.ledger.accounts import account_id_for
from portal.models import (
    ON_THE_BOOKS,
    AccountingPeriod,
    AccountRole,
    Invoice,
    JournalEntry,
    JournalLine,
    NumberSeries,
    PaymentApplication,
    PeriodState,
)

DOCUMENT_SERIES = ("INV", "CN", "WO", "RF")  # those whose numbers stand on documents
CLOCKS_DIFFER = timedelta(minutes=1)  # between the machines of one installation
AT_A_TIME = 1_000  # rows held in memory


def rows_of(query: sa.Executable) -> Iterator[Sequence[Any]]:
    """The rows of a check as they come, so that many broken ones need no memory."""
    yield from db.session.execute(query, execution_options={"yield_per": AT_A_TIME})


def missing_numbers() -> Iterator[str]:
    """Document numbers are gapless per series and fiscal year, up to what the counter says."""
    series = sa.select(NumberSeries).where(NumberSeries.series.in_(DOCUMENT_SERIES))
    in_order = series.order_by(NumberSeries.series, NumberSeries.fiscal_year)
    for one in db.session.scalars(in_order).all():
        yield from _gaps(f"{one.series}-{one.fiscal_year}-", one.last_number)


def _gaps(beginning: str, counted: int) -> Iterator[str]:
    number = Invoice.document_number
    query = sa.select(number).where(number.startswith(beginning, autoescape=True))
    last = 0
    for (found,) in rows_of(query.order_by(sa.func.length(number), number)):
        digits = found.removeprefix(beginning)
        if not digits.isdecimal():
            continue  # another program's, brought in by an import
        for missing in range(last + 1, int(digits)):
            yield f"Number {beginning}{missing:05} is missing: no document has it."
        last = int(digits)
    if last != counted:
        yield (
            f"Series {beginning[:-1]} says {counted} numbers were given out; the highest on a "
            f"document is {last}."
        )


@cache
def _entries_of_invoices_query() -> sa.Executable:
    live = _live_entries("invoice", sa.func.count().label("entries"))
    found = sa.func.coalesce(live.c.entries, 0)
    wanted = sa.case((Invoice.state.in_(ON_THE_BOOKS), 1), else_=0)
    number = sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
    return (
        sa.select(number, Invoice.state, found, wanted)
        .outerjoin(live, live.c.source_id == Invoice.id)
        .where(found != wanted)
        .order_by(Invoice.id)
    )


def entries_of_invoices() -> Iterator[str]:
    """An invoice on the books has one entry that was not reversed; any other has none."""
    for invoice, state, has, should in rows_of(_entries_of_invoices_query()):
        yield (
            f"Invoice {invoice} is {state} and has {has} journal entries that stand; it should "
            f"have {should}."
        )


@cache
def _booked_applications_query(account_id: int) -> sa.Executable:
    receivable = JournalLine.account_id == account_id
    part = sa.case((receivable, JournalLine.amount), else_=NO_MONEY)
    live = _live_entries("paymentapplication", total_of(part).label("amount"), with_lines=True)
    found = as_money(-sa.func.coalesce(live.c.amount, NO_MONEY))
    wanted = sa.case((Invoice.state.in_(ON_THE_BOOKS), PaymentApplication.amount), else_=NO_MONEY)
    number = sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
    return (
        sa.select(PaymentApplication.id, PaymentApplication.payment_id, number, found, wanted)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .outerjoin(live, live.c.source_id == PaymentApplication.id)
        .where(found != wanted)
        .order_by(PaymentApplication.id)
    )


def booked_applications() -> Iterator[str]:
    """What was applied to an invoice on the books was booked, once; on a draft it was not."""
    for row_id, payment, invoice, booked, should in rows_of(
        _booked_applications_query(account_id_for(AccountRole.RECEIVABLE))
    ):
        yield (
            f"Application {row_id} of payment {payment} to invoice {invoice} is booked with "
            f"{booked}; it should be {should}."
        )


def _live_entries(kind: str, counted: sa.Label[Any], *, with_lines: bool = False) -> sa.Subquery:
    """Per row of that kind something about its entries that neither reverse nor are reversed."""
    reversal = aliased(JournalEntry)
    query = (
        sa.select(JournalEntry.source_id, counted)
        .outerjoin(reversal, reversal.reverses_id == JournalEntry.id)
        .where(JournalEntry.source_kind == kind)
        .where(JournalEntry.reverses_id.is_(None), reversal.id.is_(None))
        .group_by(JournalEntry.source_id)
    )
    if with_lines:
        query = query.join(JournalLine, JournalLine.entry_id == JournalEntry.id)
    return query.subquery()


@cache
def _unlike_legs_query() -> sa.Executable:
    pair = JournalLine.entry_id.in_((JournalEntry.id, JournalEntry.reverses_id))
    legs = (JournalLine.account_id, JournalLine.customer_id, JournalLine.invoice_id)
    return (
        sa.select(JournalEntry.id, JournalEntry.reverses_id)
        .join(JournalLine, pair)
        .where(JournalEntry.reverses_id.is_not(None))
        .group_by(JournalEntry.id, JournalEntry.reverses_id, *legs)
        .having(sa.func.sum(JournalLine.amount) != NO_MONEY)
        .distinct()
        .order_by(JournalEntry.id)
    )


@cache
def _early_reversals_query() -> sa.Executable:
    original = aliased(JournalEntry)
    return (
        sa.select(JournalEntry.id, JournalEntry.entry_date, original.id, original.entry_date)
        .join(original, original.id == JournalEntry.reverses_id)
        .where(JournalEntry.entry_date < original.entry_date)
        .order_by(JournalEntry.id)
    )


def unlike_reversals() -> Iterator[str]:
    """A reversal takes back its original leg by leg, and not before the original's day."""
    for entry, reversed_entry in rows_of(_unlike_legs_query()):
        yield f"Journal entry {entry} is not the mirror image of entry {reversed_entry}."
    for entry, day, before, first in rows_of(_early_reversals_query()):
        yield f"Journal entry {entry} of {day} reverses entry {before}, which is of {first}."


def entries_in_closed_months() -> Iterator[str]:
    """Nothing was written into a month after it was closed."""
    closed = sa.select(AccountingPeriod).where(AccountingPeriod.state == PeriodState.CLOSED)
    for month in db.session.scalars(closed.order_by(AccountingPeriod.starts_on)).all():
        if month.starts_on.day != 1:
            yield f"The accounting period {month.starts_on} does not begin with a month."
        if month.changed_at is None:
            continue
        days = JournalEntry.entry_date.between(month.starts_on, calendar.month_end(month.starts_on))
        query = sa.select(JournalEntry.id).where(
            days, JournalEntry.created_at > month.changed_at + CLOCKS_DIFFER
        )
        for (entry,) in rows_of(query.order_by(JournalEntry.id)):
            name = f"{month.starts_on:%B %Y}"
            yield f"Journal entry {entry} was written into {name} after that month was closed."


def sourceless_entries() -> Iterator[str]:
    """Every entry of an invoice or an application names a row that is there."""
    for kind, table in (("invoice", Invoice), ("paymentapplication", PaymentApplication)):
        query = (
            sa.select(JournalEntry.id, JournalEntry.source_id)
            .outerjoin(table, table.id == JournalEntry.source_id)
            .where(JournalEntry.source_kind == kind, table.id.is_(None))
            .order_by(JournalEntry.id)
        )
        for entry, row_id in rows_of(query):
            yield f"Journal entry {entry} is of {kind} {row_id}, which does not exist."


DOCUMENT_CHECKS = (
    missing_numbers,
    entries_of_invoices,
    booked_applications,
    unlike_reversals,
    entries_in_closed_months,
    sourceless_entries,
)
