"""What became of a document's amount: payments, where its credit went, its family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, Payment, PaymentApplication


@dataclass(frozen=True)
class PaperPayment:
    """One thing that happened to the amount: when, what, how much came off."""

    on: date
    what: str
    amount: Money


@dataclass(frozen=True)
class PaperAmount:
    """A label and an amount."""

    what: str
    amount: Money


@dataclass(frozen=True)
class Happened:
    """What came off the amount so far, and what is left: to pay, or as credit."""

    rows: Sequence[PaperPayment]
    left: Money


def what_happened(invoice: Invoice) -> Happened:
    """Payments on an invoice; where the credit went on a document that gave some."""
    if not gives_credit(invoice):
        return Happened(_payments(invoice), invoice.balance)
    credit = db.session.scalars(
        sa.select(Payment).where(Payment.document_id == invoice.id, Payment.returned_on.is_(None))
    ).one_or_none()
    if credit is None:  # not final yet: nothing could be used
        return Happened([], abs(invoice.total))
    sign = 1 if invoice.sign < 0 else -1  # against the total as it is printed
    rows = [*_used(credit), *_paid_back(credit)]
    shown = [PaperPayment(row.on, row.what, Money(row.amount.cents * sign)) for row in rows]
    return Happened(shown, credit.unapplied)


def gives_credit(invoice: Invoice) -> bool:
    """Whether it lowers what the customer owes (decision 0007)."""
    return invoice.sign < 0 or invoice.total < ZERO


def _payments(invoice: Invoice) -> list[PaperPayment]:
    rows = db.session.scalars(
        sa.select(PaymentApplication)
        .where(PaymentApplication.invoice_id == invoice.id)
        .order_by(PaymentApplication.applied_on, PaymentApplication.id)
        .options(
            joinedload(PaymentApplication.payment).joinedload(Payment.type),
            joinedload(PaymentApplication.payment).joinedload(Payment.document),
        )
    )
    return [PaperPayment(row.applied_on, _whence(row.payment), row.amount) for row in rows]


def _whence(payment: Payment) -> str:
    """A way to pay, or the document whose credit was used."""
    if payment.document is None:
        return payment.type.name
    return str(_("Credit of %(n)s", n=payment.document.number))


def _used(credit: Payment) -> list[PaperPayment]:
    rows = db.session.scalars(
        sa.select(PaymentApplication)
        .where(PaymentApplication.payment_id == credit.id)
        .order_by(PaymentApplication.applied_on, PaymentApplication.id)
        .options(joinedload(PaymentApplication.invoice))
    )
    return [
        PaperPayment(
            row.applied_on, _("Applied to invoice %(n)s", n=row.invoice.number), row.amount
        )
        for row in rows
    ]


def _paid_back(credit: Payment) -> list[PaperPayment]:
    rows = db.session.scalars(
        sa.select(Payment)
        .where(Payment.refunds_id == credit.id, Payment.returned_on.is_(None))
        .order_by(Payment.received_on, Payment.id)
        .options(joinedload(Payment.type))
    )
    return [
        PaperPayment(
            row.received_on, _("Paid back by %(how)s", how=row.type.name.lower()), -row.amount
        )
        for row in rows
    ]
