"""Reading the outbox."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from portal.db import Base, Page, PageRequest, db, holds, holds_code, paginate
from portal.kernel.errors import NotFound
from portal.models import Channel, Message, MessageAttachment, MessageState
from portal.settings import Settings


@dataclass(frozen=True)
class MessageFilter:
    """What the outbox is narrowed to."""

    q: str = ""
    state: MessageState | None = None
    channel: Channel | None = None
    bounced: bool | None = None
    customer_id: int | None = None


def find_messages(wanted: MessageFilter, page: PageRequest) -> Page[Message]:
    query = sa.select(Message)
    if wanted.q.strip():
        query = query.where(
            sa.or_(
                holds_code(Message.recipient, wanted.q),
                holds(Message.subject, wanted.q),
            )
        )
    if wanted.state:
        query = query.where(Message.state == wanted.state)
    if wanted.channel:
        query = query.where(Message.channel == wanted.channel)
    if wanted.bounced is not None:
        came_back = Message.bounced_at.is_not(None)
        query = query.where(came_back if wanted.bounced else ~came_back)
    if wanted.customer_id:
        query = query.where(Message.customer_id == wanted.customer_id)
    return paginate(query, page, sorts={"written": Message.id}, default="-written")


def get_message(message_id: int) -> Message:
    """One message; NotFound otherwise."""
    message = db.session.get(Message, message_id)
    if message is None:
        raise NotFound("No such message.")
    return message


def messages_about(row: Base) -> list[Message]:
    """Every message about one record, newest first."""
    query = sa.select(Message).where(
        Message.subject_kind == type(row).__name__.lower(), Message.subject_id == row.id
    )
    return list(db.session.scalars(query.order_by(Message.id.desc()).limit(100)))


def attachment_bytes(attachment: MessageAttachment) -> bytes:
    """The document that goes along, rendered by whoever registered its kind."""
    render = current_app.extensions["document renderers"][attachment.document_kind]
    rendered: bytes = render(attachment.document_id)
    return rendered


def mail_is_kept() -> bool:
    """Whether messages stay here because no mail server is set up; say so instead of “sent”."""
    settings: Settings = current_app.config["SETTINGS"]
    return not settings.smtp_url
