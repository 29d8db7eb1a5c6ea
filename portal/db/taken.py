"""Whether another row already has a name, asked before the UNIQUE constraint would answer."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from portal.db.base import Base, db


def is_taken(
    column: InstrumentedAttribute[str],
    value: str,
    row: Base | None = None,
    *,
    any_case: bool = False,
) -> bool:
    """Whether a row other than `row` has this value; `any_case` takes ACME for Acme.

    Flushes like any query: who filled half a row already asks inside `no_autoflush`.
    """
    table = column.class_
    same = sa.func.lower(column) == value.lower() if any_case else column == value
    query = sa.select(table.id).where(same)
    if row is not None and row.id:
        query = query.where(table.id != row.id)
    return db.session.scalar(query.limit(1)) is not None
