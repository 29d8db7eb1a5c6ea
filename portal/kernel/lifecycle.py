"""State machines written as a table of verbs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from portal.kernel.errors import InvalidTransition

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True)
class Lifecycle(Generic[S]):
    """Each verb names the states it may leave and the one state it reaches."""

    noun: str
    moves: Mapping[str, tuple[frozenset[S], S]]

    def after(self, state: S, verb: str) -> S:
        """The state that `verb` leads to; InvalidTransition with a sentence otherwise."""
        sources, target = self.moves[verb]
        if state not in sources:
            words = str(state).replace("_", " ")
            raise InvalidTransition(
                f"Cannot {verb.replace('_', ' ')} {self.noun}: it is already {words}."
            )
        return target

    def allows(self, state: S, verb: str) -> bool:
        return state in self.moves[verb][0]

    def verbs(self, state: S) -> list[str]:
        """What may happen next: templates build their buttons from this."""
        return [verb for verb, (sources, _) in self.moves.items() if state in sources]

    def drawing(self) -> str:
        """A mermaid state diagram, kept in docs/lifecycles.md and tested fresh."""
        lines = ["stateDiagram-v2"]
        for verb, (sources, target) in self.moves.items():
            lines += [f"  {source} --> {target}: {verb}" for source in sorted(sources)]
        return "\n".join(lines)
