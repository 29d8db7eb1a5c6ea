"""Things that happened, told once, handled in the same transaction; a handler may refuse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """Base of all events; subclasses carry the rows that changed."""


Handler = Callable[[Any], object]
_handlers: dict[type[Event], list[Handler]] = defaultdict(list)


def wire(table: Mapping[type[Event], Sequence[Handler]]) -> None:
    """Replace all subscriptions by this table. portal/wiring.py holds the only one."""
    _handlers.clear()
    _handlers.update({event: list(handlers) for event, handlers in table.items()})


def tell(event: Event) -> None:
    for handler in _handlers[type(event)]:
        handler(event)
