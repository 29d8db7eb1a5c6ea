"""What is in a batch: pages of members, sums by kind, and what refused to be posted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import Page, PageRequest, db, paginate, total_of
from portal.invoices import in_date_order, lock_in_order
from portal.kernel.money import Money
from portal.models import (
    IS_PENDING,
    Batch,
    BatchRefusal,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    Payment,
    PaymentState,
    PaymentType,
)
from portal.web import words_of


@dataclass(frozen=True)
class KindSum:
    """Members of one kind: how many, and what they add up to."""

    words: str
    count: int
    total: Money


@dataclass(frozen=True)
class Refused:
    """One member that was not posted the last time, and why."""

    number: str
    sentence: str
    invoice_id: int | None
    payment_id: int | None


def invoices_in(batch: Batch, page: PageRequest) -> Page[Invoice]:
    query = sa.select(Invoice).where(Invoice.batch_id == batch.id)
    rows = sa.select(Invoice).options(joinedload(Invoice.customer))
    sorts = {
        "number": Invoice.id,
        "date": Invoice.invoice_date,
        "total": Invoice.total,
        "review": Invoice.review_state,
    }
    return paginate(query, page, sorts=sorts, default="number", rows=rows)


def payments_in(batch: Batch, page: PageRequest) -> Page[Payment]:
    query = sa.select(Payment).where(Payment.batch_id == batch.id)
    rows = sa.select(Payment).options(joinedload(Payment.customer), joinedload(Payment.type))
    sorts = {"received": Payment.received_on, "amount": Payment.amount}
    return paginate(query, page, sorts=sorts, default="received", rows=rows)


def sums_by_kind(batch: Batch) -> list[KindSum]:
    """Invoices by kind, then payments by their type."""
    invoices = db.session.execute(
        sa.select(Invoice.kind, sa.func.count(), total_of(Invoice.total))
        .where(Invoice.batch_id == batch.id)
        .group_by(Invoice.kind)
        .order_by(Invoice.kind)
    )
    payments = db.session.execute(
        sa.select(PaymentType.name, sa.func.count(), total_of(Payment.amount))
        .join(PaymentType, PaymentType.id == Payment.type_id)
        .where(Payment.batch_id == batch.id)
        .group_by(PaymentType.name)
        .order_by(PaymentType.name)
    )
    return [
        *(KindSum(_words(kind), count, total) for kind, count, total in invoices),
        *(KindSum(name, count, total) for name, count, total in payments),
    ]


def count_bypassed(batch: Batch) -> int:
    """Members with nothing to tell the accounting system: marked so, or to be at posting.

    An invoice without lines, and a payment that counts for $0 because it was returned; a
    payment of $0 itself cannot be recorded.
    """
    empty = sa.and_(IS_PENDING, ~sa.exists().where(InvoiceLine.invoice_id == Invoice.id))
    nothing = sa.and_(Payment.state == PaymentState.PENDING, Payment.returned_on.is_not(None))
    invoices = sa.select(sa.func.count(Invoice.id)).where(
        Invoice.batch_id == batch.id, sa.or_(Invoice.bypass, empty)
    )
    payments = sa.select(sa.func.count(Payment.id)).where(
        Payment.batch_id == batch.id, sa.or_(Payment.bypass, nothing)
    )
    return (db.session.scalar(invoices) or 0) + (db.session.scalar(payments) or 0)


def refusals_of(batch: Batch, page: PageRequest) -> Page[BatchRefusal]:
    query = sa.select(BatchRefusal).where(BatchRefusal.batch_id == batch.id)
    return paginate(query, page, sorts={"found": BatchRefusal.id}, default="found")


def refused_members(rows: Sequence[BatchRefusal]) -> list[Refused]:
    """The refusals of one page with the numbers people know the members by."""
    wanted = [row.invoice_id for row in rows if row.invoice_id]
    query = sa.select(
        Invoice.id, sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
    ).where(Invoice.id.in_(wanted))
    numbers = dict(db.session.execute(query).all()) if wanted else {}
    return [
        Refused(
            numbers.get(row.invoice_id or 0, f"Payment {row.payment_id}"),
            row.sentence, row.invoice_id, row.payment_id,
        )
        for row in rows
    ]  # fmt: skip


def seen_of(batch: Batch) -> str:
    """What somebody who says yes has seen: changes when a member comes, goes or is edited."""
    invoices = sa.select(
        sa.func.count(), sa.func.sum(Invoice.id), sa.func.sum(Invoice.version)
    ).where(Invoice.batch_id == batch.id)
    payments = sa.select(
        sa.func.count(), sa.func.sum(Payment.id), sa.func.sum(Payment.version)
    ).where(Payment.batch_id == batch.id)
    parts = [*db.session.execute(invoices).one(), *db.session.execute(payments).one()]
    return ".".join(str(int(part or 0)) for part in parts)


def lock_members(batch: Batch) -> tuple[list[int], list[int]]:
    """All of them in the order everybody locks, given back in the order they are numbered."""
    members = sa.select(Invoice.id).where(Invoice.batch_id == batch.id)
    lock_in_order(list(db.session.scalars(members)))
    dated = in_date_order(list(db.session.scalars(members)))  # who left meanwhile is not held up
    payments = sa.select(Payment.id).where(Payment.batch_id == batch.id)
    locked = payments.order_by(Payment.id).with_for_update(of=Payment)
    return dated, list(db.session.scalars(locked))


def _words(kind: InvoiceKind) -> str:
    return words_of(kind)
