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
    InvoiceKind.INTEREST: "Interest invoice",
    InvoiceKind.FINANCING: "Financing document",
}


def document_word(invoice: Invoice) -> str:
    """The English noun for journal and trail, e.g. Credit note; Invoice for the ordinary ones."""
    return _WORDS.get(invoice.kind, "Invoice")


def series_of_kind(kind: InvoiceKind) -> str:
    """Which numbers a document of this kind takes one of when posted."""
    return SERIES.get(kind, "INV")
