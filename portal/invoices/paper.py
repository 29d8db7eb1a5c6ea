"""An invoice on paper: the words of the printed document and its PDF."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import joinedload

from portal.company import company, today
from portal.db import db
from portal.documents import Letterhead, letterhead, qr_code, render_pdf
from portal.invoices.pay_links import known_pay_link_url, pay_link_url
from portal.invoices.queries import get_invoice
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import (
    Invoice,
    InvoiceLine,
    InvoiceState,
    ItemKind,
    PaidState,
    Payment,
    PaymentApplication,
)


@dataclass(frozen=True)
class PaperLine:
    """One printed line."""

    description: str
    code: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    total: Money


@dataclass(frozen=True)
class PaperGroup:
    """Lines of one kind under a plain heading."""

    title: str
    lines: Sequence[PaperLine]


@dataclass(frozen=True)
class PaperTax:
    """One authority's tax."""

    authority: str
    rate: Rate
    amount: Money


@dataclass(frozen=True)
class PaperPayment:
    """One application: when, by what, how much."""

    on: date
    what: str
    amount: Money


@dataclass(frozen=True)
class InvoicePaper:
    """Everything the invoice template prints; nothing is computed in the template."""

    head: Letterhead
    number: str
    reference: str
    is_for_job: bool
    issued_on: date | None
    due_on: date | None
    terms: str
    purchase_order: str
    bill_to: Sequence[str]
    service_at: Sequence[str]
    summary: str
    groups: Sequence[PaperGroup]
    subtotal: Money
    taxes: Sequence[PaperTax]
    total: Money
    payments: Sequence[PaperPayment]
    balance: Money
    overdue: bool
    pay_url: str
    qr: str
    stamp: str


def invoice_pdf(invoice_id: int, *, link: bool = True) -> bytes:
    """The invoice as PDF in the customer's language. Raises NotFound, DocumentsUnavailable."""
    invoice = get_invoice(invoice_id)
    return render_pdf(
        "documents/invoice.html",
        language=invoice.customer.language,
        paper=company().paper.value,
        invoice=invoice_paper(invoice, link=link),
    )


def invoice_paper(invoice: Invoice, *, link: bool = True) -> InvoicePaper:
    """The words of an invoice; a posted one prints the copies made when it was posted.

    Without `link` it carries no guest pay link (and so writes nothing).
    """
    payable = invoice.balance > ZERO and invoice.state is not InvoiceState.CANCELLED
    url = _printed_link(invoice) if payable and link else ""
    return InvoicePaper(
        head=letterhead(),
        number=invoice.number,
        reference=invoice.reference_number,
        is_for_job=invoice.job_id is not None,
        issued_on=invoice.invoice_date,
        due_on=invoice.due_date,
        terms=invoice.term_name or (invoice.term.name if invoice.term else ""),
        purchase_order=invoice.purchase_order,
        bill_to=_bill_to(invoice),
        service_at=_service_at(invoice),
        summary=invoice.summary,
        groups=_groups(invoice),
        subtotal=invoice.subtotal,
        taxes=[PaperTax(tax.authority, tax.rate, tax.amount) for tax in invoice.taxes],
        total=invoice.total,
        payments=_payments(invoice),
        balance=invoice.balance,
        overdue=invoice.is_overdue(today()),
        pay_url=url,
        qr=qr_code(url) if url else "",
        stamp=_stamp(invoice),
    )


def _printed_link(invoice: Invoice) -> str:
    """A draft shows its link once it was sent or handed out; looking at it makes none."""
    return pay_link_url(invoice) if invoice.is_on_the_books else known_pay_link_url(invoice)


def _bill_to(invoice: Invoice) -> list[str]:
    if invoice.bill_to:
        return invoice.bill_to.splitlines()
    return [invoice.customer.name, *invoice.customer.address_lines]


def _service_at(invoice: Invoice) -> list[str]:
    if invoice.is_on_the_books:
        return invoice.service_at.splitlines()
    return invoice.location.address_lines if invoice.location else []


def _groups(invoice: Invoice) -> list[PaperGroup]:
    titles = [
        (_("Service and labor"), {ItemKind.SERVICE}),
        (_("Materials"), {ItemKind.MATERIAL}),
        (_("Equipment"), {ItemKind.EQUIPMENT}),
        (_("Fees"), {ItemKind.FEE}),
        (_("Discounts"), {ItemKind.DISCOUNT}),
    ]
    groups = [
        PaperGroup(title, [_line(line) for line in invoice.lines if line.kind in kinds])
        for title, kinds in titles
    ]
    return [group for group in groups if group.lines]


def _line(line: InvoiceLine) -> PaperLine:
    return PaperLine(
        description=line.description,
        code=line.code,
        quantity=line.quantity.value,
        unit="" if line.unit == "each" else line.unit,
        unit_price=line.unit_price.value,
        total=line.total,
    )


def _payments(invoice: Invoice) -> list[PaperPayment]:
    rows = db.session.scalars(
        sa.select(PaymentApplication)
        .where(PaymentApplication.invoice_id == invoice.id)
        .order_by(PaymentApplication.applied_on, PaymentApplication.id)
        .options(joinedload(PaymentApplication.payment).joinedload(Payment.type))
    )
    return [PaperPayment(row.applied_on, row.payment.type.name, row.amount) for row in rows]


def _stamp(invoice: Invoice) -> str:
    if invoice.state is InvoiceState.CANCELLED:
        return str(_("CANCELLED"))
    if invoice.state is InvoiceState.PENDING:
        return str(_("DRAFT"))
    if invoice.paid_state is PaidState.PAID:
        return str(_("PAID"))
    return ""
