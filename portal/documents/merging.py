"""Many PDFs as one."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

SMALL_PRINT = 8  # points, as the page's foot has it elsewhere
RIGHT, BOTTOM = 51, 19  # points from the page's edges: the margins of paper.css
GREY = "0.353 0.392 0.439 rg"


def merge_pdfs(
    papers: Iterable[bytes],
    *,
    title: str,
    language: str = "en",
    page_words: Callable[[int, int], str] | None = None,
) -> bytes:
    """All pages in this order under one title; fonts that are the same are kept once.

    The result is for printing: it carries no tags, unlike each paper by itself. `page_words`
    says what stands at the foot of page x of y, where the papers are parts of one document.
    """
    from pypdf import PdfReader, PdfWriter  # a tenth of a second only its users should wait
    from pypdf.generic import NameObject, TextStringObject

    writer = PdfWriter()
    for paper in papers:
        writer.append(PdfReader(io.BytesIO(paper)), import_outline=False)
    if page_words is not None:
        _number(writer, page_words)
    writer.add_metadata({"/Title": title})
    writer.root_object[NameObject("/Lang")] = TextStringObject(language)
    writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
    whole = io.BytesIO()
    writer.write(whole)
    return whole.getvalue()


def _number(writer: Any, page_words: Callable[[int, int], str]) -> None:
    """A stream of its own behind each page's: what is there already is not even read.

    Laying a page of numbers over each would take a megabyte of memory a page.
    """
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject

    def stream(content: bytes) -> Any:
        made = StreamObject()
        made.set_data(content)
        return writer._add_object(made)

    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica",
             "/Encoding": "/WinAnsiEncoding"}  # fmt: skip
    font = writer._add_object(
        DictionaryObject({NameObject(key): NameObject(name) for key, name in names.items()})
    )
    save, total = stream(b"q\n"), len(writer.pages)
    for number, page in enumerate(writer.pages, 1):
        fonts = page["/Resources"].setdefault(NameObject("/Font"), DictionaryObject())
        fonts.get_object()[NameObject("/PageNumber")] = font
        words = _drawn(page_words(number, total), float(page.mediabox.width))
        there = page.raw_get("/Contents")
        page[NameObject("/Contents")] = ArrayObject([save, there, stream(words)])


def _drawn(words: str, width: float) -> bytes:
    """PDF operators that write the words, ending near the right margin."""
    length = sum(0.28 if letter == " " else 0.556 for letter in words) * SMALL_PRINT
    safe = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    place = f"{width - RIGHT - length:.1f} {BOTTOM} Td"
    text = f"Q BT {GREY} /PageNumber {SMALL_PRINT} Tf {place} ({safe}) Tj ET\n"
    return text.encode("cp1252", "replace")
