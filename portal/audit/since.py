"""What happened to a record after somebody looked at it: for the second of two editors."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit.trail import waiting_entries
from portal.db import Base, db
from portal.models import AuditEntry


def mark_of(subject: Base) -> str:
    """Where the trail of this record ends now, to be sent back with a form.

    What this very transaction recorded has no place in the trail yet; it is counted.
    """
    newest = db.session.scalar(sa.select(sa.func.max(AuditEntry.id)).where(*_about(subject)))
    kind = type(subject).__name__.lower()
    own = [
        one
        for one in waiting_entries(db.session())
        if (one["subject_kind"], one["subject_id"]) == (kind, subject.id)
    ]
    return f"{newest or 0}.{len(own)}"


def trail_since(subject: Base, mark: str) -> list[AuditEntry]:
    """What came after that mark, newest first; without a mark, the latest happening alone."""
    after, _dot, own = mark.partition(".")
    query = sa.select(AuditEntry).where(*_about(subject)).order_by(AuditEntry.id.desc())
    if not after.isdecimal() or len(after) > 18:
        return list(db.session.scalars(query.limit(1)))
    entries = list(db.session.scalars(query.where(AuditEntry.id > int(after)).limit(50)))
    skip = int(own) if own.isdecimal() and len(own) < 4 else 0
    return entries[: max(len(entries) - skip, 0)]


def _about(subject: Base) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    kind = type(subject).__name__.lower()
    return AuditEntry.subject_kind == kind, AuditEntry.subject_id == subject.id
