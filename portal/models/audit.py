"""The audit trail: append-only entries and the hash chain that proves nothing was edited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base


class AuditEntry(Base):
    """Who did what to which record, as a sentence, with old and new values."""

    __tablename__ = "audit_entries"
    __table_args__ = (sa.Index(None, "subject_kind", "subject_id", "id"),)

    at: Mapped[datetime]
    actor: Mapped[str]  # "Olive Office (staff 3)", "Ada (customer)", "system"
    verb: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[int]
    sentence: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


class AuditLink(Base):
    """One link of the chain: SHA-256 over the previous hash and the entry's canonical text."""

    __tablename__ = "audit_links"

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("audit_entries.id"), unique=True)
    position: Mapped[int] = mapped_column(unique=True)
    previous_hash: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))


class AuditHead(Base):
    """The end of the chain; locked while links are added, one row."""

    __tablename__ = "audit_heads"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    position: Mapped[int]
    hash: Mapped[str] = mapped_column(sa.String(64))
