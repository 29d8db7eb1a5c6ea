"""Delivering text messages: a text whose fate is unknown is never sent again by itself."""

from __future__ import annotations

from portal.db import db
from portal.kernel.addresses import normal_mobile
from portal.kernel.errors import OutsideFailure
from portal.models import Message, MessageState
from portal.outbox.objecting import objection_to
from portal.outbox.outcomes import finish, give_up, hold_back, in_words, put_off
from portal.outbox.text_gateway import text_gateway
from portal.outbox.text_records import OutcomeUnknown, Text
from portal.tasks import lease

WAITING = (MessageState.WAITING, MessageState.SENDING)
UNKNOWN = (
    "It is not known whether this text left ({why}). Ask the customer or look at the gateway's "
    "list before you send it again."
)


def deliver_text(message_id: int) -> None:
    """Send one text if it waits; safe to call twice and after a crash.

    The row says “sending” before the words leave, so a worker that finds it so after a crash
    knows that it may have left, and leaves it to a person.
    """
    if not lease(Message, message_id, states=WAITING):
        db.session.rollback()
        return
    db.session.commit()
    message = db.session.get_one(Message, message_id, populate_existing=True)
    if message.state is MessageState.SENDING:
        give_up(message, UNKNOWN.format(why="the worker stopped in the middle"))
        return
    if (objection := objection_to(message)) is not None:
        hold_back(message, objection.sentence, objection.until)
        return
    gateway = text_gateway()
    message.state = MessageState.SENDING
    db.session.commit()
    try:
        text = Text(normal_mobile(message.recipient), message.body, f"message-{message.id}")
        db.session.rollback()  # nothing is open while we talk to the gateway
        taken = gateway.send(text)
    except OutcomeUnknown as lost:
        give_up(db.session.get_one(Message, message_id), UNKNOWN.format(why=lost))
    except (OutsideFailure, ValueError) as failure:
        put_off(db.session.get_one(Message, message_id), _certain(failure))
    except Exception as failure:
        db.session.rollback()
        give_up(db.session.get_one(Message, message_id), UNKNOWN.format(why=in_words(failure)))
        raise
    else:
        state = MessageState.KEPT if gateway.keeps else MessageState.SENT
        finish(db.session.get_one(Message, message_id), state, outside_ref=taken.reference)


def _certain(failure: Exception) -> OutsideFailure:
    if isinstance(failure, OutsideFailure):
        return failure
    return OutsideFailure(str(failure), permanent=True)
