"""Tables as XLSX, written row by row so that long ones need little memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import IO, Any

from portal.kernel.money import Money

IN_MEMORY = 2 * 1024 * 1024
LONGEST_TEXT = 32_767  # characters a cell can hold
Cell = str | int | Decimal | date | Money | None


@dataclass(frozen=True)
class Sheet:
    """One table of a workbook; rows may come from a cursor."""

    title: str
    columns: Sequence[str]
    rows: Iterable[Sequence[Cell]]


@cache
def _library() -> Any:
    """Read when the first workbook is written: a tenth of a second only its users should wait."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    return SimpleNamespace(
        book=Workbook, cell=WriteOnlyCell, illegal=ILLEGAL_CHARACTERS_RE, font=Font
    )


def write_workbook(sheets: Sequence[Sheet]) -> IO[bytes]:
    """The workbook as an open file, at its start; the caller closes it.

    Text is always stored as text: what begins with = is no formula.
    """
    book = _library().book(write_only=True)
    for sheet in sheets:
        page: Any = book.create_sheet(sheet.title[:31])
        page.freeze_panes = "A2"
        page.append([_cell(page, title, bold=True) for title in sheet.columns])
        for row in sheet.rows:
            page.append([_cell(page, value) for value in row])
    file = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115  (the answer closes it)
    book.save(file)
    file.seek(0)
    return file


def _cell(page: Any, value: Cell, *, bold: bool = False) -> Any:
    library = _library()
    cell: Any = library.cell(page)
    if isinstance(value, Money):
        cell.value, cell.number_format = Decimal(value.cents) / 100, "#,##0.00"
    elif isinstance(value, str):
        cell.value = library.illegal.sub("", value)[:LONGEST_TEXT]
        cell.data_type = "s"
    else:
        cell.value = value
    if bold:
        cell.font = library.font(bold=True)
    return cell
