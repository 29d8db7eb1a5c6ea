"""From which money something can be given back, and how much (decisions/0007)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, db
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, Payment, PaymentApplication, PaymentOrigin
from portal.payments.document_credit import bound_problem


@dataclass(frozen=True)
class RefundSource:
    """Money that could be given back: what is unapplied of a row, or what it paid on an invoice.

    `gives_back` is the money that once came in; for a row of money it is the row itself.
    `base` is what a percentage is of, `limit` the most that can be given back.
    """

    payment: Payment
    gives_back: Payment
    invoice: Invoice | None
    base: Money
    limit: Money

    @property
    def key(self) -> str:
        return f"{self.payment.id}-{self.invoice.id if self.invoice else 0}"


def sources_of_payment(payment: Payment) -> list[RefundSource]:
    """What can be given back of one payment: its credit first, then per invoice."""
    if refund_problem(payment):
        return []
    money = money_behind(payment)
    sources = [_source(payment, money, None, payment.unapplied)] if payment.unapplied else []
    if payment.origin is PaymentOrigin.MONEY:
        sources += [_source(payment, money, one, amount) for one, amount in applied_on(payment)]
    return [one for one in sources if one.limit > ZERO]


def source_by_key(payment: Payment, key: str) -> RefundSource:
    """The source of this payment that a form or a request names.

    Raises DomainError, in the words of what stands in the way, when it is not there any more.
    """
    found = next((one for one in sources_of_payment(payment) if one.key == key), None)
    if found is None:
        used = "This money was used or given back meanwhile. Look again."
        raise DomainError(refund_problem(payment) or used)
    return found


def sources_of_invoice(invoice: Invoice) -> list[RefundSource]:
    """What can be given back of the payments an invoice got, newest payment first."""
    query = (
        sa.select(Payment)
        .join(PaymentApplication, PaymentApplication.payment_id == Payment.id)
        .where(PaymentApplication.invoice_id == invoice.id, Payment.origin == PaymentOrigin.MONEY)
        .distinct()
        .order_by(Payment.id.desc())
        .options(joinedload(Payment.type))
    )
    found = [one for payment in db.session.scalars(query) for one in sources_of_payment(payment)]
    return [one for one in found if one.invoice is not None and one.invoice.id == invoice.id]


def has_money(applications: Sequence[PaymentApplication]) -> bool:
    """Whether money, not only credit of documents, is still on the invoice of these rows."""
    return (
        Money.total(row.amount for row in applications if row.payment.origin is PaymentOrigin.MONEY)
        > ZERO
    )


def refund_problem(payment: Payment) -> str | None:
    """The first reason why nothing can be given back of this row, in words, or None."""
    if payment.is_refund:
        return "This is money given back already."
    if payment.returned_on:
        return f"It was returned on {payment.returned_on.isoformat()}: there is nothing to give."
    if payment.disputed:
        return "The payer's bank disputes this money: wait for what it decides."
    if problem := bound_problem(payment):
        return problem
    money = money_behind(payment)
    if money is None or left_to_give_back(money) <= ZERO:
        return "All the money that came in was already given back."
    return None


def money_behind(payment: Payment) -> Payment | None:
    """The money a refund out of this row gives back.

    The credit of a document gives back what paid the corrected invoice, or else what the
    customer paid last: of these the one with the most left, real money before test money.
    """
    if payment.origin is PaymentOrigin.MONEY:
        return payment
    on_original = sa.select(PaymentApplication.payment_id).where(
        PaymentApplication.invoice_id
        == sa.select(Invoice.adjusts_id).where(Invoice.id == payment.document_id).scalar_subquery()
    )
    query = (
        sa.select(Payment)
        .where(
            Payment.customer_id == payment.customer_id,
            Payment.origin == PaymentOrigin.MONEY,
            Payment.amount > NO_MONEY,
            Payment.returned_on.is_(None),
            ~Payment.disputed,
        )
        .order_by(Payment.id.in_(on_original).desc(), Payment.id.desc())
    )
    candidates = list(db.session.scalars(query.limit(50)))
    return max(candidates, key=lambda one: (one.livemode, left_to_give_back(one)), default=None)


def left_to_give_back(payment: Payment) -> Money:
    """What came in with it and was not given back yet; the payment must be locked to rely on."""
    query = sa.select(sa.func.sum(Payment.amount)).where(
        Payment.gives_back_id == payment.id, Payment.returned_on.is_(None)
    )
    return payment.counts + (db.session.scalar(query) or ZERO)


def applied_on(payment: Payment) -> Sequence[tuple[Invoice, Money]]:
    """The invoices it is applied to and with how much, oldest first."""
    query = (
        sa.select(Invoice, sa.func.sum(PaymentApplication.amount))
        .join(PaymentApplication, PaymentApplication.invoice_id == Invoice.id)
        .where(PaymentApplication.payment_id == payment.id)
        .group_by(Invoice.id)
        .having(sa.func.sum(PaymentApplication.amount) > NO_MONEY)
        .order_by(Invoice.id)
    )
    return [(invoice, amount) for invoice, amount in db.session.execute(query).unique()]


def _source(
    payment: Payment, money: Payment | None, invoice: Invoice | None, base: Money
) -> RefundSource:
    assert money is not None  # refund_problem said so
    return RefundSource(payment, money, invoice, base, min(base, left_to_give_back(money)))
