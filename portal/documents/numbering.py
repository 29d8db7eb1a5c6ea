"""Page x of y on a document that was laid out in parts."""

from __future__ import annotations

from collections.abc import Sequence

from portal.documents.letterhead import Letterhead
from portal.documents.merging import lay_over, merge_pdfs, page_count
from portal.documents.rendering import render_pdf


def number_pages(
    parts: Sequence[bytes], *, title: str, head: Letterhead, language: str, paper: str
) -> bytes:
    """The parts as one PDF whose pages are numbered through; nothing but numbers is drawn."""
    whole = merge_pdfs(parts, title=title, language=language)
    numbers = render_pdf(
        "documents/page_numbers.html",
        language=language,
        head=head,
        paper=paper,
        sheets=["statement"],
        title=title,
        pages=page_count(whole),
    )
    return lay_over(whole, numbers)
