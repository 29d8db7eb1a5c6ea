"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(
    titles: Sequence[str], rows: Iterable[Sequence[object]], filename: str
) -> Response:
    """A CSV to download; text that a spreadsheet would run as a formula is shown as text."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(titles)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in row])
    response = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(DANGEROUS) else cell
