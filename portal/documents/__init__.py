"""Documents as PDF and XLSX: deny-all fetcher, fonts and styles read once, one door per library."""

from portal.documents.letterhead import Letterhead, letterhead, qr_code
from portal.documents.merging import merge_pdfs
from portal.documents.rendering import DocumentsUnavailable, has_fonts, render_pdf
from portal.documents.workbooks import Sheet, write_workbook

__all__ = [
    "DocumentsUnavailable",
    "Letterhead",
    "Sheet",
    "has_fonts",
    "letterhead",
    "merge_pdfs",
    "qr_code",
    "render_pdf",
    "write_workbook",
]
