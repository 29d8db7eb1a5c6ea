"""Processes that are killed at a named place: one reads the app in and forks a child per death.

A forked process dies as hard as a fresh one, and need not read the whole app in again.
"""

from __future__ import annotations

import gc
import importlib
import os
import shutil
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import configure_mappers

from portal.db import db
from tests.architecture.graph import ROOT

STATEMENT = "statement"  # the place that is any statement of any transaction


@dataclass
class Mortals:
    """The process whose children are killed, as the tests hold it."""

    process: subprocess.Popen[str]
    log: IO[str]

    def die(self, place: str, when: str, times: int = 1, *life: str) -> int:
        """Let one child live until it comes to this place for so many times; how it ended.

        `life` are words for the driver: which life, where it knows several.
        """
        assert self.process.stdin
        assert self.process.stdout
        print(place, when, times, *life, file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())

    def last_words(self) -> str:
        self.log.seek(0)
        return self.log.read()[-2000:]


@dataclass
class House:
    """The folder of an installation that the driver's children live and die in."""

    folder: Path
    prepared: Path
    driver: Mortals

    def begin_anew(self) -> None:
        shutil.rmtree(self.folder)
        shutil.copytree(self.prepared, self.folder)


def let_go() -> None:
    """Keep no connection to files that are about to be replaced."""
    db.session.remove()
    db.engine.dispose()


@contextmanager
def mortals(module: str, *words: str, log: Path) -> Iterator[Mortals]:
    """Start `python -m module`, which must call serve_deaths, and wait until it is ready."""
    command = [sys.executable, "-m", module, *words]
    with (
        log.open("w+") as said,
        subprocess.Popen(
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        own = Mortals(process, said)
        assert process.stdout.readline() == "ready\n", own.last_words()
        yield own
        process.stdin.close()


def serve_deaths(app: Flask, life: Callable[..., None]) -> None:
    """For each line `place when times word…` on stdin a child lives, and its end is told."""
    configure_mappers()
    gc.freeze()  # what is there now stays: the children need not copy it to look it over
    print("ready", flush=True)
    for order in sys.stdin:
        child = os.fork()
        if not child:
            place, when, times, *words = order.split()
            _live(app, lambda: life(*words), place, when, int(times))  # noqa: B023
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _live(app: Flask, life: Callable[[], None], place: str, when: str, times: int) -> None:
    """A process of its own from here on; nothing is open yet that it shares with the parent."""
    try:
        die_at(place, when, times)
        with app.app_context():
            life()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def die_at(place: str, when: str, times: int = 1) -> None:
    """Kill this process before or after it came to a place for so many times.

    A place is `module:function`, `module:Class.method`, or STATEMENT.
    """

    def die() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if place == STATEMENT:
        strike_at_statement(when, times, die)
    else:
        owner, name = find_place(place)
        setattr(owner, name, striking(getattr(owner, name), when, times, die))


def find_place(place: str) -> tuple[Any, str]:
    """The module or class that holds the function, and its name there."""
    module_name, _, name = place.rpartition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, last = name.split(".")
    for step in outer:
        owner = getattr(owner, step)
    return owner, last


def striking(
    real: Callable[..., Any], when: str, times: int, strike: Callable[[], None]
) -> Callable[..., Any]:
    """The function, and what strikes once, before or after it ran for so many times."""
    left = times

    def struck(*args: Any, **words: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            strike()
        result = real(*args, **words)
        if left == 0 and when == "after":
            strike()
        return result

    return struck


def strike_at_statement(when: str, times: int, strike: Callable[[], None]) -> None:
    """Strike before or after the database was sent so many statements."""
    left = times

    def count(*_words: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            strike()

    sa.event.listen(sa.Engine, f"{when}_cursor_execute", count)
