"""Background work: rows are the truth, a task only says "look at row N"."""

from portal.tasks.kinds import MAIL, WORK, TaskKind, find_kind, register, sweep
from portal.tasks.leases import lease
from portal.tasks.queue import (
    STOP_WITHIN,
    THREADS,
    look_at,
    note_progress,
    read_progress,
    run_waiting,
    set_up,
    start_worker,
    wake,
)

__all__ = [
    "MAIL",
    "STOP_WITHIN",
    "THREADS",
    "WORK",
    "TaskKind",
    "find_kind",
    "lease",
    "look_at",
    "note_progress",
    "read_progress",
    "register",
    "run_waiting",
    "set_up",
    "start_worker",
    "sweep",
    "wake",
]
