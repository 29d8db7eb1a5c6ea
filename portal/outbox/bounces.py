"""Mail that came back: noted on the message, told in its record's timeline."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import sqlalchemy as sa

from portal.audit import Happening, record_many
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Channel, Message, MessageState

HOW_LONG_MAIL_TRAVELS = timedelta(days=30)
NOT_LIVE = (MessageState.FAILED,)


def report_bounce(message: Message, because: str) -> None:
    """A person saw that it came back. Raises InvalidFields without a reason, DomainError when
    it never left."""
    if not because.strip():
        raise InvalidFields({"because": "Say what the answer said, e.g. “mailbox unknown”."})
    if message.state is not MessageState.SENT:
        raise DomainError("This message never left, so it cannot have come back.")
    note_bounce(message, because)


def note_bounce(message: Message, because: str, *, address: str = "") -> bool:
    """Remember why it came back; the first reason stays. True when it was news.

    `address` is whose mail came back where the report names one: a copy does not condemn the
    recipient.
    """
    why = because.replace("\0", "").strip()[:500]
    if address and address.strip().lower() != message.recipient.lower():
        return _note_copy(message, address.strip(), why)
    if message.bounced_at is not None:
        return False
    message.bounced_at, message.bounced_because = clock.now(), why
    if message.subject_kind and message.subject_id is not None:
        sentence = f"The message to {message.recipient} came back: {message.bounced_because}"
        record_many([Happening("bounced", message.subject_kind, message.subject_id, sentence)])
    return True


def _note_copy(message: Message, address: str, why: str) -> bool:
    sentence = f"The copy to {address} came back: {why}"[:500]
    if sentence in message.last_error:
        return False
    message.last_error = f"{sentence} {message.last_error}".strip()[:500]
    if message.subject_kind and message.subject_id is not None:
        record_many([Happening("bounced", message.subject_kind, message.subject_id, sentence)])
    return True


def sent_message(message_id: int | None, recipient: str) -> Message | None:
    """What a provider's report is about: the named mail, else the last one to that address.

    Only mail that left within the last 30 days; a report about somebody else's mail finds none.
    """
    address = recipient.strip().lower()
    left = sa.select(Message).where(
        Message.channel == Channel.EMAIL,
        Message.state == MessageState.SENT,
        Message.sent_at >= clock.now() - HOW_LONG_MAIL_TRAVELS,
    )
    if message_id is not None:
        named = db.session.scalar(left.where(Message.id == message_id))
        known = {named.recipient.lower(), *named.cc.lower().split(", ")} if named else set()
        return named if named and (not address or address in known) else None
    query = left.where(sa.func.lower(Message.recipient) == address)
    return db.session.scalar(query.order_by(Message.id.desc()).limit(1)) if address else None


def bounced_addresses(customer_ids: Collection[int]) -> dict[str, str]:
    """Addresses whose last message came back → why. A later one that arrived clears it."""
    query = (
        sa.select(Message.recipient, Message.bounced_at, Message.bounced_because)
        .where(
            Message.customer_id.in_(customer_ids),
            sa.or_(Message.bounced_at.is_not(None), Message.state == MessageState.SENT),
        )
        .order_by(Message.id)
    )
    last = {address.lower(): (at, why) for address, at, why in db.session.execute(query)}
    return {address: why for address, (at, why) in last.items() if at is not None}
