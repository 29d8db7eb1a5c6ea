"""Documents as PDF and XLSX: deny-all fetcher, fonts and styles read once, one door per library."""

from portal.documents.facturx import (
    Allowance,
    ElectronicData,
    ElectronicDocument,
    ElectronicLine,
    Party,
    TaxShare,
    electronic_xml,
)
from portal.documents.letterhead import Letterhead, letterhead, qr_code
from portal.documents.merging import merge_pdfs
from portal.documents.rendering import (
    DocumentsUnavailable,
    colour_style,
    fonts_to_add,
    forget_layouts,
    has_fonts,
    render_pdf,
)
from portal.documents.workbooks import Sheet, write_workbook

__all__ = [
    "Allowance",
    "DocumentsUnavailable",
    "ElectronicData",
    "ElectronicDocument",
    "ElectronicLine",
    "Letterhead",
    "Party",
    "Sheet",
    "TaxShare",
    "colour_style",
    "electronic_xml",
    "fonts_to_add",
    "forget_layouts",
    "has_fonts",
    "letterhead",
    "merge_pdfs",
    "qr_code",
    "render_pdf",
    "write_workbook",
]
