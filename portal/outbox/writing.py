"""Queueing a message in the transaction that causes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import Base, db, insert_once
from portal.kernel import clock
from portal.kernel.addresses import normal_email, normal_mobile
from portal.kernel.errors import InvalidFields
from portal.kernel.money import Money
from portal.models import Channel, Message, MessageAttachment, MessageState
from portal.tasks import wake


@dataclass(frozen=True)
class Attachment:
    """A document to render when sending: its registered kind, id and file name."""

    document_kind: str
    document_id: int
    filename: str


@dataclass(frozen=True)
class Says:
    """What a message says of the document it is about, to know later whether that still holds."""

    number: str
    total: Money


def write_message(
    *,
    kind: str,
    recipient: str,
    subject: str,
    body: str,
    dedupe_key: str,
    html: str = "",
    language: str = "en",
    channel: Channel = Channel.EMAIL,
    cc: Sequence[str] = (),
    about: Base | None = None,
    customer_id: int | None = None,
    sending_item_id: int | None = None,
    attachments: Sequence[Attachment] = (),
    says: Says | None = None,
) -> Message | None:
    """Queue one email or text; None when the same dedupe_key was written before.

    Raises InvalidFields for a recipient, copy or subject that cannot stand in a mail header. An
    address no mail server would take is kept as failed with the reason: a receipt that cannot
    be mailed must not refuse the payment.
    """
    _require_heading(channel, recipient, subject, cc)
    if db.session.scalar(sa.select(Message.id).where(Message.dedupe_key == dedupe_key)):
        return None
    message = Message(
        kind=kind,
        channel=channel,
        recipient=recipient,
        cc=", ".join(cc),
        subject=subject,
        body=body,
        html=html,
        language=language,
        dedupe_key=dedupe_key,
        subject_kind=type(about).__name__.lower() if about else "",
        subject_id=about.id if about else None,
        customer_id=customer_id,
        sending_item_id=sending_item_id,
        next_attempt_at=clock.now(),
        says_number=says.number if says else None,
        says_total=says.total if says else None,
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
        normal_mobile(recipient) if channel is Channel.SMS else normal_email(recipient)
    except ValueError as misfit:
        message.state, message.last_error = MessageState.FAILED, str(misfit)
    if not insert_once(message):
        return None
    if message.state is not MessageState.FAILED:
        wake("message" if channel is Channel.EMAIL else "text", message.id)
    return message


def _require_heading(channel: Channel, recipient: str, subject: str, cc: Sequence[str]) -> None:
    if any(char in "".join([recipient, subject, *cc]) for char in "\r\n"):
        raise InvalidFields({"recipient": "An address or subject cannot contain line breaks."})
    if channel is Channel.EMAIL and "@" not in recipient:
        raise InvalidFields({"recipient": "There is no email address to send this to."})
    for address in cc:
        try:
            normal_email(address)
        except ValueError as misfit:
            raise InvalidFields({"cc": f"{address}: {misfit}"}) from None
