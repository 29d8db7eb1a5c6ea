"""Finding payments, refunds and what they were applied to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import (
    NO_MONEY,
    Page,
    PageRequest,
    db,
    holds,
    holds_code,
    paginate,
)
from portal.kernel.errors import NotFound
from portal.models import (
    Customer,
    Invoice,
    Payment,
    PaymentApplication,
    PaymentOrigin,
    PaymentState,
)

MONEY = Payment.origin == PaymentOrigin.MONEY
IS_REFUND = Payment.refunds_id.is_not(None)
TO_CUSTOMERS = sa.and_(MONEY, sa.or_(~IS_REFUND, Payment.returned_on.is_(None)))


class PaymentSort(StrEnum):
    """What the list can be narrowed to; without it everything but the credit of documents."""

    RECEIVED = "received"
    REFUNDS = "refunds"
    RETURNED = "returned"
    CREDIT_OF_DOCUMENTS = "credit_of_documents"


_SORTS: dict[PaymentSort | None, sa.ColumnElement[bool]] = {
    None: MONEY,
    PaymentSort.RECEIVED: sa.and_(MONEY, ~IS_REFUND, Payment.returned_on.is_(None)),
    PaymentSort.REFUNDS: sa.and_(MONEY, IS_REFUND),
    PaymentSort.RETURNED: sa.and_(MONEY, Payment.returned_on.is_not(None)),
    PaymentSort.CREDIT_OF_DOCUMENTS: ~MONEY,
}


@dataclass(frozen=True)
class PaymentFilter:
    """What the list of payments is narrowed to."""

    q: str = ""
    what: PaymentSort | None = None
    state: PaymentState | None = None
    type_id: int | None = None
    customer_id: int | None = None
    unapplied: bool | None = None
    received_from: date | None = None
    received_to: date | None = None


def get_payment(payment_id: int) -> Payment:
    """One payment with its applications; NotFound otherwise."""
    payment = db.session.get(
        Payment,
        payment_id,
        options=[
            joinedload(Payment.customer),
            joinedload(Payment.type),
            joinedload(Payment.document),
            joinedload(Payment.refund_reason),
            selectinload(Payment.applications).joinedload(PaymentApplication.invoice),
        ],
    )
    if payment is None:
        raise NotFound("No such payment.")
    return payment


def get_money(payment_id: int) -> Payment:
    """A payment or refund that really moved money; NotFound for the credit of a document."""
    payment = get_payment(payment_id)
    if payment.origin is not PaymentOrigin.MONEY:
        raise NotFound("No such payment.")
    return payment


def find_payments(wanted: PaymentFilter, page: PageRequest) -> Page[Payment]:
    """One page of money in and out; the credit of documents only when it is asked for."""
    query = sa.select(Payment).where(_SORTS[wanted.what])
    rows = sa.select(Payment).options(joinedload(Payment.customer), joinedload(Payment.type))
    if wanted.q.strip():
        named = sa.select(Customer.id).where(holds(Customer.name, wanted.q))
        query = query.where(
            sa.or_(holds_code(Payment.reference, wanted.q), Payment.customer_id.in_(named))
        )
    for column, value in (
        (Payment.state, wanted.state),
        (Payment.type_id, wanted.type_id),
        (Payment.customer_id, wanted.customer_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.unapplied is not None:
        query = query.where(
            Payment.unapplied > NO_MONEY if wanted.unapplied else Payment.unapplied == NO_MONEY
        )
    if wanted.received_from:
        query = query.where(Payment.received_on >= wanted.received_from)
    if wanted.received_to:
        query = query.where(Payment.received_on <= wanted.received_to)
    sorts = {"received": Payment.received_on, "amount": Payment.amount, "number": Payment.id}
    return paginate(query, page, sorts=sorts, default="-received", rows=rows)


def disputed_invoices(invoice_ids: Sequence[int]) -> set[int]:
    """Which of these invoices carry money that the payer's bank is asking back."""
    query = (
        sa.select(PaymentApplication.invoice_id)
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .where(PaymentApplication.invoice_id.in_(invoice_ids), Payment.disputed)
        .group_by(PaymentApplication.invoice_id)
        .having(sa.func.sum(PaymentApplication.amount) > NO_MONEY)
    )
    return set(db.session.scalars(query))


