"""The kinds of rows a worker may be asked to look at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import current_app

from portal.db import db

WORK, MAIL = "work", "mail"
log = logging.getLogger("fieldledger.tasks")


@dataclass(frozen=True)
class TaskKind:
    """`look_at(id)` does what a row waits for; `find_waiting()` lists ids whose turn it is.

    `look_at` must cope with being called twice, and with rows that no longer wait. A `lane` has
    threads of its own: a mail server that hangs holds up mail and nothing else.
    """

    name: str
    look_at: Callable[[int], object]
    find_waiting: Callable[[], Iterable[int]]
    lane: str = WORK


def register(kinds: Iterable[TaskKind]) -> dict[str, TaskKind]:
    """A table by name; portal/wiring.py holds the only one."""
    return {kind.name: kind for kind in kinds}


def find_kind(name: str) -> TaskKind:
    kinds: dict[str, TaskKind] = current_app.extensions["task kinds"]
    return kinds[name]


def sweep() -> list[tuple[str, int]]:
    """Every row that waits although nobody may have been told: lost wake-ups, due retries.

    A kind that cannot be asked is logged; the others are swept all the same.
    """
    kinds: dict[str, TaskKind] = current_app.extensions["task kinds"]
    found = []
    for kind in kinds.values():
        try:
            found += [(kind.name, row_id) for row_id in kind.find_waiting()]
        except Exception:
            db.session.rollback()
            log.exception("could not ask which rows of %s wait", kind.name)
    return found
