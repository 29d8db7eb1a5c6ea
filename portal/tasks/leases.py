"""Leases: one worker at a time on a row, and another takes over when the first one died."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from portal.db import Base, db
from portal.kernel import clock


def lease(table: type[Base], row_id: int, *, states: Any, seconds: int = 120) -> bool:
    """Take the row for some seconds; False when it does not wait or another worker has it.

    The table has `state` and `claimed_until`. Compare-and-set, so two workers never both win.
    """
    columns = table.__table__.c
    now = clock.now()
    taken = db.session.scalar(
        sa.update(table)
        .where(
            columns.id == row_id,
            columns.state.in_(states),
            sa.or_(columns.claimed_until.is_(None), columns.claimed_until <= now),
        )
        .values(claimed_until=now + timedelta(seconds=seconds))
        .returning(columns.id)
        .execution_options(synchronize_session=False)
    )
    return taken is not None
