"""Messages to people, written in the transaction that caused them and sent after it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, named_enum
from portal.kernel.money import Money


class MessageState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    KEPT = "kept"  # no mail server is configured: readable in the outbox
    FAILED = "failed"
    CALLED_OFF = "called_off"  # what it was about changed before it left


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class Message(Base):
    """One email or text. `dedupe_key` makes writing it twice a no-op.

    `cc` holds further addresses, comma-separated. `bounced_at` tells that it came back after a
    mail server had taken it.
    """

    __tablename__ = "messages"
    __table_args__ = (
        sa.Index(
            "ix_messages_waiting",
            "next_attempt_at",
            sqlite_where=sa.text("state IN ('waiting', 'sending')"),
            postgresql_where=sa.text("state IN ('waiting', 'sending')"),
        ),
        sa.Index(None, "subject_kind", "subject_id"),
        sa.Index(
            "ix_messages_outside_ref",
            "outside_ref",
            sqlite_where=sa.text("outside_ref <> ''"),
            postgresql_where=sa.text("outside_ref <> ''"),
        ),
    )

    kind: Mapped[str]
    channel: Mapped[Channel] = mapped_column(named_enum(Channel), default=Channel.EMAIL)
    recipient: Mapped[str]
    cc: Mapped[str] = mapped_column(default="")
    subject: Mapped[str]
    body: Mapped[str]
    html: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    dedupe_key: Mapped[str] = mapped_column(unique=True)
    subject_kind: Mapped[str] = mapped_column(default="")  # e.g. invoice, payment
    subject_id: Mapped[int | None]
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    state: Mapped[MessageState] = mapped_column(
        named_enum(MessageState), default=MessageState.WAITING, index=True
    )
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    last_error: Mapped[str] = mapped_column(default="")
    bounced_at: Mapped[datetime | None]
    bounced_because: Mapped[str] = mapped_column(default="")
    sending_item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sending_items.id"))
    # what the text gateway calls it; its receipts are found by that
    outside_ref: Mapped[str] = mapped_column(default="")
    delivered_at: Mapped[datetime | None]  # the gateway says that it arrived
    # what a message about a document says of it: as it stood when the words were written
    says_total: Mapped[Money | None]
    says_number: Mapped[str | None]

    attachments: Mapped[list[MessageAttachment]] = relationship(order_by="MessageAttachment.id")


class MessageAttachment(Base):
    """A file that goes along, kept as bytes so that what was sent stays known."""

    __tablename__ = "message_attachments"

    message_id: Mapped[int] = mapped_column(sa.ForeignKey("messages.id"), index=True)
    document_kind: Mapped[str]  # which registered document to render when sending
    document_id: Mapped[int]
    filename: Mapped[str]
    file_key: Mapped[str] = mapped_column(default="")  # set once rendered
