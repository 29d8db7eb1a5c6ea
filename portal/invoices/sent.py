"""Knowing that an invoice was sent, opened or printed."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, note_in_passing
from portal.invoices.wording import named
from portal.kernel import clock
from portal.models import CHANGED_SINCE_SENT, Invoice, MessageState, SentState
from portal.outbox import MessageSent

ABOUT_INVOICES = ("invoice", "credit_note")  # kinds of messages


def mark_sent(event: MessageSent) -> None:
    """A message about an invoice left: the invoice counts as sent; a kept one has not left."""
    message = event.message
    left = message.state is MessageState.SENT and message.bounced_at is None
    if message.kind not in ABOUT_INVOICES or message.subject_id is None or not left:
        return
    # no new version: a page somebody has open stays good
    mine = sa.update(Invoice).where(Invoice.id == message.subject_id)
    anew = sa.or_(Invoice.sent_state == SentState.NOT_SENT, CHANGED_SINCE_SENT)
    fresh = {"sent_state": SentState.SENT, "sent_at": clock.now(), "opened_at": None}
    db.session.execute(mine.where(anew).values(fresh))
    number = sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
    db.session.execute(mine.values(sent_total=Invoice.total, sent_number=number))


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
