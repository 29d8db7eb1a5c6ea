"""Moving many invoices from one state to another at once, by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.db import db
from portal.kernel.errors import Conflict
from portal.models import Invoice, InvoiceState

TABLE = cast(sa.Table, Invoice.__table__)


@lru_cache(maxsize=16)  # each caller writes the same columns again and again
def _statement(*columns: str) -> sa.Update:
    return (
        sa.update(TABLE)
        .where(
            TABLE.c.id == sa.bindparam("row_id"),
            TABLE.c.state == sa.bindparam("was"),
            TABLE.c.version == sa.bindparam("old_version"),
        )
        .values({name: sa.bindparam(f"new_{name}") for name in columns})
    )


def change_all(
    invoices: Sequence[Invoice], changes: Sequence[Mapping[str, object]], *, was: InvoiceState
) -> None:
    """Write these values where state and version still are what we read; the version moves on.

    One statement for all, the same columns for each. Raises Conflict when somebody was faster.
    """
    written = [
        {**values, "version": one.version + 1}
        for one, values in zip(invoices, changes, strict=True)
    ]
    rows = [
        {f"new_{name}": value for name, value in values.items()}
        | {"row_id": one.id, "old_version": one.version, "was": was}
        for one, values in zip(invoices, written, strict=True)
    ]
    # A single row goes as a plain statement: drivers prepare a list of rows at some length.
    updated = db.session.execute(_statement(*written[0]), rows if len(rows) > 1 else rows[0])
    if updated.rowcount != len(invoices):  # type: ignore[attr-defined]
        raise Conflict("Somebody else changed one of these invoices. Look again, then retry.")
    for invoice, values in zip(invoices, written, strict=True):
        for name, value in values.items():
            set_committed_value(invoice, name, value)
