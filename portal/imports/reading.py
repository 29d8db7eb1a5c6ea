"""Tables out of CSV and XLSX files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from portal.imports.parts import LARGEST_CELL, MOST_COLUMNS, TOO_WIDE
from portal.kernel.errors import InvalidFields

LONGEST_TITLE = 200


def read_table(content: bytes, name: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Column titles, then rows as text with their number, counted as a spreadsheet counts.

    XLSX by its content, everything else as CSV in UTF-8 or Windows-1252 with comma, semicolon
    or tab. Blank rows are left out but counted. Raises InvalidFields for what is no table, also
    while the rows are read.
    """
    rows = _xlsx(content) if content[:4] == b"PK\x03\x04" else _csv(content, name)
    try:
        titles = next(rows)
    except StopIteration:
        raise InvalidFields({"file": "This file is empty."}) from None
    titles = [title.strip()[:LONGEST_TITLE] for title in titles]
    if len([title for title in titles if title]) < 2:
        raise InvalidFields({"file": "The first row must name the columns; at least two."})
    numbered = enumerate(rows, start=2)
    return titles, ((n, row) for n, row in numbered if any(cell.strip() for cell in row))


def _csv(content: bytes, name: str) -> Iterator[list[str]]:
    if b"\0" in content[:4096] or content[:5] in (b"%PDF-", b"\x89PNG\r"):
        raise InvalidFields({"file": f"{name} is neither CSV nor XLSX."})
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(LARGEST_CELL * 20)
    try:
        for row in csv.reader(_lines(text, delimiter), delimiter=delimiter):
            if len(row) > MOST_COLUMNS:
                raise InvalidFields({"file": TOO_WIDE})
            yield [cell[:LARGEST_CELL] for cell in row]
    except csv.Error as error:
        raise InvalidFields({"file": f"This file cannot be read as CSV: {error}."}) from error


def _lines(text: str, delimiter: str) -> Iterator[str]:
    """Line by line, refusing one that would become millions of cells before it is cut up."""
    for line in io.StringIO(text, newline=""):
        if line.count(delimiter) > MOST_COLUMNS * 100:
            raise InvalidFields({"file": TOO_WIDE})
        yield line


def _xlsx(content: bytes) -> Iterator[list[str]]:
    # Its library takes a while to read; who imports no workbook should not wait.
    from portal.imports.workbooks import read_workbook

    try:
        yield from read_workbook(content)
    except (InvalidFields, GeneratorExit):
        raise
    except Exception as error:  # a reader of other people's bytes may break in any way
        raise InvalidFields(
            {"file": "This workbook is damaged. Save it again, or save it as CSV."}
        ) from error
