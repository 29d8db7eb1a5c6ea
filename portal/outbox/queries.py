"""Reading the outbox."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from flask import current_app

from portal.db import Page, PageRequest, db, holds, holds_code, paginate
from portal.kernel.errors import NotFound
from portal.models import Message, MessageAttachment, MessageState
from portal.settings import Settings


@dataclass(frozen=True)
class MessageFilter:
    """What the outbox is narrowed to."""

    q: str = ""
    state: MessageState | None = None
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
    if wanted.customer_id:
        query = query.where(Message.customer_id == wanted.customer_id)
    return paginate(query, page, sorts={"written": Message.id}, default="-written")


def get_message(message_id: int) -> Message:
    """One message; NotFound otherwise."""
    message = db.session.get(Message, message_id)
    if message is None:
        raise NotFound("No such message.")
    return message


def attachment_bytes(attachment: MessageAttachment) -> bytes:
    """The document that goes along, rendered by whoever registered its kind."""
    render = current_app.extensions["document renderers"][attachment.document_kind]
    rendered: bytes = render(attachment.document_id)
    return rendered


def mail_is_kept() -> bool:
    """Whether messages stay here because no mail server is set up; say so instead of “sent”."""
    settings: Settings = current_app.config["SETTINGS"]
    return not settings.smtp_url
