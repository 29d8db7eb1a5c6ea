"""Putting a file where an old one lies: whole, or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from portal.cli.plain import is_full
from portal.kernel.errors import DomainError


def before_restore(path: Path) -> Path:
    """Under which name the old one is kept."""
    if path.name.endswith(("-wal", "-shm")):  # SQLite looks for these endings
        stem, ending = path.name[:-4], path.name[-4:]
        return path.with_name(f"{stem}.before-restore{ending}")
    return path.with_name(path.name + ".before-restore")


@contextmanager
def copy_beside(source: Path, target: Path) -> Iterator[Path]:
    """The source's content in the target's folder, safely on the disk and for this user alone."""
    staged = target.with_name(target.name + ".restoring")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        try:
            os.replace(source, staged)  # the usual case needs no room
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            shutil.copyfile(source, staged)
        staged.chmod(0o600)
        with staged.open("rb") as file:
            os.fsync(file.fileno())
        yield staged
    finally:
        staged.unlink(missing_ok=True)


def put_in_place(staged: Path, target: Path) -> None:
    """From one moment to the next the target is the new file, also after a power cut."""
    os.replace(staged, target)
    with suppress(OSError):  # it is done; where folders cannot be synced, the system does it soon
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def told_in_words(outcome: str) -> Iterator[None]:
    """What the disk or SQLite refuses becomes one sentence that ends with the outcome."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        reason = "The disk is full" if is_full(error) else f"This did not work: {error}"
        raise DomainError(f"{reason}. {outcome}") from error
