"""Delivering messages: the worker's side of the outbox."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Mapping
from email.message import EmailMessage
from email.utils import format_datetime

import sqlalchemy as sa
from flask import current_app

from portal.audit import record
from portal.company import company
from portal.db import db, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.models import Channel, Message, MessageState
from portal.outbox.bounces import note_bounce
from portal.outbox.objecting import objection_to
from portal.outbox.outcomes import finish, hold_back, put_off
from portal.outbox.queries import attachment_bytes, mail_is_kept
from portal.outbox.sign_in_links import TOO_LATE, is_too_late, with_links
from portal.outbox.smtp import Refusal, send_mail
from portal.outbox.writing import Attachment, write_message
from portal.settings import Settings
from portal.tasks import lease, wake

WAITING = (MessageState.WAITING, MessageState.SENDING)


def deliver(message_id: int) -> None:
    """Send one message if it waits; safe to call twice and after a crash.

    A crash between handing over and marking sends the same Message-ID again, which mail
    systems fold into one. Failures of any kind wait for the next try, up to a week; permanent
    ones stop with the reason.
    """
    if not lease(Message, message_id, states=WAITING):
        db.session.rollback()
        return
    db.session.commit()
    message = db.session.get_one(Message, message_id, populate_existing=True)
    settings: Settings = current_app.config["SETTINGS"]
    if (objection := objection_to(message)) is not None:
        hold_back(message, objection.sentence, objection.until)
        return
    if mail_is_kept():
        finish(message, MessageState.KEPT)
        return
    if is_too_late(message):
        put_off(message, OutsideFailure(TOO_LATE, permanent=True))
        return
    db.session.rollback()
    try:
        with reading():  # printing attachments takes long and must not keep writers waiting
            mail = build_mail(db.session.get_one(Message, message_id), settings)
            db.session.rollback()  # nothing is open while we talk to the server
        refused = send_mail(settings.smtp_url, mail)
    except Exception as failure:  # whatever it is, it must not be tried for ever unseen
        db.session.rollback()
        put_off(db.session.get_one(Message, message_id), failure)
        if not isinstance(failure, OutsideFailure | DomainError):
            raise
    else:
        _finish_sent(db.session.get_one(Message, message_id), refused)


def waiting_messages(channel: Channel = Channel.EMAIL) -> Iterable[int]:
    """Messages whose time has come and that nobody holds."""
    now = clock.now()
    return db.session.scalars(
        sa.select(Message.id)
        .where(
            Message.channel == channel,
            Message.state.in_(WAITING),
            Message.next_attempt_at <= now,
            sa.or_(Message.claimed_until.is_(None), Message.claimed_until <= now),
        )
        .order_by(Message.id)
        .limit(500)
    ).all()


def retry_message(message: Message) -> None:
    """Try a failed or kept message again at once; DomainError while it is being sent."""
    lock_rows(Message, [message.id])
    if message.claimed_until is not None and message.claimed_until > clock.now():
        raise DomainError("This message is being sent right now. Look again in two minutes.")
    if is_too_late(message):
        raise DomainError(TOO_LATE)
    if message.bounced_at is not None and message.state is not MessageState.FAILED:
        raise DomainError("This came back. Correct the address, then send the record again.")
    if message.state is MessageState.CALLED_OFF:
        raise DomainError(f"This message was called off: {message.last_error}")
    if message.state not in (MessageState.FAILED, MessageState.KEPT, MessageState.WAITING):
        raise DomainError("This message was already sent.")
    message.state, message.attempts = MessageState.WAITING, 0
    message.next_attempt_at, message.claimed_until = clock.now(), None
    message.bounced_at, message.bounced_because = None, ""
    title = message.subject or f"the text to {message.recipient}"
    record("retried", message, f"Sending “{title}” is tried again.")
    wake("message" if message.channel is Channel.EMAIL else "text", message.id)


def build_mail(message: Message, settings: Settings) -> EmailMessage:
    """The mail as it goes over the wire: text, HTML and attachments."""
    sender = settings.mail_from or company().email or "billing@localhost"
    mail = EmailMessage()
    mail["From"] = f'"{_plain(company().name)}" <{sender}>'
    mail["To"] = message.recipient
    if message.cc:
        mail["Cc"] = message.cc
    mail["Subject"] = message.subject
    mail["Date"] = format_datetime(message.created_at)
    domain = sender.rpartition("@")[2]
    mail["Message-ID"] = f"<message-{message.id}-{message.created_at:%Y%m%d%H%M%S}@{domain}>"
    mail.set_content(with_links(message, message.body))
    if message.html:
        mail.add_alternative(with_links(message, message.html), subtype="html")
    for attachment in message.attachments:
        kind, _, subtype = (mimetypes.guess_type(attachment.filename)[0] or "a/b").partition("/")
        mail.add_attachment(
            attachment_bytes(attachment),
            maintype=kind if kind != "a" else "application",
            subtype=subtype if kind != "a" else "octet-stream",
            filename=attachment.filename,
        )
    return mail


def waiting_texts() -> Iterable[int]:
    """Text messages whose time has come and that nobody holds."""
    return waiting_messages(Channel.SMS)


def _finish_sent(message: Message, refused: Mapping[str, Refusal]) -> None:
    """It left; an address the server refused while it took the others is noted.

    One that was refused only for now gets a message of its own, tried again as any other.
    """
    problems = []
    for address, refusal in refused.items():
        if refusal.is_for_now:
            _try_alone(message, address)
            problems.append(f"Refused for now, tried again alone. {address}: {refusal}")
        elif address != message.recipient:
            problems.append(f"The copy was refused. {address}: {refusal}")
        elif refusal.condemns:
            note_bounce(message, str(refusal))
        else:
            problems.append(f"The recipient was refused. {address}: {refusal}")
    finish(message, MessageState.SENT)
    if problems:
        message.last_error = " ".join(problems)[:500]
        db.session.commit()


def _try_alone(message: Message, address: str) -> None:
    """The same mail to this address only, once."""
    alone = write_message(
        kind=message.kind,
        recipient=address,
        subject=message.subject,
        body=message.body,
        html=message.html,
        language=message.language,
        dedupe_key=f"{message.dedupe_key}-alone-{address}",
        customer_id=message.customer_id,
        sending_item_id=message.sending_item_id,
        attachments=[
            Attachment(one.document_kind, one.document_id, one.filename)
            for one in message.attachments
        ],
    )
    if alone is not None:  # the same words, and as old
        alone.subject_kind, alone.subject_id = message.subject_kind, message.subject_id
        alone.says_total, alone.says_number = message.says_total, message.says_number
        alone.created_at = message.created_at


def _plain(name: str) -> str:
    return "".join(char for char in name if char.isprintable() and char not in '"\\')
