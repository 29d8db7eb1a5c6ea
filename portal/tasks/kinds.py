"""The kinds of rows a worker may be asked to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import current_app


@dataclass(frozen=True)
class TaskKind:
    """`look_at(id)` does what a row waits for; `find_waiting()` lists ids whose turn it is.

    `look_at` must cope with being called twice, and with rows that no longer wait.
    """

    name: str
    look_at: Callable[[int], object]
    find_waiting: Callable[[], Iterable[int]]


def register(kinds: Iterable[TaskKind]) -> dict[str, TaskKind]:
    """A table by name; portal/wiring.py holds the only one."""
    return {kind.name: kind for kind in kinds}


def find_kind(name: str) -> TaskKind:
    kinds: dict[str, TaskKind] = current_app.extensions["task kinds"]
    return kinds[name]


def sweep() -> list[tuple[str, int]]:
    """Every row that waits although nobody may have been told: lost wake-ups, due retries."""
    kinds: dict[str, TaskKind] = current_app.extensions["task kinds"]
    return [(kind.name, row_id) for kind in kinds.values() for row_id in kind.find_waiting()]