def find_customer_payments(customer_ids: Sequence[int], page: PageRequest) -> Page[Payment]:
    """Everything these customers paid or got back, newest first."""
    query = (
        sa.select(Payment)
        .where(Payment.customer_id.in_(customer_ids), TO_CUSTOMERS)
        .options(
            joinedload(Payment.type),
            selectinload(Payment.applications).joinedload(PaymentApplication.invoice),
        )
    )
    return paginate(query, page, sorts={"date": Payment.received_on}, default="-date")


def latest_payments(customer_ids: Sequence[int], *, limit: int) -> list[Payment]:
    """The newest payments of these customers with what they were applied to."""
    query = (
        sa.select(Payment)
        .where(Payment.customer_id.in_(customer_ids), TO_CUSTOMERS)
        .order_by(Payment.received_on.desc(), Payment.id.desc())
        .limit(limit)
        .options(
            joinedload(Payment.type),
            selectinload(Payment.applications).joinedload(PaymentApplication.invoice),
        )
    )
    return list(db.session.scalars(query))


def applications_to_any(invoice_ids: Sequence[int]) -> list[PaymentApplication]:
    """Everything applied to and taken back from these invoices, in order."""
    query = sa.select(PaymentApplication).where(PaymentApplication.invoice_id.in_(invoice_ids))
    return list(db.session.scalars(query.order_by(PaymentApplication.id)))


def applications_to(invoice_id: int) -> list[PaymentApplication]:
    """Everything applied to and taken back from an invoice, in order."""
    query = (
        sa.select(PaymentApplication)
        .where(PaymentApplication.invoice_id == invoice_id)
        .order_by(PaymentApplication.id)
        .options(joinedload(PaymentApplication.payment).joinedload(Payment.type))
    )
    return list(db.session.scalars(query))


def refunds_of(payment: Payment) -> list[Payment]:
    """What was given back out of this row, or of the money it brought, oldest first."""
    query = (
        sa.select(Payment)
        .where(sa.or_(Payment.refunds_id == payment.id, Payment.gives_back_id == payment.id))
        .order_by(Payment.received_on, Payment.id)
        .options(joinedload(Payment.type), joinedload(Payment.refund_reason))
    )
    return list(db.session.scalars(query))


def refunds_about(invoice_id: int) -> list[Payment]:
    """What was given back of an invoice and stands, oldest first.

    With a refund document of it, or taken off it on the very day it was given back.
    """
    documents = sa.select(Invoice.id).where(
        sa.or_(Invoice.adjusts_id == invoice_id, Invoice.id == invoice_id)
    )
    credit = sa.select(Payment.id).where(
        Payment.document_id.in_(documents), Payment.returned_on.is_(None)
    )
    off = sa.select(PaymentApplication.payment_id, PaymentApplication.applied_on).where(
        PaymentApplication.invoice_id == invoice_id, PaymentApplication.reverses_id.is_not(None)
    )
    documented = set(db.session.scalars(credit))
    taken_off = {(payment_id, day) for payment_id, day in db.session.execute(off)}
    sources = documented | {payment_id for payment_id, _ in taken_off}
    query = (
        sa.select(Payment)
        .where(Payment.refunds_id.in_(sources), Payment.returned_on.is_(None))
        .order_by(Payment.received_on, Payment.id)
        .options(joinedload(Payment.type), joinedload(Payment.refund_reason))
    )
    return [
        one
        for one in (db.session.scalars(query) if sources else [])
        if one.refunds_id in documented or (one.refunds_id, one.received_on) in taken_off
    ]
