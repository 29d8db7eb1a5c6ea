"""How an invoice begins: by hand, or with the booking of a job."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, today
from portal.db import db
from portal.invoices.lines import LineWords, append_lines, record_lines
from portal.invoices.totals import price_invoice
from portal.invoices.wording import document_word
from portal.kernel.errors import DomainError, InvalidFields
from portal.ledger import next_number, require_open_period
from portal.models import (
    Customer,
    Invoice,
    InvoiceKind,
    InvoiceType,
    Job,
    Location,
    PaymentTerm,
    TaxZone,
)
from portal.taxes import zone_of


@dataclass(frozen=True)
class ManualInvoice:
    """What a person says when starting an invoice without a job.

    Without a `tax_zone` the location's is taken. `adjusts` is the invoice a document hangs on.
    """

    customer: Customer
    kind: InvoiceKind = InvoiceKind.MANUAL
    location: Location | None = None
    invoice_date: date | None = None
    term: PaymentTerm | None = None
    business_unit_id: int | None = None
    type: InvoiceType | None = None
    tax_zone: TaxZone | None = None
    adjusts: Invoice | None = None
    reason: str = ""
    summary: str = ""
    purchase_order: str = ""


def start_manual_invoice(wanted: ManualInvoice, lines: Sequence[LineWords] = ()) -> Invoice:
    """A Pending invoice dated today unless told otherwise, with these lines, priced and taxed.

    Raises PeriodClosed, or InvalidFields when the location is another customer's or a line is
    wrong.
    """
    location = wanted.location
    if location is not None and location.customer_id != wanted.customer.id:
        raise InvalidFields({"location": "That location belongs to another customer."})
    if not wanted.customer.active:
        raise DomainError(f"{wanted.customer.name} is deactivated. Reactivate the customer first.")
    day = wanted.invoice_date or today()
    require_open_period(day)
    invoice = _draft(wanted, day)
    invoice.reference_number = next_number("M", day)[0]
    with db.session.no_autoflush:  # saved once, when everything on it is known
        append_lines(invoice, lines)
        db.session.add(invoice)
    how = " by hand" if wanted.kind is InvoiceKind.MANUAL else ""
    record("created", invoice, f"{document_word(invoice)} {invoice.number} was created{how}.")
    record_lines(invoice, invoice.lines)
    return invoice


def price_draft(wanted: ManualInvoice, lines: Sequence[LineWords]) -> Invoice:
    """What such an invoice would come to with its taxes; nothing of it is saved.

    Raises InvalidFields when a line is wrong.
    """
    invoice = _draft(wanted, wanted.invoice_date or today())
    with db.session.no_autoflush:
        append_lines(invoice, lines)
    return invoice


def _draft(wanted: ManualInvoice, day: date) -> Invoice:
    term, location = wanted.term or default_term(wanted.customer), wanted.location
    return Invoice(
        kind=wanted.kind,
        customer=wanted.customer,
        location=location,
        business_unit_id=wanted.business_unit_id,
        term=term,
        type=wanted.type,
        tax_zone=wanted.tax_zone or (zone_of(location) if location else None),
        adjusts=wanted.adjusts,
        reason=wanted.reason,
        invoice_date=day,
        due_date=term.due_date(day),
        summary=wanted.summary,
        purchase_order=wanted.purchase_order,
        lines=[],
        taxes=[],
    )


def start_job_invoice(job: Job) -> Invoice:
    """The Pending invoice that booking a job makes, undated, with the job number as reference.

    Idempotent per job. Source: servicetitan-rules §2.
    """
    existing = db.session.scalar(sa.select(Invoice).where(Invoice.job_id == job.id))
    if existing is not None:
        return existing
    invoice = Invoice(
        kind=InvoiceKind.JOB,
        customer=job.customer,
        location=job.location,
        job=job,
        business_unit_id=job.business_unit_id,
        term=default_term(job.customer),
        tax_zone=zone_of(job.location),
        reference_number=job.number,
        summary=job.summary,
        purchase_order=job.purchase_order,
        lines=[],
        taxes=[],
    )
    price_invoice(invoice)
    db.session.add(invoice)
    record("created", invoice, f"Invoice {job.number} was created with the booking of the job.")
    return invoice


def default_term(customer: Customer) -> PaymentTerm:
    """The customer's own term, else the company's default."""
    if customer.term is not None and customer.term.active:
        return customer.term
    term = db.session.get(PaymentTerm, company().default_term_id or 0)
    if term is None:
        raise DomainError("Choose a default payment term in Settings first.")
    return term
