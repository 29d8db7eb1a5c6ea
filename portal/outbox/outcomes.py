"""How a message ends: it left, it is kept, it waits for the next try, or it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.events import Event, tell
from portal.models import Message, MessageState
from portal.outbox.bounces import note_bounce
from portal.outbox.smtp import RecipientRefused

RETRY_MINUTES = (1, 5, 30, 120, 360, 720, 1440)


@dataclass(frozen=True)
class MessageSent(Event):
    """A message left, or was kept because no mail server or text gateway is configured."""

    message: Message


def finish(message: Message, state: MessageState, *, outside_ref: str = "") -> None:
    """Mark it as sent or kept, tell the house, and commit."""
    message.state, message.claimed_until, message.last_error = state, None, ""
    message.outside_ref = outside_ref
    message.sent_at = clock.now() if state is MessageState.SENT else None
    tell(MessageSent(message))
    db.session.commit()


def give_up(message: Message, because: str) -> None:
    """A person must look at it; commits."""
    message.attempts += 1
    message.state, message.last_error = MessageState.FAILED, because[:500]
    message.claimed_until = None
    db.session.commit()


def hold_back(message: Message, because: str, until: datetime | None) -> None:
    """It must not leave now: it waits until then, or is called off for good; commits."""
    message.last_error, message.claimed_until = because[:500], None
    if until is None:
        message.state = MessageState.CALLED_OFF
    else:
        message.next_attempt_at = until
    db.session.commit()


def put_off(message: Message, failure: Exception) -> None:
    """Wait for the next try, up to a week, or stop where trying again cannot help; commits."""
    permanent = isinstance(failure, OutsideFailure) and failure.permanent
    if isinstance(failure, RecipientRefused) and permanent:
        note_bounce(message, str(failure))
    if permanent or message.attempts >= len(RETRY_MINUTES):
        give_up(message, in_words(failure))
        return
    message.attempts += 1
    message.state, message.last_error = MessageState.WAITING, in_words(failure)
    message.claimed_until = None
    message.next_attempt_at = clock.now() + timedelta(minutes=RETRY_MINUTES[message.attempts - 1])
    db.session.commit()


def in_words(failure: Exception) -> str:
    """Why it did not leave, for people."""
    if isinstance(failure, OutsideFailure | DomainError):
        return str(failure)[:500]
    return f"This message could not be made ready ({type(failure).__name__}: {failure})."[:500]
