"""The PDF of an invoice, as its customer or a guest gets it."""

from __future__ import annotations

from flask import Response
from flask_babel import gettext as _

from portal.invoices import ElectronicDataMissing, invoice_pdf, pdf_name
from portal.kernel.errors import DomainError
from portal.models import Invoice
from portal.web import pdf_response


def document_of(invoice: Invoice, *, link: bool = True) -> Response:
    """DomainError while it cannot be made: what the office must mend is not theirs to read."""
    try:
        return pdf_response(invoice_pdf(invoice.id, link=link), pdf_name(invoice))
    except ElectronicDataMissing as missing:
        raise DomainError(_("This document is not ready yet. Please ask us for it.")) from missing
