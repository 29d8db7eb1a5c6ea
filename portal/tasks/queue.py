"""The queues themselves: Huey on SQLite by default, on Redis across machines."""

from __future__ import annotations

import gc
import logging
import secrets
import signal
import time
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
from portal.tasks.kinds import MAIL, WORK, TaskKind, find_kind, sweep

LANES = (WORK, MAIL)
THREADS, MAIL_THREADS = 4, 2
STOP_WITHIN = 25.0  # seconds; a mail server is given 20 to answer
HEALTH_SECONDS = 10.0
WAKES = "rows to look at after the commit"
log = logging.getLogger("fieldledger.tasks")


def set_up(app: Flask, kinds: dict[str, TaskKind], turn: Callable[[], None]) -> None:
    """Give the app its queues. `turn` is called each minute by the worker (the schedule)."""
    app.extensions["task kinds"] = kinds
    app.extensions["wakes"] = []
    _enqueue_at_commit(db.session)
    if app.testing:
        return  # wake-ups are collected; run_waiting() does them in order
    queues = {lane: _queue(app.config["SETTINGS"], lane) for lane in LANES}
    app.extensions["queues"] = queues

    def look(name: str, row_id: int) -> None:
        with app.app_context():
            look_at(name, row_id)

    looks = {lane: queue.task(name="look_at")(look) for lane, queue in queues.items()}

    def enqueue(name: str, row_id: int) -> None:
        looks[kinds[name].lane](name, row_id)

    def each_minute() -> None:
        with app.app_context(), acting_as("system"):
            _take(turn)
            for name, row_id in sweep():
                enqueue(name, row_id)

    app.extensions["enqueue"] = enqueue
    app.extensions["each minute"] = queues[WORK].periodic_task(crontab(minute="*"), name="turn")(
        each_minute
    )


def _take(turn: Callable[[], None]) -> None:
    """A schedule that breaks must not keep waiting rows from being found."""
    try:
        turn()
    except Exception:
        db.session.rollback()
        log.exception("the schedule's turn failed")


def _queue(settings: Settings, lane: str) -> Any:
    name = "fieldledger" if lane == WORK else f"fieldledger-{lane}"
    if settings.redis_url:
        return RedisHuey(name, url=settings.redis_url, results=False, utc=True)
    path = settings.data_dir / "tasks.sqlite3"
    path.touch(mode=0o600)
    return SqliteHuey(name, filename=str(path), results=False, utc=True)


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
    if "queues" in current_app.extensions:
        current_app.extensions["queues"][WORK].storage.put_data(key, str(done).encode())
    else:
        current_app.extensions.setdefault("progress", {})[key] = done


def read_progress(key: str) -> int:
    """What was noted last, or 0."""
    if "queues" not in current_app.extensions:
        return int(current_app.extensions.get("progress", {}).get(key, 0))
    value = current_app.extensions["queues"][WORK].storage.peek_data(key)
    return int(value) if isinstance(value, bytes) else 0


def start_worker(app: Flask, *, threads: int = THREADS) -> None:
    """Run until told to stop; catches up on waiting rows first.

    The first SIGTERM or SIGINT lets every thread finish the row in its hand, at most
    STOP_WITHIN seconds; a second one ends at once.
    """
    app.extensions["each minute"]()
    queues = app.extensions["queues"]
    consumers = [_consumer(queues[WORK], threads), _consumer(queues[MAIL], MAIL_THREADS)]
    for consumer in consumers:
        consumer.start()
    _wait_for_signal(lambda: [consumer.check_worker_health() for consumer in consumers])
    for consumer in consumers:
        consumer.stop_flag.set()
    for consumer in consumers:
        consumer.stop(graceful=True)
    gc.freeze()  # not walking through what is loaded makes leaving quick


def _consumer(queue: Any, threads: int) -> Any:
    return Consumer(
        queue,
        workers=threads,
        worker_type="thread",
        initial_delay=0.05,
        backoff=1.2,
        max_delay=0.5,
        shutdown_timeout=STOP_WITHIN,
    )


def _wait_for_signal(check: Callable[[], object]) -> None:
    caught: list[int] = []

    def catch(number: int, _frame: object) -> None:
        caught.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, catch)
    checked = time.monotonic()
    while not caught:
        time.sleep(0.1)
        if time.monotonic() > checked + HEALTH_SECONDS:
            check()
            checked = time.monotonic()


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


def _forget(session: Session, rolled_back: SessionTransaction) -> None:
    """Only a whole transaction takes its wake-ups along; a needless one does no harm."""
    inner: SessionTransaction | None = rolled_back
    while inner is not None and not inner.nested:  # a failing flush has a step of its own
        inner = inner.parent
    if inner is None:
        session.info.pop(WAKES, None)
