"""Many PDFs as one."""

from __future__ import annotations

import io
from collections.abc import Iterable


def merge_pdfs(papers: Iterable[bytes], *, title: str, language: str = "en") -> bytes:
    """All pages in this order under one title; fonts that are the same are kept once.

    The result is for printing: it carries no tags, unlike each paper by itself.
    """
    from pypdf import PdfReader, PdfWriter  # a tenth of a second only its users should wait
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter()
    for paper in papers:
        writer.append(PdfReader(io.BytesIO(paper)), import_outline=False)
    writer.add_metadata({"/Title": title})
    writer.root_object[NameObject("/Lang")] = TextStringObject(language)
    writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    whole = io.BytesIO()
    writer.write(whole)
    return whole.getvalue()


def page_count(paper: bytes) -> int:
    """How many pages a PDF has."""
    from pypdf import PdfReader

    return len(PdfReader(io.BytesIO(paper)).pages)


def lay_over(paper: bytes, layer: bytes) -> bytes:
    """Each page with the same page of `layer` drawn on top of it."""
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(paper))
    for page, over in zip(writer.pages, PdfReader(io.BytesIO(layer)).pages, strict=True):
        page.merge_page(over)
    writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    whole = io.BytesIO()
    writer.write(whole)
    return whole.getvalue()
