"""Writing and reading the trail of a record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from portal.db import Base, db
from portal.kernel import clock
from portal.models import AuditEntry

UNSEALED = "unsealed audit entries"  # where the session remembers what the chain still lacks

_actor: ContextVar[str] = ContextVar("actor", default="system")


@contextmanager
def acting_as(actor: str) -> Iterator[None]:
    """Everything recorded inside names this actor, e.g. "Olive Office (staff 3)"."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> str:
    return _actor.get()


@dataclass(frozen=True)
class Happening:
    """One thing to record; `changes` maps field to [old, new] in plain JSON values."""

    verb: str
    subject_kind: str
    subject_id: int
    sentence: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def record(
    verb: str, subject: Base, sentence: str, changes: Mapping[str, Any] | None = None
) -> None:
    """Add one entry about `subject` (flushed if it has no id yet), in this transaction."""
    if subject.id is None:
        db.session.flush()
    kind = type(subject).__name__.lower()
    record_many([Happening(verb, kind, subject.id, sentence, changes or {})])


def record_many(happenings: Sequence[Happening]) -> None:
    """Add many entries in one statement; they are chained when the transaction commits."""
    if not happenings:
        return
    at, actor = clock.now(), current_actor()
    rows = [
        {
            "at": at,
            "created_at": at,
            "actor": actor,
            "verb": one.verb,
            "subject_kind": one.subject_kind,
            "subject_id": one.subject_id,
            "sentence": one.sentence,
            "changes": _as_stored(one.changes),
        }
        for one in happenings
    ]
    ids = db.session.scalars(
        sa.insert(AuditEntry).returning(AuditEntry.id, sort_by_parameter_order=True), rows
    )
    unsealed = [{"id": one, **row} for one, row in zip(ids, rows, strict=True)]
    db.session.info.setdefault(UNSEALED, []).extend(unsealed)


def _as_stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON gives back (keys as text, tuples as lists), so that the chain seals just that."""
    return dict(json.loads(json.dumps(dict(changes)))) if changes else {}


def trail_of(subject: Base, *, limit: int = 200) -> list[AuditEntry]:
    """The newest entries about a record, newest first."""
    query = (
        sa.select(AuditEntry)
        .where(
            AuditEntry.subject_kind == type(subject).__name__.lower(),
            AuditEntry.subject_id == subject.id,
        )
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))
