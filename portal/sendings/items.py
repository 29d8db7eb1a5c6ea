"""One invoice of a sending, by the way its customer prefers."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from portal.db import db
from portal.invoices import (
    ABOUT_INVOICES,
    Sending,
    billing_addresses,
    get_invoice,
    mobile_numbers,
    send_invoice,
    send_text,
    sending_problem,
)
from portal.kernel.errors import DomainError
from portal.models import (
    IS_TO_PRINT,
    Delivery,
    Invoice,
    JobPhoto,
    Message,
    MessageState,
    SendingItem,
    SendingItemState,
    SendingRun,
    SentState,
)
from portal.outbox import bounced_addresses, mail_is_kept, texts_are_kept
from portal.sendings.papers import shared_photos

State = SendingItemState
AT_ONCE = 10_000  # values one statement may carry on both engines
log = logging.getLogger("fieldledger.sendings")


def send_item(item: SendingItem, run: SendingRun) -> None:
    """Make its messages or put it on the print list; a refusal is kept with its reason."""
    whence = f"{item.sentence} " if item.sentence else ""
    try:
        with db.session.begin_nested():
            item.state, sentence = _carry_out(item, run)
    except DomainError as refusal:
        item.state, sentence = State.REFUSED, str(refusal)
    except OperationalError:
        raise  # a deadlock: the whole chunk is tried again
    except Exception as failure:  # one that breaks must not hold up the others
        log.exception("invoice %s could not be made ready", item.invoice_id)
        item.state = State.REFUSED
        sentence = f"It could not be made ready ({type(failure).__name__})."
    item.sentence = f"{whence}{sentence}"


def already_sent(invoice: Invoice) -> str | None:
    """Why sending it would be a second time, or None.

    A message that came back does not count, nor what says another total or number than it now.
    """
    rows = _messages_about(invoice)
    if any(state is not MessageState.FAILED and at is None for state, at in rows):
        return "A message about it is in the outbox already."
    waiting = sa.select(SendingItem.id).where(IS_TO_PRINT, SendingItem.invoice_id == invoice.id)
    if db.session.scalar(waiting.limit(1)):
        return "It is on the print list already."
    came_back = any(at is not None for _state, at in rows)
    left = invoice.sent_state is not SentState.NOT_SENT and not invoice.changed_since_sent
    return "It was sent already." if left and not came_back else None


def _messages_about(invoice: Invoice) -> list[tuple[MessageState, datetime | None]]:
    """State and return of what was written about it as it stands; of old ones nobody knows."""
    columns = (Message.state, Message.bounced_at, Message.says_number, Message.says_total)
    rows = db.session.execute(
        sa.select(*columns).where(
            Message.subject_kind == "invoice",
            Message.subject_id == invoice.id,
            Message.kind.in_(ABOUT_INVOICES),
        )
    )
    return [
        (state, bounced_at)
        for state, bounced_at, number, total in rows
        if invoice.still_says(number, total) or (total is None and not invoice.changed_since_sent)
    ]


def sent_marks(ids: Collection[int]) -> dict[int, str]:
    """What went out about each so far, as a mark that changes with the next letter of anybody.

    Empty for what never left the house. Three statements for each ten thousand.
    """
    marks: dict[int, str] = {}
    wanted = list(ids)
    for start in range(0, len(wanted), AT_ONCE):
        marks |= _marks(wanted[start : start + AT_ONCE])
    return marks


def _marks(ids: Sequence[int]) -> dict[int, str]:
    on_its_way = sa.select(SendingItem.invoice_id, sa.func.max(SendingItem.id)).where(
        SendingItem.invoice_id.in_(ids), SendingItem.state != State.REFUSED
    )
    message = sa.select(Message.subject_id, sa.func.max(Message.id)).where(
        Message.subject_kind == "invoice",
        Message.subject_id.in_(ids),
        Message.kind.in_(ABOUT_INVOICES),
    )
    by_hand = sa.select(Invoice.id).where(
        Invoice.id.in_(ids), Invoice.sent_state != SentState.NOT_SENT
    )
    items = dict(db.session.execute(on_its_way.group_by(SendingItem.invoice_id)).all())
    written: dict[int | None, int] = dict(
        db.session.execute(message.group_by(Message.subject_id)).all()
    )
    marks = dict.fromkeys(ids, "") | dict.fromkeys(db.session.scalars(by_hand), "by hand")
    for one in ids:
        if one in items or one in written:
            marks[one] = f"{written.get(one, '')}-{items.get(one, '')}"
    return marks


def _carry_out(item: SendingItem, run: SendingRun) -> tuple[State, str]:
    invoice = get_invoice(item.invoice_id)
    if problem := sending_problem(invoice):
        raise DomainError(problem)
    if not run.again and (seen := already_sent(invoice)):
        raise DomainError(seen)
    photos = shared_photos(invoice) if run.with_photos else []
    match invoice.customer.delivery:
        case Delivery.MAIL:
            return State.TO_PRINT, "By post: it is on the print list."
        case Delivery.SMS:
            return State.QUEUED, _text(invoice, item)
        case Delivery.BOTH if not billing_addresses(invoice):
            return State.TO_PRINT, "By post only: there is no email address."
        case Delivery.BOTH:
            return State.TO_PRINT, f"{_mail(invoice, item, photos)} It is on the print list too."
        case Delivery.EMAIL:
            return State.QUEUED, _mail(invoice, item, photos)


def _mail(invoice: Invoice, item: SendingItem, photos: Sequence[JobPhoto]) -> str:
    addresses = billing_addresses(invoice)
    bounced = bounced_addresses([invoice.customer_id])
    good = [one for one in addresses if one.lower() not in bounced]
    if addresses and not good:
        why = bounced[addresses[0].lower()]
        raise DomainError(f"Mail to {addresses[0]} came back: {why} Correct the address first.")
    how = Sending(to=good, photos=photos, key=f"item-{item.id}", item_id=item.id)
    send_invoice(invoice, how)
    return _where(good, "email", kept=mail_is_kept())


def _text(invoice: Invoice, item: SendingItem) -> str:
    numbers = mobile_numbers(invoice.customer)
    send_text(invoice, Sending(to=numbers, key=f"item-{item.id}", item_id=item.id))
    return _where(numbers, "text message", kept=texts_are_kept())


def _where(recipients: Sequence[str], how: str, *, kept: bool) -> str:
    to = ", ".join(recipients)
    return f"Kept in the outbox for {to}: nothing was sent." if kept else f"By {how} to {to}."
