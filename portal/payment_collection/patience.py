"""Trying again when somebody else was faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from portal.db import in_transaction
from portal.kernel.errors import Conflict

T = TypeVar("T")


def patiently(work: Callable[[], T], *, tries: int = 3) -> T:
    """`work` in a transaction, begun anew after a Conflict; the last one is raised.

    Money that moved at the gateway has to be recorded, whoever works on its payment meanwhile.
    """
    for remaining in reversed(range(tries)):
        try:
            return in_transaction(work)
        except Conflict:
            if not remaining:
                raise
    raise AssertionError("unreachable")
