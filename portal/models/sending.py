"""Texts of messages that people edit, sendings of many, and sending by rule."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.models.company import BusinessUnit
from portal.models.invoice import Invoice
from portal.models.message import Channel
from portal.models.user import User


class MessageTemplate(Versioned, Base):
    """The company's own words for one kind of message; without a row the house's are used."""

    __tablename__ = "message_templates"
    __table_args__ = (sa.UniqueConstraint("kind", "channel", "language"),)

    kind: Mapped[str]
    channel: Mapped[Channel] = mapped_column(named_enum(Channel))
    language: Mapped[str] = mapped_column(default="en")
    subject: Mapped[str] = mapped_column(default="")
    body: Mapped[str]


class SendingState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"


class SendingRun(Versioned, Base):
    """Many invoices on their way to their customers, one item each, sent once."""

    __tablename__ = "sending_runs"

    state: Mapped[SendingState] = mapped_column(
        named_enum(SendingState), default=SendingState.WAITING, index=True
    )
    again: Mapped[bool] = mapped_column(default=False)  # also those that were sent before
    with_photos: Mapped[bool] = mapped_column(default=False)
    rows_total: Mapped[int] = mapped_column(default=0)
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    started_by: Mapped[User | None] = relationship()


class SendingItemState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"  # its message is in the outbox
    TO_PRINT = "to_print"
    REFUSED = "refused"


IS_TO_PRINT = sa.text("sending_items.state = 'to_print' AND sending_items.printed_at IS NULL")


class SendingItem(Base):
    """One invoice of a sending, and what became of it; a printed one has its day."""

    __tablename__ = "sending_items"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "invoice_id"),
        sa.Index(None, "run_id", "state", "id"),
        sa.Index(
            "ix_sending_items_to_print",
            "invoice_id",
            sqlite_where=sa.text("state = 'to_print' AND printed_at IS NULL"),
            postgresql_where=sa.text("state = 'to_print' AND printed_at IS NULL"),
        ),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("sending_runs.id"))
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"))
    state: Mapped[SendingItemState] = mapped_column(
        named_enum(SendingItemState), default=SendingItemState.WAITING
    )
    sentence: Mapped[str] = mapped_column(default="")
    printed_at: Mapped[datetime | None]

    run: Mapped[SendingRun] = relationship()
    invoice: Mapped[Invoice] = relationship()


class SendingMoment(StrEnum):
    COMPLETION = "completion"
    POSTING = "posting"


class AutoSendRule(Versioned, Base):
    """Send by itself what the rule names; empty fields match everything."""

    __tablename__ = "auto_send_rules"

    name: Mapped[str] = mapped_column(unique=True)
    moment: Mapped[SendingMoment] = mapped_column(named_enum(SendingMoment))
    job_type: Mapped[str] = mapped_column(default="")
    business_unit_id: Mapped[int | None] = mapped_column(sa.ForeignKey("business_units.id"))
    active: Mapped[bool] = mapped_column(default=True)

    business_unit: Mapped[BusinessUnit | None] = relationship()
