"""What a document is called, by its kind."""

from __future__ import annotations

from portal.models import Invoice, InvoiceKind

# The series its document number is counted in; every other kind is an invoice to the reader.
SERIES = {InvoiceKind.CREDIT_NOTE: "CN", InvoiceKind.REFUND: "RF", InvoiceKind.WRITE_OFF: "WO"}
_WORDS = {
    InvoiceKind.CREDIT_NOTE: "Credit note",
    InvoiceKind.REFUND: "Refund",
    InvoiceKind.WRITE_OFF: "Write-off",
    InvoiceKind.ADJUSTMENT: "Adjustment",
}


def document_word(invoice: Invoice) -> str:
    """The English noun for journal and trail, e.g. Credit note; Invoice for the ordinary ones."""
    return _WORDS.get(invoice.kind, "Invoice")


def series_of(invoice: Invoice) -> str:
    """Which numbers it takes one of when posted."""
    return SERIES.get(invoice.kind, "INV")
