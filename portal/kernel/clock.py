"""The only place that asks the machine what time it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_read: Callable[[], datetime] = lambda: datetime.now(UTC)  # noqa: E731  (replaced by frozen)


def now() -> datetime:
    """This instant, aware and in UTC."""
    return _read()


def today(zone: str) -> date:
    """The business date where the company keeps its books."""
    return now().astimezone(ZoneInfo(zone)).date()


@contextmanager
def frozen(at: datetime) -> Iterator[None]:
    """Stop the clock; tests and the demo seed use this."""
    global _read
    before, _read = _read, lambda: at
    try:
        yield
    finally:
        _read = before
