"""How connections behave, so that SQLite and PostgreSQL keep the same promises."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from portal.db.base import db
from portal.db.postgresql import set_up_postgresql
from portal.db.searching import fold

T = TypeVar("T")

PATIENCE = 15_000  # milliseconds a writer waits for SQLite's one writer
_only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)


def set_up_engine(engine: sa.Engine) -> None:
    """Give SQLite WAL, foreign keys and honest transactions; idempotent per engine."""
    if engine.dialect.name != "sqlite":
        set_up_postgresql(engine)
        return
    if sa.event.contains(engine, "begin", _begin):
        return
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin)


def _prepare_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    connection.create_function("fold", 1, fold, deterministic=True)
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # a committed payment survives a power cut
        "foreign_keys=ON",
        f"busy_timeout={PATIENCE}",
        "cache_size=-65536",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # Taking the write lock at once avoids the upgrade that SQLite refuses with "locked".
    connection.exec_driver_sql("BEGIN" if _only_reads.get() else "BEGIN IMMEDIATE")


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside only read, so they need not queue behind a writer."""
    token = _only_reads.set(True)
    try:
        yield
    finally:
        _only_reads.reset(token)


def is_reading() -> bool:
    """Whether the current transaction was begun to read only."""
    return _only_reads.get()


@contextmanager
def writing() -> Iterator[None]:
    """Transactions begun inside may write, even in a request that began by reading."""
    token = _only_reads.set(False)
    try:
        yield
    finally:
        _only_reads.reset(token)


@contextmanager
def own_transaction() -> Iterator[Session]:
    """A short write of its own, committed at the end, whatever becomes of the request.

    For marks that belong to no business transaction (last seen, first opened). Do not open it
    while the current transaction has written: SQLite has one writer.
    """
    with writing(), Session(db.engine) as session, session.begin():
        yield session


def note_in_passing(statement: sa.Executable) -> bool:
    """Write a mark that may be lost (last seen, first opened): soon, or not at all.

    A page must not wait, let alone fail, because a long write goes on elsewhere. False when
    the mark was not written. Call it when the current transaction has not written.
    """
    try:
        with (
            writing(),
            db.engine.connect() as connection,
            _impatient(connection),
            connection.begin(),
        ):
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql("SET LOCAL lock_timeout = '200ms'")
            connection.execute(statement)
        return True
    except OperationalError:
        return False


@contextmanager
def _impatient(connection: sa.Connection) -> Iterator[None]:
    if connection.dialect.name != "sqlite":
        yield
        return
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute("PRAGMA busy_timeout=200")
    try:
        yield
    finally:
        raw.execute(f"PRAGMA busy_timeout={PATIENCE}")


def in_transaction(work: Callable[[], T], *, tries: int = 5) -> T:
    """Run `work` in a transaction of the current session and commit it.

    Deadlocks and serialization failures of the database are tried again; what `work` did is
    rolled back first, so it must not call anything outside the database.
    """
    with writing():
        for remaining in reversed(range(tries)):
            try:
                result = work()
                db.session.commit()
                return result
            except OperationalError as error:
                db.session.rollback()
                if not remaining or not _is_passing(error):
                    raise
            except BaseException:
                db.session.rollback()
                raise
    raise AssertionError("unreachable")


def _is_passing(error: OperationalError) -> bool:
    state = getattr(error.orig, "sqlstate", None)
    return state in {"40001", "40P01"} or "database is locked" in str(error.orig)
