"""Delivering messages: the worker's side of the outbox."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import sqlalchemy as sa
from flask import current_app

from portal.audit import record
from portal.company import company
from portal.db import db, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.events import Event, tell
from portal.models import Message, MessageState
from portal.outbox.queries import attachment_bytes, mail_is_kept
from portal.outbox.sign_in_links import TOO_LATE, is_too_late, with_links
from portal.outbox.smtp import send_mail
from portal.settings import Settings
from portal.tasks import lease, wake

RETRY_MINUTES = (1, 5, 30, 120, 360, 720, 1440)
WAITING = (MessageState.WAITING, MessageState.SENDING)


@dataclass(frozen=True)
class MessageSent(Event):
    """A message left, or was kept because no mail server is configured."""

    message: Message


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
    if mail_is_kept():
        _finish(message, MessageState.KEPT)
        return
    if is_too_late(message):
        _put_off(message, OutsideFailure(TOO_LATE, permanent=True))
        return
    db.session.rollback()
    try:
        with reading():  # printing attachments takes long and must not keep writers waiting
            mail = build_mail(db.session.get_one(Message, message_id), settings)
            db.session.rollback()  # nothing is open while we talk to the server
        send_mail(settings.smtp_url, mail)
    except Exception as failure:  # whatever it is, it must not be tried for ever unseen
        db.session.rollback()
        _put_off(db.session.get_one(Message, message_id), failure)
        if not isinstance(failure, OutsideFailure | DomainError):
            raise
    else:
        _finish(db.session.get_one(Message, message_id), MessageState.SENT)


def waiting_messages() -> Iterable[int]:
    """Messages whose time has come and that nobody holds."""
    now = clock.now()
    return db.session.scalars(
        sa.select(Message.id)
        .where(
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
    if message.state not in (MessageState.FAILED, MessageState.KEPT, MessageState.WAITING):
        raise DomainError("This message was already sent.")
    message.state, message.attempts = MessageState.WAITING, 0
    message.next_attempt_at, message.claimed_until = clock.now(), None
    record("retried", message, f"Sending “{message.subject}” is tried again.")
    wake("message", message.id)


def build_mail(message: Message, settings: Settings) -> EmailMessage:
    """The mail as it goes over the wire: text, HTML and attachments."""
    sender = settings.mail_from or company().email or "billing@localhost"
    mail = EmailMessage()
    mail["From"] = f'"{_plain(company().name)}" <{sender}>'
    mail["To"] = message.recipient
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


def _plain(name: str) -> str:
    return "".join(char for char in name if char.isprintable() and char not in '"\\')


def _finish(message: Message, state: MessageState) -> None:
    message.state, message.claimed_until, message.last_error = state, None, ""
    message.sent_at = clock.now() if state is MessageState.SENT else None
    tell(MessageSent(message))
    db.session.commit()


def _put_off(message: Message, failure: Exception) -> None:
    message.attempts += 1
    message.last_error = _in_words(failure)
    message.claimed_until = None
    permanent = isinstance(failure, OutsideFailure) and failure.permanent
    if permanent or message.attempts > len(RETRY_MINUTES):
        message.state = MessageState.FAILED
    else:
        wait = timedelta(minutes=RETRY_MINUTES[message.attempts - 1])
        message.next_attempt_at = clock.now() + wait
    db.session.commit()


def _in_words(failure: Exception) -> str:
    if isinstance(failure, OutsideFailure | DomainError):
        return str(failure)[:500]
    return f"This message could not be made ready ({type(failure).__name__}: {failure})."[:500]
