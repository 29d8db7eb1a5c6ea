"""Invoices as PDF, and what the files are called."""

from __future__ import annotations

import re

from flask_babel import force_locale, get_locale

from portal.company import company
from portal.documents import render_pdf
from portal.invoices.electronic import electronic_data
from portal.invoices.paper import invoice_paper
from portal.invoices.queries import get_invoice
from portal.invoices.sample import sample_paper
from portal.models import Company, Invoice


def invoice_pdf(invoice_id: int, *, link: bool = True) -> bytes:
    """The document as PDF in the customer's language, with Factur-X data where wanted.

    Raises NotFound, DocumentsUnavailable, and ElectronicDataMissing when the customer wants
    electronic invoices and something they must say is missing: never a plain PDF instead.
    """
    invoice = get_invoice(invoice_id)
    electronic = electronic_data(invoice)
    with force_locale(invoice.customer.language):
        paper = invoice_paper(invoice, link=link)
    return render_pdf(
        "documents/invoice.html",
        language=invoice.customer.language,
        paper=company().paper.value,
        head=paper.head,
        electronic=electronic,
        invoice=paper,
    )


def pdf_name(invoice: Invoice) -> str:
    """A file name that says what it is: credit-note-CN-2026-00001.pdf."""
    kind = {"credit_note": "credit-note", "write_off": "write-off", "job": "invoice",
            "manual": "invoice", "point_of_sale": "invoice", "ar_import": "invoice",
            "interest": "invoice"}.get(invoice.kind, str(invoice.kind))  # fmt: skip
    number = re.sub(r'[\\/:*?"<>|\s]+', "-", invoice.number).strip("-.") or str(invoice.id)
    return f"{number}.pdf" if number.lower().startswith(kind) else f"{kind}-{number}.pdf"


def sample_pdf(row: Company) -> bytes:
    """A made-up invoice with this company's words; `row` need not be saved."""
    paper = sample_paper(row)
    return render_pdf(
        "documents/invoice.html",
        language=str(get_locale()),
        paper=row.paper.value,
        head=paper.head,
        invoice=paper,
    )
