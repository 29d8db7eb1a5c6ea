"""Documents as PDF: one engine, a deny-all fetcher, fonts and styles read once."""

from portal.documents.letterhead import Letterhead, letterhead, qr_code
from portal.documents.rendering import DocumentsUnavailable, has_fonts, render_pdf

__all__ = ["DocumentsUnavailable", "Letterhead", "has_fonts", "letterhead", "qr_code", "render_pdf"]
