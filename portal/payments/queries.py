"""Finding payments, and what a customer has in credit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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
    total_of,
)
from portal.kernel.errors import NotFound
from portal.kernel.money import ZERO, Money
from portal.models import (
    Customer,
    Payment,
    PaymentApplication,
    PaymentState,
)


@dataclass(frozen=True)
class PaymentFilter:
    """What the list of payments is narrowed to."""

    q: str = ""
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
            selectinload(Payment.applications).joinedload(PaymentApplication.invoice),
        ],
    )
    if payment is None:
        raise NotFound("No such payment.")
    return payment


def find_payments(wanted: PaymentFilter, page: PageRequest) -> Page[Payment]:
    query = sa.select(Payment).options(joinedload(Payment.customer), joinedload(Payment.type))
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
    return paginate(query, page, sorts=sorts, default="-received")


def credit_of(customer_id: int, *, on: date | None = None) -> Money:
    """Money received from the customer and not applied to anything, now or as of a day.

    Disputed money is nobody's to use. What waits on a Pending invoice is applied, though it is
    still a deposit in the ledger.
    """
    mine = sa.and_(Payment.customer_id == customer_id, ~Payment.disputed)
    if on is None:
        return db.session.scalar(sa.select(total_of(Payment.unapplied)).where(mine)) or ZERO
    received = sa.select(total_of(Payment.amount)).where(mine, Payment.received_on <= on)
    applied = (
        sa.select(total_of(PaymentApplication.amount))
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .where(mine, PaymentApplication.applied_on <= on)
    )
    return (db.session.scalar(received) or ZERO) - (db.session.scalar(applied) or ZERO)


def credit_of_many(customer_ids: Sequence[int]) -> Money:
    """Money in credit over several customers of one payer."""
    query = sa.select(total_of(Payment.unapplied)).where(
        Payment.customer_id.in_(customer_ids), ~Payment.disputed
    )
    return db.session.scalar(query) or ZERO


def credits_of(customer_ids: Sequence[int], *, on: date) -> dict[int, Money]:
    """Each customer's money in credit as of a day, as `credit_of` counts it; none is left out."""
    mine = sa.and_(Payment.customer_id.in_(customer_ids), ~Payment.disputed)
    received = (
        sa.select(Payment.customer_id, total_of(Payment.amount))
        .where(mine, Payment.received_on <= on)
        .group_by(Payment.customer_id)
    )
    applied = (
        sa.select(Payment.customer_id, total_of(PaymentApplication.amount))
        .join(PaymentApplication, PaymentApplication.payment_id == Payment.id)
        .where(mine, PaymentApplication.applied_on <= on)
        .group_by(Payment.customer_id)
    )
    left: dict[int, Money] = {}
    for customer_id, amount in db.session.execute(received):
        left[customer_id] = amount
    for customer_id, amount in db.session.execute(applied):
        left[customer_id] = left.get(customer_id, ZERO) - amount
    return {customer_id: amount for customer_id, amount in left.items() if amount > ZERO}


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
    """Everything these customers paid, newest first."""
    query = (
        sa.select(Payment)
        .where(Payment.customer_id.in_(customer_ids))
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
        .where(Payment.customer_id.in_(customer_ids))
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
