"""Writing and reading the trail of a record."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db import Base, db
from portal.kernel import clock
from portal.models import AuditEntry

WAITING = "audit entries to be written"  # where the session keeps them until the commit

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


def record_changes(
    subject: Base,
    sentence: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    verb: str = "changed",
) -> bool:
    """Note what differs between the two, field by field; False when nothing does."""
    changes = {name: [before[name], new] for name, new in after.items() if before[name] != new}
    if changes:
        record(verb, subject, sentence, changes)
    return bool(changes)


def record_many(happenings: Sequence[Happening]) -> None:
    """Note many entries; all of a transaction are written and chained when it commits."""
    at, actor = clock.now(), current_actor()
    waiting_entries(db.session()).extend(
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
    )


def waiting_entries(session: Session) -> list[dict[str, Any]]:
    """What this transaction recorded so far, oldest first; not in the database yet."""
    waiting: list[dict[str, Any]] = session.info.setdefault(WAITING, [])
    return waiting


def _as_stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON gives back (keys as text, tuples as lists), so that the chain seals just that."""
    return dict(json.loads(json.dumps(dict(changes)))) if changes else {}


def trail_of(subject: Base, *, limit: int = 200) -> list[AuditEntry]:
    """The newest entries about a record, newest first, this transaction's own included."""
    kind = type(subject).__name__.lower()
    own = [
        AuditEntry(**entry)
        for entry in reversed(waiting_entries(db.session()))
        if (entry["subject_kind"], entry["subject_id"]) == (kind, subject.id)
    ]
    query = (
        sa.select(AuditEntry)
        .where(AuditEntry.subject_kind == kind, AuditEntry.subject_id == subject.id)
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )
    return [*own, *db.session.scalars(query)][:limit]
