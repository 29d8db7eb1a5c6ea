"""The queue of drafts to review, and what became of those that left it: aging and paid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, Page, PageRequest, db, paginate, total_of
from portal.invoices.checklist import Check
from portal.invoices.queries import WITH_PAID_STATE, matches_text
from portal.kernel.money import Money
from portal.models import (
    HAS_BALANCE,
    IS_PENDING,
    OFF_THE_BOOKS,
    CustomerPrice,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    ItemKind,
    Job,
    PriceBookItem,
    ReviewState,
)

TO_DO = (
    ReviewState.NEEDS_REVIEW,
    ReviewState.ON_HOLD,
    ReviewState.PENDING_APPROVAL,
    ReviewState.REJECTED,
)
ME, NOBODY = "me", "nobody"
PAID_WITHIN = 30  # days the Paid tab looks back unless told otherwise


@dataclass(frozen=True)
class ReviewFilter:
    """What the queue is narrowed to. `assignee` is an id, "me" or "nobody".

    Drafts without a date wait for their job and are left out unless `undated`.
    """

    q: str = ""
    review: ReviewState | None = None
    assignee: str = ""
    business_unit_id: int | None = None
    job_type: str = ""
    warning: Check | None = None
    undated: bool | None = None
    paid_from: date | None = None


def find_to_review(
    wanted: ReviewFilter, page: PageRequest, *, me: int, total: int | None = None
) -> Page[Invoice]:
    """Drafts that somebody should look at, oldest first; a reviewed one only when asked for."""
    query = sa.select(Invoice).where(IS_PENDING, *_to_review(wanted, me))
    sorts = {"date": Invoice.invoice_date, "total": Invoice.total, "number": Invoice.id}
    return paginate(query, page, sorts=sorts, default="date", total=total, rows=_seen())


def find_aging(wanted: ReviewFilter, page: PageRequest, *, me: int) -> Page[Invoice]:
    """Posted invoices that are still owed, longest overdue first."""
    wheres = (HAS_BALANCE, Invoice.balance > NO_MONEY, Invoice.state.not_in(OFF_THE_BOOKS))
    query = sa.select(Invoice).where(*wheres, *_narrowed(wanted, me))
    sorts = {"due": Invoice.due_date, "balance": Invoice.balance, "number": Invoice.id}
    return paginate(query, page, sorts=sorts, default="due", rows=_seen())


def find_paid(wanted: ReviewFilter, page: PageRequest, *, me: int, on: date) -> Page[Invoice]:
    """Posted invoices paid in full since `paid_from` (30 days ago), latest first."""
    since = wanted.paid_from or on - timedelta(days=PAID_WITHIN)
    query = sa.select(Invoice).where(
        Invoice.last_applied_on >= since,
        Invoice.balance == NO_MONEY,
        Invoice.state.not_in(OFF_THE_BOOKS),
        *_narrowed(wanted, me),
    )
    sorts = {"paid": Invoice.last_applied_on, "total": Invoice.total, "number": Invoice.id}
    return paginate(query, page, sorts=sorts, default="-paid", rows=_seen())


def sum_to_review(wanted: ReviewFilter, *, me: int) -> tuple[int, Money]:
    """How many drafts the queue holds, and what they add up to: not just one page."""
    query = sa.select(sa.func.count(), total_of(Invoice.total))
    count, total = db.session.execute(query.where(IS_PENDING, *_to_review(wanted, me))).one()
    return count, total


@dataclass(frozen=True)
class Neighbours:
    """The drafts before and after one in the queue's own order."""

    before: Invoice | None
    after: Invoice | None


def neighbours(invoice: Invoice, wanted: ReviewFilter, *, me: int) -> Neighbours:
    """Where to go on from a draft, also when it just left the queue."""
    here = (invoice.invoice_date, invoice.id)
    return Neighbours(_next(wanted, me, here, back=True), _next(wanted, me, here, back=False))


def job_types() -> list[str]:
    """Every type a job was given, for choosing from."""
    query = sa.select(Job.job_type).where(Job.job_type != "").distinct().order_by(Job.job_type)
    return list(db.session.scalars(query))


