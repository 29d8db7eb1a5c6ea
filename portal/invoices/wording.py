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
    return word_of_kind(invoice.kind)


def word_of_kind(kind: InvoiceKind) -> str:
    """The same for a kind alone."""
    return _WORDS.get(kind, "Invoice")


def series_of_kind(kind: InvoiceKind) -> str:
    """Which numbers a document of this kind takes one of when posted."""
    return SERIES.get(kind, "INV")


def named(invoice: Invoice, *, mid: bool = False) -> str:
    """Credit note CN-2026-00001: its word and number, to begin a sentence or, `mid`, within one."""
    word = document_word(invoice)
    return f"{word[0].lower() if mid else word[0]}{word[1:]} {invoice.number}"
