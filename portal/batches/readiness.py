"""What is ready for a batch, and why the rest is not (servicetitan-rules §3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as later
from sqlalchemy.orm import joinedload

from portal.company import company, today
from portal.db import Page, PageRequest, db, holds, holds_code, paginate
from portal.invoices import InvoiceFilter, ids_of_invoices
from portal.models import (
    IS_PENDING,
    IS_UNPOSTED,
    Customer,
    Invoice,
    Job,
    JobState,
    Payment,
    PaymentOrigin,
    ReviewState,
)

JOB_DONE = sa.or_(
    Invoice.job_id.is_(None),
    sa.exists().where(Job.id == Invoice.job_id, Job.state == JobState.DONE),
)
HELD_BACK = {
    ReviewState.ON_HOLD: later("It is on hold."),
    ReviewState.PENDING_APPROVAL: later("It waits for approval."),
    ReviewState.REJECTED: later("It was rejected."),
}
NOT_REVIEWED = later("Nobody reviewed it yet, and only reviewed ones are posted.")
FREE_INVOICE = sa.and_(IS_PENDING, Invoice.batch_id.is_(None))
# The credit of a document is no money: its document is what goes to the books.
READY_PAYMENT = sa.and_(
    IS_UNPOSTED,
    Payment.batch_id.is_(None),
    Payment.origin == PaymentOrigin.MONEY,
)


def held_back() -> dict[ReviewState, Any]:
    """The review states that are kept out of batches, each with the sentence that says so."""
    if not company().only_reviewed_posts:
        return HELD_BACK
    return {**HELD_BACK, ReviewState.NEEDS_REVIEW: NOT_REVIEWED}


def ready_invoice() -> sa.ColumnElement[bool]:
    """Dated, its job done, held back by nobody, and in no batch."""
    return sa.and_(
        FREE_INVOICE,
        Invoice.invoice_date.is_not(None),
        Invoice.review_state.not_in(list(held_back())),
        JOB_DONE,
    )


@dataclass(frozen=True)
class FreePayments:
    """What the list of payments in no batch is narrowed to."""

    q: str = ""
    type_id: int | None = None
    received_from: date | None = None
    received_to: date | None = None

    def wheres(self) -> list[sa.ColumnElement[bool]]:
        """Ready payments that fit."""
        wheres: list[sa.ColumnElement[bool]] = [READY_PAYMENT]
        if self.q.strip():
            named = sa.select(Customer.id).where(holds(Customer.name, self.q))
            by_code = holds_code(Payment.reference, self.q)
            wheres.append(sa.or_(by_code, Payment.customer_id.in_(named)))
        if self.type_id:
            wheres.append(Payment.type_id == self.type_id)
        if self.received_from:
            wheres.append(Payment.received_on >= self.received_from)
        if self.received_to:
            wheres.append(Payment.received_on <= self.received_to)
        return wheres


def unbatched_invoices(
    wanted: InvoiceFilter, page: PageRequest, *, ready: bool = True, free: int | None = None
) -> Page[Invoice]:
    """Pending invoices in no batch: those that are ready, or those that are not yet.

    `free` is how many of them there are without any filter, where that was counted already.
    """
    query = sa.select(Invoice).where(
        ready_invoice() if ready else sa.and_(FREE_INVOICE, sa.not_(ready_invoice()))
    )
    rows = sa.select(Invoice).options(joinedload(Invoice.customer), joinedload(Invoice.job))
    narrowed = wanted != InvoiceFilter()
    if narrowed:
        query = query.where(Invoice.id.in_(ids_of_invoices(wanted, on=today())))
    sorts = {"date": Invoice.invoice_date, "number": Invoice.id, "total": Invoice.total}
    total = None if narrowed else free
    return paginate(query, page, sorts=sorts, default="-number", total=total, rows=rows)


def unbatched_payments(wanted: FreePayments, page: PageRequest) -> Page[Payment]:
    """Pending payments in no batch."""
    query = sa.select(Payment).where(*wanted.wheres())
    rows = sa.select(Payment).options(joinedload(Payment.customer), joinedload(Payment.type))
    sorts = {"received": Payment.received_on, "amount": Payment.amount, "number": Payment.id}
    return paginate(query, page, sorts=sorts, default="-number", rows=rows)


def count_unbatched() -> tuple[int, int, int]:
    """Invoices that are ready, invoices that are not, payments."""
    free, ready = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((ready_invoice(), 1), else_=0)), 0),
        )
        .select_from(Invoice)
        .where(FREE_INVOICE)
    ).one()
    payments = db.session.scalar(
        sa.select(sa.func.count()).select_from(Payment).where(READY_PAYMENT)
    )
    return ready, free - ready, payments or 0


def why_not_ready(invoice: Invoice) -> str:
    """The first reason why it is left out of the ready list, in words; empty when it is ready."""
    if invoice.job is not None and invoice.job.state is not JobState.DONE:
        return str(_("Job %(n)s is not completed yet.", n=invoice.job.number))
    if invoice.invoice_date is None:
        return str(_("It has no date yet."))
    return str(held_back().get(invoice.review_state, ""))
