"""Tables out of CSV and XLSX files; the only module that imports the XLSX library."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime

import openpyxl

from portal.kernel.errors import InvalidFields

LARGEST_CELL = 5000
LARGEST_UNPACKED = 300 * 1024 * 1024


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
    titles = [title.strip() for title in titles]
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
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            yield [cell[:LARGEST_CELL] for cell in row]
    except csv.Error as error:
        raise InvalidFields({"file": f"This file cannot be read as CSV: {error}."}) from error


def _xlsx(content: bytes) -> Iterator[list[str]]:
    try:
        _refuse_bombs(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # some programs write a wrong size into the file
        for row in sheet.iter_rows(values_only=True):
            yield [_words(cell) for cell in row]
        book.close()
    except (InvalidFields, GeneratorExit):
        raise
    except Exception as error:  # a reader of other people's bytes may break in any way
        raise InvalidFields(
            {"file": "This workbook is damaged. Save it again, or save it as CSV."}
        ) from error


def _refuse_bombs(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > LARGEST_UNPACKED:
        raise InvalidFields({"file": "This workbook is too large inside. Split it into parts."})


def _words(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float):  # fifteen digits are all a spreadsheet really keeps
        return f"{cell:.15g}"
    return str(cell)[:LARGEST_CELL]
