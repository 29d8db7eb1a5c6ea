"""Batches: named sets of invoices and payments that are posted and exported together."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.models.company import BusinessUnit
from portal.models.user import User


class BatchState(StrEnum):
    """POSTING while the worker is at it: members neither come nor go then."""

    PENDING = "pending"
    POSTING = "posting"
    POSTED = "posted"
    EXPORTED = "exported"


class WhenRefused(StrEnum):
    """What a refused member does to the others of its batch."""

    POST_NONE = "post_none"
    POST_REST = "post_rest"


_POSTING = frozenset({BatchState.POSTING})
BATCH = Lifecycle[BatchState](
    "this batch",
    {
        "fill": (frozenset({BatchState.PENDING}), BatchState.PENDING),
        "post": (frozenset({BatchState.PENDING}), BatchState.POSTING),
        "give up": (_POSTING, BatchState.PENDING),
        "finish": (_POSTING, BatchState.POSTED),
        "unpost": (frozenset({BatchState.POSTED}), BatchState.PENDING),
        "export": (frozenset({BatchState.POSTED}), BatchState.EXPORTED),
    },
)


class Batch(Versioned, Base):
    """A set of invoices and payments; the number is given by the house, the name by people.

    `rows_done` of `rows_total` is how far the last posting came; `failure` why it ended early.
    """

    __tablename__ = "batches"

    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[BatchState] = mapped_column(
        named_enum(BatchState), default=BatchState.PENDING, index=True
    )
    when_refused: Mapped[WhenRefused] = mapped_column(
        named_enum(WhenRefused), default=WhenRefused.POST_NONE
    )
    rule_id: Mapped[int | None] = mapped_column(sa.ForeignKey("auto_batch_rules.id"))
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    started_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    posted_at: Mapped[datetime | None]
    rows_total: Mapped[int] = mapped_column(default=0)
    rows_done: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str] = mapped_column(default="")

    created_by: Mapped[User | None] = relationship(foreign_keys=[created_by_id])
    started_by: Mapped[User | None] = relationship(foreign_keys=[started_by_id])
    refusals: Mapped[list[BatchRefusal]] = relationship(
        cascade="all, delete-orphan", order_by="BatchRefusal.id"
    )


class BatchRefusal(Base):
    """Why one member was not posted, the last time it was tried."""

    __tablename__ = "batch_refusals"
    __table_args__ = (
        sa.CheckConstraint("(invoice_id IS NULL) <> (payment_id IS NULL)", name="one_member"),
    )

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("batches.id"), index=True)
    invoice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"))
    sentence: Mapped[str]


class BatchSubject(StrEnum):
    INVOICES = "invoices"
    PAYMENTS = "payments"


class AutoBatchRule(Versioned, Base):
    """Once an hour, put what is ready into a batch of its own; `posts` makes it final too."""

    __tablename__ = "auto_batch_rules"

    name: Mapped[str] = mapped_column(unique=True)
    subject: Mapped[BatchSubject] = mapped_column(named_enum(BatchSubject))
    business_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("business_units.id"))
    only_reviewed: Mapped[bool] = mapped_column(default=True)
    posts: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)

    business_unit: Mapped[BusinessUnit | None] = relationship()


class PrintState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class PrintRun(Base):
    """Many documents as one PDF, made by the worker; `invoice_ids` in the order of the pages.

    `document_kind` is the registered document they are ids of: invoices unless it says otherwise.
    """

    __tablename__ = "print_runs"

    title: Mapped[str]
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batches.id"))
    document_kind: Mapped[str] = mapped_column(default="invoice")
    invoice_ids: Mapped[list[int]] = mapped_column(sa.JSON)
    state: Mapped[PrintState] = mapped_column(
        named_enum(PrintState), default=PrintState.WAITING, index=True
    )
    rows_done: Mapped[int] = mapped_column(default=0)
    file_key: Mapped[str] = mapped_column(default="")
    failure: Mapped[str] = mapped_column(default="")
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class UnpostState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


class UnpostRun(Base):
    """A posted batch on its way back to Pending, wholly or not at all, taken by the worker."""

    __tablename__ = "unpost_runs"
    __table_args__ = (
        sa.Index(
            "ix_unpost_runs_waiting",
            "batch_id",
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )

    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("batches.id"), index=True)
    because: Mapped[str]
    state: Mapped[UnpostState] = mapped_column(
        named_enum(UnpostState), default=UnpostState.WAITING, index=True
    )
    rows_total: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str] = mapped_column(default="")
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    started_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    started_by: Mapped[User | None] = relationship()
