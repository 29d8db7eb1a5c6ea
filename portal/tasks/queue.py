"""The queue itself: Huey on SQLite by default, on Redis across machines."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app
from huey import RedisHuey, SqliteHuey, crontab
from huey.consumer import Consumer
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from portal.audit import acting_as
from portal.db import db
from portal.settings import Settings
from portal.tasks.kinds import TaskKind, find_kind, sweep

WAKES = "rows to look at after the commit"
log = logging.getLogger("fieldledger.tasks")


def set_up(app: Flask, kinds: dict[str, TaskKind], turn: Callable[[], None]) -> None:
    """Give the app its queue. `turn` is called each minute by the worker (the schedule)."""
    app.extensions["task kinds"] = kinds
    app.extensions["wakes"] = []
    _enqueue_at_commit(db.session)
    if app.testing:
        return  # wake-ups are collected; run_waiting() does them in order
    huey = _queue(app.config["SETTINGS"])
    app.extensions["huey"] = huey

    @huey.task(name="look_at")  # type: ignore[untyped-decorator]
    def look(name: str, row_id: int) -> None:
        with app.app_context():
            look_at(name, row_id)

    @huey.periodic_task(crontab(minute="*"), name="turn")  # type: ignore[untyped-decorator]
    def each_minute() -> None:
        with app.app_context(), acting_as("system"):
            turn()
            for name, row_id in sweep():
                look(name, row_id)

    app.extensions["enqueue"] = look
    app.extensions["each minute"] = each_minute


def _queue(settings: Settings) -> Any:
    if settings.redis_url:
        return RedisHuey("fieldledger", url=settings.redis_url, results=False, utc=True)
    path = settings.data_dir / "tasks.sqlite3"
    return SqliteHuey("fieldledger", filename=str(path), results=False, utc=True)


def wake(name: str, row_id: int) -> None:
    """Ask the worker to look at a row once the outermost transaction has committed.

    Nothing happens on rollback; a wake-up lost in a crash is found by the sweep.
    """
    db.session.info.setdefault(WAKES, []).append((name, row_id))


def look_at(name: str, row_id: int) -> None:
    """What a worker does with one row: its own transactions, errors logged with a code."""
    try:
        with acting_as("system"):
            find_kind(name).look_at(row_id)
            db.session.commit()
    except Exception:
        db.session.rollback()
        log.exception("%s %s failed (incident %s)", name, row_id, secrets.token_hex(4))
        if current_app.testing:
            raise
    finally:
        if not current_app.testing:  # tests keep looking at the rows they hold
            db.session.remove()


def run_waiting() -> int:
    """Tests: do everything that was asked for so far, in order; returns how many."""
    wakes: list[tuple[str, int]] = current_app.extensions["wakes"]
    done = 0
    while wakes:
        name, row_id = wakes.pop(0)
        look_at(name, row_id)
        done += 1
    return done


def note_progress(key: str, done: int) -> None:
    """Say how far a long task is, apart from its transaction, which others cannot see yet."""
    if "huey" in current_app.extensions:
        current_app.extensions["huey"].storage.put_data(key, str(done).encode())
    else:
        current_app.extensions.setdefault("progress", {})[key] = done


def read_progress(key: str) -> int:
    """What was noted last, or 0."""
    if "huey" not in current_app.extensions:
        return int(current_app.extensions.get("progress", {}).get(key, 0))
    value = current_app.extensions["huey"].storage.peek_data(key)
    return int(value) if isinstance(value, bytes) else 0


def start_worker(app: Flask, *, threads: int = 1) -> None:
    """Run until told to stop (SIGTERM, SIGINT); catches up on waiting rows first."""
    app.extensions["each minute"]()
    consumer = Consumer(
        app.extensions["huey"],
        workers=threads,
        worker_type="thread",
        initial_delay=0.05,
        backoff=1.2,
        max_delay=0.5,
        check_worker_health=True,
    )
    consumer.run()


def _enqueue_at_commit(session: scoped_session[Any]) -> None:
    if not sa.event.contains(session, "after_commit", _enqueue):
        sa.event.listen(session, "after_commit", _enqueue)
        sa.event.listen(session, "after_soft_rollback", _forget)


def _enqueue(session: Session) -> None:
    if session.in_nested_transaction():
        return
    for name, row_id in dict.fromkeys(session.info.pop(WAKES, [])):
        if current_app.testing:
            current_app.extensions["wakes"].append((name, row_id))
        else:
            try:
                current_app.extensions["enqueue"](name, row_id)
            except Exception:  # the row waits; the sweep finds it within a minute
                log.exception("could not enqueue %s %s", name, row_id)


def _forget(session: Session, previous: SessionTransaction) -> None:
    if not previous.nested:
        session.info.pop(WAKES, None)
