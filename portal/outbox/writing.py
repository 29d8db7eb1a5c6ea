"""Queueing a message in the transaction that causes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import Base, db, insert_once
from portal.kernel import clock
from portal.kernel.addresses import normal_email
from portal.kernel.errors import InvalidFields
from portal.models import Message, MessageAttachment, MessageState
from portal.tasks import wake


@dataclass(frozen=True)
class Attachment:
    """A document to render when sending: its registered kind, id and file name."""

    document_kind: str
    document_id: int
    filename: str


def write_message(
    *,
    kind: str,
    recipient: str,
    subject: str,
    body: str,
    dedupe_key: str,
    html: str = "",
    language: str = "en",
    about: Base | None = None,
    customer_id: int | None = None,
    attachments: Sequence[Attachment] = (),
) -> Message | None:
    """Queue one email; None when the same dedupe_key was written before.

    Raises InvalidFields for a recipient or subject that cannot stand in a mail header. An
    address no mail server would take is kept as failed with the reason: a receipt that cannot
    be mailed must not refuse the payment.
    """
    if any(char in recipient + subject for char in "\r\n"):
        raise InvalidFields({"recipient": "An address or subject cannot contain line breaks."})
    if "@" not in recipient:
        raise InvalidFields({"recipient": "There is no email address to send this to."})
    if db.session.scalar(sa.select(Message.id).where(Message.dedupe_key == dedupe_key)):
        return None
    message = Message(
        kind=kind,
        recipient=recipient,
        subject=subject,
        body=body,
        html=html,
        language=language,
        dedupe_key=dedupe_key,
        subject_kind=type(about).__name__.lower() if about else "",
        subject_id=about.id if about else None,
        customer_id=customer_id,
        next_attempt_at=clock.now(),
        attachments=[
            MessageAttachment(
                document_kind=one.document_kind,
                document_id=one.document_id,
                filename=one.filename,
            )
            for one in attachments
        ],
    )
    try:
        normal_email(recipient)
    except ValueError as misfit:
        message.state, message.last_error = MessageState.FAILED, str(misfit)
    if not insert_once(message):
        return None
    if message.state is not MessageState.FAILED:
        wake("message", message.id)
    return message
