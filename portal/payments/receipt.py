"""A receipt on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from portal.company import company
from portal.documents import Letterhead, letterhead, render_pdf
from portal.kernel.money import ZERO, Money
from portal.payments.queries import get_payment


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
    applied: dict[str, ReceiptLine] = {}
    for row in payment.applications:
        number = row.invoice.number
        before = applied.get(number, ReceiptLine(number, ZERO, ZERO)).amount
        applied[number] = ReceiptLine(number, before + row.amount, row.invoice.balance)
    return ReceiptPaper(
        head=letterhead(),
        number=f"R-{payment.id:06}",
        received_on=payment.received_on,
        payer=[payment.customer.name, *payment.customer.address_lines],
        method=payment.type.name,
        reference=payment.reference,
        amount=payment.amount,
        lines=[line for line in applied.values() if line.amount],
        credit=payment.unapplied,
        stamp="" if payment.livemode else _("TEST – no money"),
    )
