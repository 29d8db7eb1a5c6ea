"""Finding invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload, undefer_group

from portal.db import NO_MONEY, Page, PageRequest, db, holds, holds_code, paginate, total_of
from portal.invoices.internal_papers import IS_INTERNAL
from portal.kernel.errors import NotFound
from portal.kernel.money import Money
from portal.ledger import closed_days
from portal.models import (
    CHANGED_SINCE_SENT,
    CREDITS,
    HAS_BALANCE,
    HAS_PURCHASE_ORDER,
    IS_PENDING,
    OFF_THE_BOOKS,
    ON_THE_BOOKS,
    Batch,
    Customer,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    Job,
    PaidState,
    Payment,
    PaymentApplication,
    PeriodState,
    ReviewState,
    SentAxis,
    SentState,
    SyncState,
)

WITH_PAID_STATE = undefer_group("paid_state")  # where a list shows it
UNBATCHED, BATCHED = "unbatched", "batched"


class DueState(StrEnum):
    OVERDUE = "overdue"
    NOT_YET_DUE = "not_yet_due"


@dataclass(frozen=True)
class InvoiceFilter:
    """What a list of invoices is narrowed to: one field per status axis, and more."""

    q: str = ""
    state: InvoiceState | None = None
    review: ReviewState | None = None
    sent: SentAxis | None = None
    paid: PaidState | None = None
    due: DueState | None = None
    kind: InvoiceKind | None = None
    type_id: int | None = None
    customer_id: int | None = None
    business_unit_id: int | None = None
    dated_from: date | None = None
    dated_to: date | None = None
    batch: str = ""  # "unbatched", "batched" or a batch's number
    period: PeriodState | None = None
    sync: SyncState | None = None
    in_hand: bool | None = None  # sent in any way, changed since or not


def get_invoice(invoice_id: int) -> Invoice:
    """One invoice with all a page shows of it; NotFound otherwise."""
    invoice = db.session.get(
        Invoice,
        invoice_id,
        options=[
            selectinload(Invoice.lines).joinedload(InvoiceLine.item),
            selectinload(Invoice.taxes),
            joinedload(Invoice.customer),
            joinedload(Invoice.location),
            joinedload(Invoice.job),
            joinedload(Invoice.term),
            joinedload(Invoice.tax_zone),
            joinedload(Invoice.business_unit),
            joinedload(Invoice.type),
            joinedload(Invoice.batch),
            joinedload(Invoice.review_assignee),
            WITH_PAID_STATE,
        ],
    )
    if invoice is None:
        raise NotFound("No such invoice.")
    return invoice


def find_invoices(
    wanted: InvoiceFilter, page: PageRequest, *, on: date, total: int | None = None
) -> Page[Invoice]:
    """One page of invoices; `on` is the business date that decides what is overdue."""
    rows = sa.select(Invoice).options(
        joinedload(Invoice.customer), joinedload(Invoice.batch), WITH_PAID_STATE
    )
    sorts = {
        "date": Invoice.invoice_date,
        "number": Invoice.id,
        "due": Invoice.due_date,
        "total": Invoice.total,
        "balance": Invoice.balance,
    }
    query = sa.select(Invoice).where(*_wheres(wanted, on))
    return paginate(query, page, sorts=sorts, default="-number", total=total, rows=rows)


def recent_batches(limit: int = 20) -> list[str]:
    """The numbers of the newest batches, to narrow a list to one."""
    return list(db.session.scalars(sa.select(Batch.number).order_by(Batch.id.desc()).limit(limit)))


def sum_of_invoices(wanted: InvoiceFilter, *, on: date) -> tuple[int, Money, Money]:
    """How many the filter lets through, their total and balance: not just one page."""
    query = sa.select(
        sa.func.count(),
        total_of(Invoice.total),
        total_of(sa.case((_IS_OWED, Invoice.balance), else_=NO_MONEY)),
    ).where(*_wheres(wanted, on))
    count, total, balance = db.session.execute(query).one()
    return count, total, balance


def ids_of_invoices(wanted: InvoiceFilter, *, on: date) -> sa.Select[int]:
    """The ids the filter lets through, as a query to be put into another one."""
    return sa.select(Invoice.id).where(*_wheres(wanted, on))


def numbers_of(ids: Sequence[int]) -> list[str]:
    """What these invoices are called, by id."""
    number = sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
    return list(
        db.session.scalars(sa.select(number).where(Invoice.id.in_(ids)).order_by(Invoice.id))
    )


def ids_to_send(wanted: InvoiceFilter, *, on: date) -> list[int]:
    """Those of them that customers may get, oldest first: without internal papers."""
    query = ids_of_invoices(wanted, on=on).where(~IS_INTERNAL).order_by(Invoice.id)
    return list(db.session.scalars(query))


def open_invoices(customer_id: int) -> list[Invoice]:
    """What a customer can pay: with a balance and not cancelled, oldest due first."""
    query = (
        sa.select(Invoice)
        .where(
            Invoice.customer_id == customer_id,
            HAS_BALANCE,
            Invoice.balance > NO_MONEY,
            Invoice.state != InvoiceState.CANCELLED,
        )
        .order_by(Invoice.due_date.is_(None), Invoice.due_date, Invoice.id)
    )
    return list(db.session.scalars(query))


def invoice_of_job(job: Job) -> Invoice | None:
    """The invoice that booking the job made."""
    return db.session.scalar(sa.select(Invoice).where(Invoice.job_id == job.id))


def _wheres(wanted: InvoiceFilter, on: date) -> list[sa.ColumnElement[bool]]:
    pairs = (
        (Invoice.review_state, wanted.review),
        (Invoice.kind, wanted.kind),
        (Invoice.type_id, wanted.type_id),
        (Invoice.customer_id, wanted.customer_id),
        (Invoice.business_unit_id, wanted.business_unit_id),
        (Invoice.sync_state, wanted.sync),
    )
    wheres: list[sa.ColumnElement[bool]] = [
        column == value for column, value in pairs if value is not None
    ]
    if wanted.state:
        wheres.append(_in_state(wanted.state))
    if wanted.q.strip():
        wheres.append(matches_text(wanted.q.strip()))
    if wanted.sent:
        wheres += _sent(wanted.sent)
    if wanted.in_hand is not None:
        unsent = Invoice.sent_state == SentState.NOT_SENT
        wheres.append(sa.not_(unsent) if wanted.in_hand else unsent)
    if wanted.paid:
        wheres.append(_PAID[wanted.paid])
    if wanted.due:
        wheres += _due(wanted.due, on)
    if wanted.batch:
        wheres.append(_batched(wanted.batch))
    if wanted.period:
        closed = closed_days().where(Invoice.invoice_date)
        wheres.append(closed if wanted.period is PeriodState.CLOSED else sa.not_(closed))
    if wanted.dated_from:
        wheres.append(Invoice.invoice_date >= wanted.dated_from)
    if wanted.dated_to:
        wheres.append(Invoice.invoice_date <= wanted.dated_to)
    return wheres


def _in_state(state: InvoiceState) -> Any:
    """Drafts have an index of their own."""
    return IS_PENDING if state is InvoiceState.PENDING else Invoice.state == state


def _sent(axis: SentAxis) -> list[Any]:
    """Each of these is one of the others once what was sent says something else."""
    changed = Invoice.id.in_(sa.select(Invoice.id).where(CHANGED_SINCE_SENT))
    if axis is SentAxis.CHANGED_SINCE_SENT:
        return [changed]
    state = Invoice.sent_state == SentState(axis)
    return [state] if axis is SentAxis.NOT_SENT else [state, ~changed]


def _taken_off_by(*kinds: InvoiceKind, all_of_it: bool = False) -> sa.Select[int | None]:
    """The invoices that documents of these kinds correct; `all_of_it`: and no money came in."""
    original, together = aliased(Invoice, flat=True), total_of(PaymentApplication.amount)
    document = aliased(Invoice, flat=True)
    query = (
        sa.select(document.adjusts_id)
        .join(Payment, Payment.document_id == document.id)
        .join(PaymentApplication, PaymentApplication.payment_id == Payment.id)
        .join(original, original.id == document.adjusts_id)
        .where(
            document.adjusts_id.is_not(None),
            PaymentApplication.invoice_id == document.adjusts_id,
            document.kind.in_(kinds),
        )
        .group_by(document.adjusts_id, original.total, original.balance)
    )
    if all_of_it:
        return query.having(together == original.total - original.balance, together > NO_MONEY)
    return query.having(together > NO_MONEY)


_IS_OWED = Invoice.state != InvoiceState.CANCELLED
_WRITTEN_OFF = Invoice.id.in_(_taken_off_by(InvoiceKind.WRITE_OFF))
_CORRECTED = Invoice.id.in_(_taken_off_by(*CREDITS, InvoiceKind.WRITE_OFF, all_of_it=True))
_SETTLED = sa.and_(Invoice.balance == NO_MONEY, Invoice.total > NO_MONEY, _IS_OWED)
_PARTLY = sa.and_(Invoice.balance != Invoice.total, Invoice.balance > NO_MONEY, _IS_OWED)
_TOOK_OFF = sa.and_(Invoice.total < NO_MONEY, Invoice.state.in_(ON_THE_BOOKS))
_PAID: dict[PaidState, sa.ColumnElement[bool]] = {
    PaidState.NO_CHARGE: sa.or_(
        Invoice.total == NO_MONEY,
        ~_IS_OWED,
        sa.and_(Invoice.total < NO_MONEY, Invoice.state == InvoiceState.PENDING),
    ),
    PaidState.PAID: sa.and_(_SETTLED, ~_WRITTEN_OFF, ~_CORRECTED),
    PaidState.WRITTEN_OFF: sa.and_(_SETTLED, _WRITTEN_OFF),
    PaidState.CREDITED: sa.or_(_TOOK_OFF, sa.and_(_SETTLED, _CORRECTED, ~_WRITTEN_OFF)),
    PaidState.UNPAID: sa.and_(
        Invoice.balance == Invoice.total, Invoice.balance > NO_MONEY, _IS_OWED
    ),
    PaidState.PARTLY_PAID: sa.and_(_PARTLY, ~_CORRECTED),
    PaidState.PARTLY_CREDITED: sa.and_(_PARTLY, _CORRECTED),
}


def _batched(word: str) -> sa.ColumnElement[bool]:
    if word == UNBATCHED:
        return Invoice.batch_id.is_(None)
    if word == BATCHED:
        return Invoice.batch_id.is_not(None)
    return Invoice.batch_id.in_(sa.select(Batch.id).where(Batch.number == word))


def _due(due: DueState, on: date) -> list[Any]:
    is_open: list[Any] = [
        HAS_BALANCE,
        Invoice.balance > NO_MONEY,
        Invoice.state.not_in(OFF_THE_BOOKS),
    ]
    if due is DueState.OVERDUE:
        return [*is_open, Invoice.due_date < on]
    return [*is_open, Invoice.due_date >= on]


def matches_text(text: str) -> sa.ColumnElement[bool]:
    """Invoices found by a number, an order number or their customer's name."""
    named = sa.select(Customer.id).where(holds(Customer.name, text))
    if not any(char.isdigit() for char in text):
        return Invoice.customer_id.in_(named)  # no number looks like that
    ordered = sa.select(Invoice.id).where(
        HAS_PURCHASE_ORDER, holds_code(Invoice.purchase_order, text)
    )
    found = [Invoice.id.in_(ordered), Invoice.customer_id.in_(named)]
    if " " in text:  # our own numbers have none, so the long walk is spared
        return sa.or_(Invoice.reference_number == text, *found)
    return sa.or_(
        holds_code(Invoice.document_number, text),
        holds_code(Invoice.reference_number, text),
        *found,
    )