def _next(
    wanted: ReviewFilter, me: int, here: tuple[date | None, int], *, back: bool
) -> Invoice | None:
    day, number = here
    if day is None:  # undated ones follow each other by id
        beyond = Invoice.id < number if back else Invoice.id > number
        order = (Invoice.id.desc(),) if back else (Invoice.id,)
    else:
        place, at = sa.tuple_(Invoice.invoice_date, Invoice.id), sa.tuple_(day, number)
        beyond = place < at if back else place > at
        columns = (Invoice.invoice_date, Invoice.id)
        order = tuple(one.desc() for one in columns) if back else columns  # type: ignore[assignment]
    query = sa.select(Invoice).where(IS_PENDING, *_to_review(wanted, me), beyond)
    return db.session.scalar(query.order_by(*order).limit(1))


def _seen() -> sa.Select[Invoice]:
    """With everything a row of the list shows."""
    return sa.select(Invoice).options(
        joinedload(Invoice.customer),
        joinedload(Invoice.job),
        joinedload(Invoice.review_assignee),
        WITH_PAID_STATE,
    )


def _to_review(wanted: ReviewFilter, me: int) -> list[sa.ColumnElement[bool]]:
    states = [wanted.review] if wanted.review else list(TO_DO)
    dated = Invoice.invoice_date.is_not(None)
    wheres: list[sa.ColumnElement[bool]] = [
        Invoice.review_state.in_(states),
        ~dated if wanted.undated else dated,
    ]
    if wanted.warning in _WARNED:
        wheres.append(_WARNED[wanted.warning])
    return [*wheres, *_narrowed(wanted, me)]


def _narrowed(wanted: ReviewFilter, me: int) -> list[sa.ColumnElement[bool]]:
    """What all three tabs can be narrowed by."""
    wheres: list[sa.ColumnElement[bool]] = []
    if wanted.q.strip():
        wheres.append(matches_text(wanted.q.strip()))
    if wanted.business_unit_id:
        wheres.append(Invoice.business_unit_id == wanted.business_unit_id)
    if wanted.job_type:
        typed = sa.select(Job.id).where(Job.job_type == wanted.job_type)
        wheres.append(Invoice.job_id.in_(typed))
    if wanted.assignee == NOBODY:
        wheres.append(Invoice.review_assignee_id.is_(None))
    elif wanted.assignee == ME:
        wheres.append(Invoice.review_assignee_id == me)
    elif wanted.assignee.isdecimal():
        wheres.append(Invoice.review_assignee_id == int(wanted.assignee[:9]))
    return wheres


_LINES = sa.select(InvoiceLine.id).where(InvoiceLine.invoice_id == Invoice.id)
_WANTED = sa.func.coalesce(CustomerPrice.unit_price, PriceBookItem.unit_price)
_CHARGED: Any = sa.case(
    (InvoiceLine.kind == ItemKind.DISCOUNT, -InvoiceLine.unit_price), else_=InvoiceLine.unit_price
)
_PRICED = (
    _LINES.join(PriceBookItem, PriceBookItem.id == InvoiceLine.item_id)
    .outerjoin(
        CustomerPrice,
        sa.and_(
            CustomerPrice.item_id == InvoiceLine.item_id,
            CustomerPrice.customer_id == Invoice.customer_id,
        ),
    )
    .correlate(Invoice)
)
_STOCK = InvoiceLine.kind.in_([ItemKind.MATERIAL, ItemKind.EQUIPMENT])
# The checks a database can answer; the others are computed for the rows that are shown.
_WARNED: dict[Check, sa.ColumnElement[bool]] = {
    Check.NO_LINES: ~_LINES.exists(),
    Check.NO_SUMMARY: sa.func.trim(Invoice.summary) == "",
    Check.NO_TECHNICIAN: sa.and_(
        Invoice.kind != InvoiceKind.POINT_OF_SALE,
        _LINES.where(_STOCK, InvoiceLine.technician_id.is_(None)).exists(),
    ),
    Check.ZONE_MISSING: Invoice.tax_zone_id.is_(None),
    Check.NEGATIVE_TOTAL: Invoice.total < NO_MONEY,
    Check.OTHER_PRICE: _PRICED.where(_CHARGED != _WANTED).exists(),
}
WARNINGS = tuple(_WARNED)
