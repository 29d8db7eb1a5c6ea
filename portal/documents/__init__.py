"""Documents as PDF: one engine, a deny-all fetcher, fonts and styles read once."""

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
from portal.documents.rendering import (
    DocumentsUnavailable,
    colour_style,
    has_fonts,
    render_pdf,
)

__all__ = [
    "Allowance",
    "DocumentsUnavailable",
    "ElectronicData",
    "ElectronicDocument",
    "ElectronicLine",
    "Letterhead",
    "Party",
    "TaxShare",
    "colour_style",
    "electronic_xml",
    "has_fonts",
    "letterhead",
    "qr_code",
    "render_pdf",
]
