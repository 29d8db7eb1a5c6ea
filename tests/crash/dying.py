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

from flask import Flask
from sqlalchemy.orm import configure_mappers

from portal.db import db
from tests.architecture.graph import ROOT


@dataclass
class Mortals:
    """The process whose children are killed, as the tests hold it."""

    process: subprocess.Popen[str]
    log: IO[str]

    def die(self, place: str, when: str, times: int = 1) -> int:
        """Let one child live until it comes to this place for so many times; how it ended."""
        assert self.process.stdin
        assert self.process.stdout
        print(place, when, times, file=self.process.stdin, flush=True)
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


def serve_deaths(app: Flask, life: Callable[[], None]) -> None:
    """For each line `place when times` on stdin a child lives, and its end is told."""
    configure_mappers()
    gc.freeze()  # what is there now stays: the children need not copy it to look it over
    print("ready", flush=True)
    for order in sys.stdin:
        child = os.fork()
        if not child:
            place, when, times = order.split()
            _live(app, life, place, when, int(times))
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
    """Replace a function by one that kills this process before or after it ran so many times."""
    module_name, _, name = place.rpartition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, last = name.split(".")
    for step in outer:
        owner = getattr(owner, step)
    real, left = getattr(owner, last), times

    def deadly(*args: Any, **words: Any) -> Any:
        nonlocal left
        left -= 1
        if left and when == "before":
            return real(*args, **words)
        if when == "after":
            result = real(*args, **words)
            if left:
                return result
        os.kill(os.getpid(), signal.SIGKILL)
        return None

    setattr(owner, last, deadly)
