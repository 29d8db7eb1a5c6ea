"""Compare-and-set, ordered locks and insert-once: races end in an answer, not a mess."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.db.base import Base, Versioned, db
from portal.kernel.errors import Conflict

R = TypeVar("R", bound=Base)


def claim(row: Base, **values: Any) -> None:
    """Set `values` only where they still are what we read; Conflict when somebody was faster.

    `claim(invoice, state=POSTED)` is UPDATE … WHERE id = ? AND state = <the state we read>.
    """
    table = type(row)
    db.session.flush()
    unchanged = [getattr(table, name).is_not_distinct_from(getattr(row, name)) for name in values]
    new: dict[str, Any] = dict(values)
    if isinstance(row, Versioned):
        new["version"] = table.version + 1  # type: ignore[attr-defined]
    claimed = db.session.scalar(
        sa.update(table)
        .where(table.id == row.id, *unchanged)
        .values(new)
        .returning(table.id)
        .execution_options(synchronize_session=False)
    )
    if claimed is None:
        db.session.refresh(row)
        raise Conflict("Somebody else changed this record first. Look at it again, then retry.")
    db.session.refresh(row)


def bump(row: Base, version: int) -> None:
    """Refuse a save that was typed over an older version of a `Versioned` row."""
    if row.version != version:  # type: ignore[attr-defined]
        raise Conflict(
            "Somebody else saved this record while you were typing. "
            "What you typed is kept below; compare it with what is saved now."
        )


def lock_rows(table: type[R], ids: Iterable[int]) -> list[R]:
    """Read rows afresh under lock, in id order so that two lockers never wait in a circle.

    SQLite has one writer and needs no row lock; PostgreSQL takes FOR UPDATE.
    """
    wanted = sorted(set(ids))
    query = (
        sa.select(table)
        .where(table.id.in_(wanted))
        .order_by(table.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


def insert_once(row: Base, session: Session | None = None) -> bool:
    """Insert inside a savepoint; False when a UNIQUE key says it is already there.

    Any other broken constraint is an error of ours and is raised. `session` is one of
    `own_transaction`; without it the request's.
    """
    place = session or db.session
    try:
        with place.begin_nested():
            place.add(row)
            place.flush()
    except IntegrityError as error:
        if not _is_duplicate(error):
            raise
        return False
    return True


def _is_duplicate(error: IntegrityError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state == "23505" or "UNIQUE constraint failed" in str(error.orig)
