"""The invoices and what was applied to them as columns of numbers, each fact with its day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
import sqlalchemy as sa

from portal.db import NO_MONEY, db
from portal.models import (
    HAS_BALANCE,
    ON_THE_BOOKS,
    Customer,
    CustomerType,
    Invoice,
    InvoiceKind,
    Payment,
    PaymentApplication,
)
from portal.risk.sums import Flags, Ints, RunningSums

HISTORY = timedelta(days=3 * 365)  # what a customer did before says little about today
_OPEN_END = np.int64(10**6)  # a day after every other


@dataclass(frozen=True)
class Book:
    """One place per invoice and one per move; days are ordinals, amounts whole cents.

    `customer` counts the customers from 0. A move is an application or its taking back, dated no
    earlier than the invoice; `paying` ones are not write-offs, which close an invoice that nobody
    paid. `begins` is the day from which weights by age are counted.
    """

    invoice_id: Ints
    customer: Ints
    business: Flags
    issued: Ints
    due: Ints  # the invoice's own date when it has no term
    total: Ints
    mover: Ints  # place of the invoice that moved
    moved_on: Ints
    moved: Ints
    paying: Flags
    begins: int

    def __len__(self) -> int:
        return len(self.invoice_id)

    @cached_property
    def _applied(self) -> RunningSums:
        return RunningSums(self.mover, self.moved_on, self.moved, self.moved * self.paying)

    def open_at(self, place: Ints, day: Ints) -> Ints:
        """What was open on each invoice at the end of a day, in cents."""
        return np.asarray(self.total[place] - self._applied.at(place, day)[0])

    def unpaid_at(self, place: Ints, day: Ints) -> Flags:
        """Whether payments had not covered the invoice by the end of a day."""
        return np.asarray(self._applied.at(place, day)[1] < self.total[place])

    @cached_property
    def closings(self) -> Turns:
        """Every day an invoice was closed, or open again because money was taken back."""
        return _turns(self)

    @cached_property
    def closed_for_good(self) -> Ints:
        """The day from which each invoice stays closed; far in the future when it is open."""
        last = np.full(len(self), _OPEN_END)
        turns = self.closings
        last[turns.place] = np.where(turns.closed, turns.day, _OPEN_END)  # the last one stays
        return last


@dataclass(frozen=True)
class Turns:
    """Days on which invoices closed or opened again, in order of invoice and day."""

    place: Ints
    day: Ints
    closed: Flags
    written_off: Flags


def _turns(book: Book) -> Turns:
    order = np.lexsort((book.moved_on, book.mover))
    place, day = book.mover[order], book.moved_on[order]
    last = np.ones(len(order), dtype=bool)  # several moves of a day count together
    if len(order):
        last[:-1] = (place[1:] != place[:-1]) | (day[1:] != day[:-1])
    place, day = place[last], day[last]
    closed = book.open_at(place, day) <= 0
    before = np.zeros(len(place), dtype=bool)
    if len(place):
        before[1:] = closed[:-1] & (place[1:] == place[:-1])
    turned = closed != before
    place, day, closed = place[turned], day[turned], closed[turned]
    return Turns(place, day, closed, book.unpaid_at(place, day) & closed)


def read_book(*, on: date) -> Book:
    """What is known by the end of a day: open invoices and those of the last three years."""
    rows = db.session.execute(_invoices(on)).all()
    ids, owners, business, issued, due, total = _columns(rows, 6)
    moves = db.session.execute(_moves(on)).all()
    movers, days, amounts, write_off = _columns(moves, 4)
    place = np.searchsorted(ids, movers)
    known = np.zeros(len(movers), dtype=bool)
    if len(ids):
        known = ids[np.minimum(place, len(ids) - 1)] == movers
    place, days = place[known], days[known]
    return Book(
        invoice_id=ids,
        customer=np.unique(owners, return_inverse=True)[1].astype(np.int64),
        business=business.astype(bool),
        issued=issued,
        due=np.where(due > 0, due, issued),
        total=total,
        mover=place,
        moved_on=np.maximum(days, issued[place]) if len(place) else days,
        moved=amounts[known],
        paying=write_off[known] == 0,
        begins=(on - HISTORY).toordinal(),
    )


def _invoices(on: date) -> sa.Select[*tuple[Any, ...]]:
    """Final invoices that charge something, by id."""
    business = sa.func.coalesce(sa.cast(CustomerType.is_business, sa.Integer), 0)
    total = sa.type_coerce(Invoice.total, sa.BigInteger)
    recent = Invoice.invoice_date >= on - HISTORY
    return (
        sa.select(
            Invoice.id, Invoice.customer_id, business, Invoice.invoice_date, Invoice.due_date, total
        )
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(CustomerType, CustomerType.id == Customer.customer_type_id)
        .where(
            Invoice.state.in_(ON_THE_BOOKS),
            Invoice.kind != InvoiceKind.FINANCING,
            Invoice.total > NO_MONEY,
            Invoice.invoice_date <= on,
            sa.or_(recent, HAS_BALANCE),
        )
        .order_by(Invoice.id)
    )


def _moves(on: date) -> sa.Select[Any]:
    """Applications to such invoices, and whether a write-off made them."""
    paper = sa.orm.aliased(Invoice)
    amount = sa.type_coerce(PaymentApplication.amount, sa.BigInteger)
    write_off = sa.case((paper.kind == InvoiceKind.WRITE_OFF, 1), else_=0)
    return (
        sa.select(PaymentApplication.invoice_id, PaymentApplication.applied_on, amount, write_off)
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .outerjoin(paper, paper.id == Payment.document_id)
        .where(PaymentApplication.applied_on <= on)
        .order_by(PaymentApplication.id)
    )


def _columns(rows: Any, width: int) -> list[Ints]:
    """The columns of rows as whole numbers: days as ordinals, what is missing as 0."""
    if not rows:
        return [np.zeros(0, dtype=np.int64) for _ in range(width)]
    return [
        np.fromiter((_number(value) for value in column), dtype=np.int64, count=len(rows))
        for column in zip(*rows, strict=True)
    ]


def _number(value: date | int | None) -> int:
    if isinstance(value, date):
        return value.toordinal()
    return int(value or 0)
