"""Background work: rows are the truth, a task only says "look at row N"."""

from portal.tasks.kinds import TaskKind, find_kind, register, sweep
from portal.tasks.leases import lease, lease_until
from portal.tasks.queue import (
    look_at,
    note_progress,
    read_progress,
    run_waiting,
    set_up,
    start_worker,
    wake,
)

__all__ = [
    "TaskKind",
    "find_kind",
    "lease",
    "lease_until",
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
