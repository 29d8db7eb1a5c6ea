"""A receipt on paper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from portal.company import company
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
    """Everything the receipt prints."""

    head: Letterhead
    number: str
    received_on: date
    payer: Sequence[str]
    method: str
    reference: str
    amount: Money
    lines: Sequence[ReceiptLine]
    credit: Money
    stamp: str


def receipt_pdf(payment_id: int) -> bytes:
    """The receipt of one payment as PDF in the customer's language."""
    paper = receipt_paper(payment_id)
    return render_pdf(
        "documents/receipt.html",
        language=get_payment(payment_id).customer.language,
        paper=company().paper.value,
        receipt=paper,
    )


def receipt_paper(payment_id: int) -> ReceiptPaper:
    """The words of a receipt; TEST money is stamped so that nobody takes it for money."""
    payment = get_payment(payment_id)
    applied: dict[int, Money] = defaultdict(lambda: ZERO)
    for row in payment.applications:
        applied[row.invoice_id] += row.amount
    invoices = {row.invoice_id: row.invoice for row in payment.applications}
    left = _left_after(payment)
    return ReceiptPaper(
        head=letterhead(),
        number=f"R-{payment.id:06}",
        received_on=payment.received_on,
        payer=[payment.customer.name, *payment.customer.address_lines],
        method=payment.type.name,
        reference=payment.reference,
        amount=payment.amount,
        lines=[
            ReceiptLine(invoices[one].number, amount, left[one])
            for one, amount in applied.items()
            if amount
        ],
        credit=payment.unapplied,
        stamp="" if payment.livemode else _("TEST – no money"),
    )


def _left_after(payment: Payment) -> dict[int, Money]:
    """What was left on each invoice when this payment had been applied, not what is today."""
    last = {row.invoice_id: row.id for row in payment.applications}
    left = {row.invoice_id: row.invoice.total for row in payment.applications}
    for row in applications_to_any(list(last)):
        if row.id <= last[row.invoice_id]:
            left[row.invoice_id] -= row.amount
    return left
