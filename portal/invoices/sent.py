"""Knowing that an invoice was sent, opened or printed."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, note_in_passing
from portal.invoices.wording import named
from portal.kernel import clock
from portal.models import Invoice, Message, MessageState, SentState
from portal.outbox import MessageSent

ABOUT_INVOICES = ("invoice", "credit_note")  # kinds of messages


def mark_sent(event: MessageSent) -> None:
    """A message about an invoice left: the invoice counts as sent; a kept one has not left.

    What the customer has in hand now is what the message says, which was written before: the
    invoice may be another one since. Words older than those that came last change nothing.
    """
    message = event.message
    left = message.state is MessageState.SENT and message.bounced_at is None
    if message.kind not in ABOUT_INVOICES or message.subject_id is None or not left:
        return
    # no new version: a page somebody has open stays good
    mine = sa.update(Invoice).where(Invoice.id == message.subject_id)
    fresh = {"sent_state": SentState.SENT, "sent_at": clock.now(), "opened_at": None}
    newest = sa.or_(Invoice.sent_said_at.is_(None), Invoice.sent_said_at <= message.created_at)
    anew = sa.and_(newest, _says_another(message))
    db.session.execute(
        mine.where(sa.or_(Invoice.sent_state == SentState.NOT_SENT, anew)).values(fresh)
    )
    db.session.execute(
        mine.where(newest).values(
            sent_total=message.says_total,
            sent_number=message.says_number,
            sent_said_at=message.created_at,
        )
    )


def _says_another(message: Message) -> sa.ColumnElement[bool]:
    """Whether the customer had another total, or another number than those of the invoice."""
    if message.says_total is None:  # written before messages kept it
        return sa.false()
    numbers = (Invoice.reference_number, Invoice.document_number, message.says_number)
    same = [Invoice.sent_number == one for one in numbers]
    known = sa.func.coalesce(sa.or_(*same), sa.false())
    return sa.and_(
        Invoice.sent_total.is_not(None), sa.or_(Invoice.sent_total != message.says_total, ~known)
    )


def mark_opened(invoice: Invoice) -> None:
    """The customer looked at it; remembered once, the next look will do when this one cannot."""
    if invoice.sent_state is not SentState.SENT:
        return  # what was never sent cannot have been opened by the customer
    note_in_passing(
        sa.update(Invoice)
        .where(Invoice.id == invoice.id, Invoice.sent_state == SentState.SENT)
        .values(sent_state=SentState.OPENED, opened_at=clock.now())
    )


def mark_mailed(invoice: Invoice) -> None:
    """It was printed and goes by post: the invoice counts as sent from now on."""
    invoice.note_sent(clock.now())
    record("sent", invoice, f"{named(invoice)} was printed to be sent by post.")
