"""How connections to PostgreSQL are set up, and made sure of before they are used again."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import InvalidatePoolError

RESTING = 1.0  # seconds in the pool after which a connection is asked whether it still stands
KEPT_PLANS = 500  # statements a connection keeps prepared; a page or a job uses dozens of them
_SINCE = "in the pool since"


def set_up_postgresql(engine: sa.Engine) -> None:
    """Make its connections ready for short transactions; idempotent per engine."""
    if sa.event.contains(engine, "connect", _prepare):
        return
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "checkin", _note_rest)
    sa.event.listen(engine, "checkout", _ask_after_rest)


def _prepare(connection: Any, _record: Any) -> None:
    connection.prepared_max = KEPT_PLANS
    # Compiling a query takes longer than any page's query runs.
    connection.execute("SET jit TO off")
    # So does starting helpers: pages read little, and the other processes want the cores.
    connection.execute("SET max_parallel_workers_per_gather TO 0")
    connection.commit()


def _note_rest(_connection: Any, record: Any) -> None:
    record.info[_SINCE] = time.monotonic()


def _ask_after_rest(connection: Any, record: Any, _proxy: Any) -> None:
    """Ask a connection that rested whether its server is still there, else have all made anew.

    One that came back a moment ago is taken as it is: asking at every transaction costs two
    more round trips in each.
    """
    since = record.info.get(_SINCE)
    if since is None or time.monotonic() - since < RESTING:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except connection.OperationalError as error:  # the driver's own, without its name
        raise InvalidatePoolError from error
