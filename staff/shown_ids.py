"""Which rows a question was about: its form carries them, to say later what is another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from flask import request

from portal.access import Ability
from portal.invoices import numbers_of
from portal.web import may

NAMED = 10  # rows that are told in full
LONGEST = 400_000  # characters one field of a form may carry
LARGEST = 2**63 - 1  # what an id can be


@dataclass(frozen=True)
class Difference:
    """What matches now and did not, and what matched and does not any more; numbers of some."""

    came: int
    went: int
    came_numbers: Sequence[str]
    went_numbers: Sequence[str]


def as_ranges(ids: Iterable[int]) -> str:
    """1-3,7: neighbours shortened, so that ten thousand ids fit into a form; empty if too long."""
    parts: list[list[int]] = []
    for one in sorted(ids):
        if parts and one == parts[-1][-1] + 1:
            parts[-1] = [parts[-1][0], one]
        else:
            parts.append([one])
    words = ",".join("-".join(map(str, part)) for part in parts)
    return words if len(words) <= LONGEST else ""


def difference(now: Sequence[int]) -> Difference | None:
    """What changed since the form was shown; None when it did not say, or nothing did."""
    shown = _from_ranges(request.form.get("shown", ""))
    if not shown:
        return None
    came, went = sorted(set(now) - shown), sorted(shown - set(now))
    if not came and not went:
        return None
    return Difference(len(came), len(went), _numbers(came), _numbers(went))


def _numbers(ids: Sequence[int]) -> Sequence[str]:
    """What some are called. The form may name any id: only who may look at invoices is told."""
    return numbers_of(ids[:NAMED]) if may(Ability.VIEW_INVOICES) else []


def _from_ranges(words: str) -> set[int]:
    """What `as_ranges` wrote; anything else is nothing, so that nobody makes us count for ever."""
    found: set[int] = set()
    for part in words.split(",") if words else []:
        first, _dash, last = part.partition("-")
        if not first.isdecimal() or (last and not last.isdecimal()) or len(part) > 21:
            return set()
        start, end = int(first), int(last or first)
        if end < start or end > LARGEST or len(found) + end - start > LONGEST:
            return set()
        found.update(range(start, end + 1))
    return found
