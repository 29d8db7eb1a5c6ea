"""Bringing one's own data in: a run per file, its mapping, its problems, its progress."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, named_enum


class ImportSubject(StrEnum):
    CUSTOMERS = "customers"
    ITEMS = "items"
    INVOICES = "invoices"
    PAYMENTS = "payments"


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    SAVING = "saving"
    DONE = "done"
    FAILED = "failed"


class ImportRun(Base):
    """One file on its way in: uploaded, mapped, checked, then all of it or nothing."""

    __tablename__ = "import_runs"

    subject: Mapped[ImportSubject] = mapped_column(named_enum(ImportSubject))
    state: Mapped[ImportState] = mapped_column(
        named_enum(ImportState), default=ImportState.UPLOADED, index=True
    )
    original_name: Mapped[str]
    file_key: Mapped[str]
    columns: Mapped[list[str]] = mapped_column(sa.JSON)
    mapping: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_new: Mapped[int] = mapped_column(default=0)
    rows_known: Mapped[int] = mapped_column(default=0)
    rows_bad: Mapped[int] = mapped_column(default=0)
    hints: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # not wrong, worth a look
    failure: Mapped[str] = mapped_column(default="")
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    problems: Mapped[list[ImportProblem]] = relationship(
        cascade="all, delete-orphan", order_by="ImportProblem.row_number"
    )


class ImportProblem(Base):
    __tablename__ = "import_problems"

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("import_runs.id"), index=True)
    row_number: Mapped[int]
    column: Mapped[str] = mapped_column(default="")
    sentence: Mapped[str]
