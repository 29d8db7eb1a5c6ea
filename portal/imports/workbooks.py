"""The first sheet of an XLSX file, row by row, within bounds."""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, from_excel

from portal.imports.parts import (
    LARGEST_CELL,
    MOST_COLUMNS,
    MOST_PARTS,
    TOO_LARGE,
    TOO_WIDE,
    Attributes,
    Source,
    Text,
    exhaust,
    relations,
    walk,
)
from portal.kernel.errors import InvalidFields

MOST_ROWS = 200_000
MOST_CELLS = 3_000_000
MOST_STRINGS = 1_000_000
MOST_TEXT = 50_000_000  # characters of all strings together
WIDEST_ROW = 16_384  # cells a spreadsheet can have in a row, empty ones too

Cell = tuple[str, str, str]  # type, style and words as the file has them


def read_workbook(content: bytes) -> Iterator[list[str]]:
    """The rows of the first sheet as text, blank ones included, as a spreadsheet counts them.

    Raises InvalidFields beyond the bounds, other errors for a damaged file. The strings are
    read only as far as the rows asked for need them.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        source = Source(archive)
        book = _read_book(source)
        strings = _Strings(source, book.strings)
        for row in _rows(source, book.sheet):
            yield [_words(cell, book, strings) for cell in row]
            source.read_on()


@dataclass
class _Book:
    sheet: str = ""
    strings: str = ""
    styles: str = ""
    epoch: datetime = CALENDAR_WINDOWS_1900
    dates: list[bool] = field(default_factory=list)  # by style: whether the number is a day


def _read_book(source: Source) -> _Book:
    """Where the parts lie, the calendar, and which styles show days."""
    book = _Book()
    sheets: list[str] = []
    main = _main_part(source)

    def seen(name: str, attributes: Attributes) -> None:
        if name == "sheet" and len(sheets) < MOST_PARTS:
            sheets.append(attributes["id"])
        elif name == "workbookPr" and attributes.get("date1904") in ("1", "true"):
            book.epoch = CALENDAR_MAC_1904

    exhaust(walk(source, main, started=seen))
    folder, name = posixpath.split(main)
    targets = relations(source, f"{folder}/_rels/{name}.rels", folder)
    book.sheet = targets[sheets[0]][1]
    for kind, target in targets.values():
        if kind.endswith("/sharedStrings"):
            book.strings = target
        elif kind.endswith("/styles"):
            book.styles = target
    book.dates = _date_styles(source, book.styles)
    return book


def _main_part(source: Source) -> str:
    for kind, target in relations(source, "_rels/.rels", "").values():
        if kind.endswith("/officeDocument"):
            return target
    raise ValueError("no workbook inside")


def _date_styles(source: Source, part: str) -> list[bool]:
    formats, dates, inside = dict(BUILTIN_FORMATS), [], [False]

    def seen(name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            formats[int(attributes["numFmtId"])] = attributes["formatCode"][:LARGEST_CELL]
        elif name in ("cellXfs", "cellStyleXfs"):
            inside[0] = name == "cellXfs"
        elif name == "xf" and inside[0]:
            code = formats.get(int(attributes.get("numFmtId", "0")), "General")
            dates.append(bool(is_date_format(code)))
        if len(dates) + len(formats) > MOST_STRINGS // 10:
            raise InvalidFields({"file": TOO_LARGE})

    if part:
        exhaust(walk(source, part, started=seen))
    return dates


class _Strings:
    """The table of strings that cells point into, read as far as it was asked for."""

    def __init__(self, source: Source, part: str) -> None:
        self._known: list[str] = []
        self._size = 0
        self._text = Text()
        self._wanted = 0  # inside a <t> that is shown; phonetic readings are not
        self._unread = walk(source, part, self._start, self._end, self._say) if part else iter(())

    def __getitem__(self, index: int) -> str:
        while index >= len(self._known):
            next(self._unread)  # StopIteration: points behind the end
        return self._known[index]

    def _start(self, name: str, _attributes: Attributes) -> None:
        if name == "si":
            self._text = Text()
        elif name == "rPh":
            self._wanted = -1
        elif name == "t" and self._wanted == 0:
            self._wanted = 1

    def _end(self, name: str) -> None:
        if name == "si":
            self._known.append(str(self._text))
            self._size += len(self._known[-1])
            if len(self._known) > MOST_STRINGS or self._size > MOST_TEXT:
                raise InvalidFields({"file": TOO_LARGE})
        elif name == "rPh" or (name == "t" and self._wanted == 1):
            self._wanted = 0

    def _say(self, words: str) -> None:
        if self._wanted == 1:
            self._text.add(words)


class _Rows:
    """Collects the cells of a sheet, row by row, and counts all of them."""

    def __init__(self) -> None:
        self.done: list[list[Cell]] = []
        self._row: list[Cell] = []
        self._at = self._cells = self._in_row = 0
        self._kind = self._style = ""
        self._text = Text()
        self._wanted = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._row, self._in_row = [], 0
            at = max(int(attributes.get("r", 0)), self._at + 1)
            if at > MOST_ROWS:
                raise InvalidFields({"file": TOO_LARGE})
            self.done += [[] for _blank in range(self._at + 1, at)]
            self._at = at
        elif name == "c":
            self._begin_cell(attributes)
        elif name in ("v", "t"):
            self._wanted = True

    def _begin_cell(self, attributes: Attributes) -> None:
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "0")
        self._text = Text()
        self._cells, self._in_row = self._cells + 1, self._in_row + 1
        letters = attributes.get("r", "").rstrip("0123456789")
        column = column_index_from_string(letters) if letters else len(self._row) + 1
        if self._cells > MOST_CELLS:
            raise InvalidFields({"file": TOO_LARGE})
        if self._in_row > WIDEST_ROW:
            raise InvalidFields({"file": TOO_WIDE})
        # Empty cells with a border far to the right are common; only words there are refused.
        self._row += [("", "", "")] * (min(column - 1, MOST_COLUMNS) - len(self._row))

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self._wanted = False
        elif name == "c":
            cell = self._kind, self._style, str(self._text)
            if len(self._row) < MOST_COLUMNS:
                self._row.append(cell)
            elif cell[2]:
                raise InvalidFields({"file": TOO_WIDE})
        elif name == "row":
            self.done.append(self._row)

    def say(self, words: str) -> None:
        if self._wanted:
            self._text.add(words)


def _rows(source: Source, part: str) -> Iterator[list[Cell]]:
    rows = _Rows()
    for _piece in walk(source, part, rows.start, rows.end, rows.say):
        yield from rows.done
        rows.done = []


def _words(cell: Cell, book: _Book, strings: _Strings) -> str:
    kind, style, words = cell
    if kind == "s" and words:
        return strings[int(words)]
    if kind == "b" and words:
        return "True" if words == "1" else "False"
    if kind == "d" and words:
        return words[:10]
    if kind != "n" or not words:
        return words
    if style.isdigit() and int(style) < len(book.dates) and book.dates[int(style)]:
        return _day(float(words), book.epoch)
    return _number(words)


def _day(number: float, epoch: datetime) -> str:
    moment = from_excel(number, epoch)
    if isinstance(moment, datetime):
        return moment.date().isoformat()
    return str(moment) if isinstance(moment, time | timedelta) else str(moment or "")


def _number(words: str) -> str:
    """Fifteen digits are all a spreadsheet really keeps; whole numbers keep all of theirs."""
    return words if words.lstrip("-").isdigit() else f"{float(words):.15g}"
