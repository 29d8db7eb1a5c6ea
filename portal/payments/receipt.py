"""A receipt on paper: for money that came in, and for money that was given back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from flask_babel import force_locale
from flask_babel import gettext as _

from portal.company import company
from portal.db import db
from portal.documents import Letterhead, letterhead, render_pdf
from portal.kernel.money import ZERO, Money
from portal.models import Payment
from portal.payments.queries import applications_to_any, get_payment


@dataclass(frozen=True)
class ReceiptLine:
    """What one invoice got and what is left on it."""

    number: str
    amount: Money
    left: Money


@dataclass(frozen=True)
class ReceiptPaper:
    """Everything the receipt prints; a refund's amount is positive on paper.

    `given_back` lists refunds out of this money; `gives_back` is the receipt a refund is for.
    """

    head: Letterhead
    title: str
    number: str
    amount_title: str
    received_on: date
    payer_title: str
    payer: Sequence[str]
    method_title: str
    method: str
    reference: str
    amount: Money
    lines: Sequence[ReceiptLine]
    given_back: Sequence[tuple[date, str, Money]]
    credit: Money
    gives_back: str
    returned_on: date | None
    returned_because: str
    stamp: str


def receipt_pdf(payment_id: int) -> bytes:
    """The receipt of one payment or refund as PDF in the customer's language."""
    language = get_payment(payment_id).customer.language
    with force_locale(language):
        paper = receipt_paper(payment_id)
    return render_pdf(
        "documents/receipt.html",
        language=language,
        paper=company().paper.value,
        head=paper.head,
        receipt=paper,
    )


def receipt_paper(payment_id: int) -> ReceiptPaper:
    """The words of a receipt; TEST money is stamped so that nobody takes it for money."""
    payment = get_payment(payment_id)
    refund = payment.is_refund
    return ReceiptPaper(
        head=letterhead(),
        title=_("Refund") if refund else _("Receipt"),
        number=receipt_number(payment),
        amount_title=_("Amount paid back") if refund else _("Amount received"),
        received_on=payment.received_on,
        payer_title=_("Paid back to") if refund else _("Received from"),
        payer=[payment.customer.name, *payment.customer.address_lines],
        method_title=_("Paid back by") if refund else _("Paid by"),
        method=payment.type.name,
        reference=payment.reference,
        amount=abs(payment.amount),
        lines=_lines(payment),
        given_back=_given_back(payment),
        credit=payment.unapplied,
        gives_back=receipt_number(payment.gives_back) if payment.gives_back else "",
        returned_on=payment.returned_on,
        returned_because=payment.returned_because,
        stamp=_stamp(payment),
    )


def receipt_number(payment: Payment) -> str:
    """R-000017; counted with the payments, not gapless."""
    return f"R-{payment.id:06}"


def _given_back(payment: Payment) -> list[tuple[date, str, Money]]:
    """Refunds that took their amount out of this money and still stand."""
    rows = db.session.scalars(
        sa.select(Payment)
        .where(Payment.refunds_id == payment.id, Payment.returned_on.is_(None))
        .order_by(Payment.id)
    )
    return [(row.received_on, receipt_number(row), -row.amount) for row in rows]


def _stamp(payment: Payment) -> str:
    if not payment.livemode:
        return str(_("TEST – no money"))
    return str(_("RETURNED")) if payment.returned_on else ""


def _lines(payment: Payment) -> list[ReceiptLine]:
    applied: dict[int, Money] = defaultdict(lambda: ZERO)
    for row in payment.applications:
        applied[row.invoice_id] += row.amount
    invoices = {row.invoice_id: row.invoice for row in payment.applications}
    left = _left_after(payment)
    return [
        ReceiptLine(invoices[one].number, amount, left[one])
        for one, amount in applied.items()
        if amount
    ]


def _left_after(payment: Payment) -> dict[int, Money]:
    """What was left on each invoice when this payment had been applied, not what is today."""
    last = {row.invoice_id: row.id for row in payment.applications}
    left = {row.invoice_id: row.invoice.total for row in payment.applications}
    for row in applications_to_any(list(last)):
        if row.id <= last[row.invoice_id]:
            left[row.invoice_id] -= row.amount
    return left
