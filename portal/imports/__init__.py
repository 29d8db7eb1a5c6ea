"""Bringing one's own data in: CSV and XLSX, mapped, checked, then all of it or nothing."""

from portal.imports.runs import (
    all_problems_of,
    ask_for_check,
    ask_for_saving,
    find_runs,
    get_run,
    is_working,
    look_at_run,
    problems_of,
    progress_of,
    start_run,
    waiting_runs,
    was_anything_imported,
)
from portal.imports.shapes import SHAPES, Column

__all__ = [
    "SHAPES",
    "Column",
    "all_problems_of",
    "ask_for_check",
    "ask_for_saving",
    "find_runs",
    "get_run",
    "is_working",
    "look_at_run",
    "problems_of",
    "progress_of",
    "start_run",
    "waiting_runs",
    "was_anything_imported",
]
