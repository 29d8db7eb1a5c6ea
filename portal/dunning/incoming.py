"""Texts people send us: STOP, START and HELP are obeyed at once, everything else is kept."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.company import company
from portal.db import db, insert_once
from portal.dunning.contacting import opt_out
from portal.dunning.running import look_soon
from portal.kernel import clock
from portal.kernel.addresses import normal_mobile
from portal.models import (
    Contact,
    ContactAttempt,
    ContactOutcome,
    ContactWay,
    Customer,
    InboundText,
    OptOut,
)
from portal.outbox import TextCameIn

HELP = "{company}: reminders about your invoices. Reply STOP to opt out. Questions: {phone}"


def take_text(text: TextCameIn) -> str:
    """Keep it once and obey it; returns what to answer, empty for nothing.

    A number that several customers share binds all of them: the number opted out. Unreadable
    senders (short codes) are kept and bind nobody.
    """
    try:
        sender = normal_mobile(text.sender)
    except ValueError:
        sender = text.sender.replace("\0", "")[:40]
    customer = _whose(sender)
    row = InboundText(
        gateway_ref=text.reference, sender=sender, words=text.words.replace("\0", ""),
        meaning=text.meaning, customer_id=customer.id if customer else None,
        received_at=clock.now(),
    )  # fmt: skip
    if not insert_once(row):
        return ""  # the gateway repeats itself
    match text.meaning:
        case "stop":
            opt_out(ContactWay.SMS, because="answered STOP", customer=customer, address=sender)
        case "start":
            _take_back(sender)
        case "help":
            return HELP.format(company=company().name, phone=company().phone or company().email)
        case _:
            _note(row, customer)
    if customer is not None:
        look_soon([customer.id])
    return ""


def _whose(number: str) -> Customer | None:
    """The customer with that mobile: who was contacted at it last, else the first contact."""
    last = db.session.scalar(
        sa.select(ContactAttempt.customer_id)
        .where(ContactAttempt.address == number)
        .order_by(ContactAttempt.at.desc())
        .limit(1)
    )
    if last is not None:
        return db.session.get(Customer, last)
    digits = number.removeprefix("+")[-10:]
    rows = db.session.scalars(
        sa.select(Contact)
        .where(Contact.is_mobile, Contact.phone.contains(digits[-4:]))
        .order_by(Contact.active.desc(), Contact.id)
    )
    for contact in rows:
        try:
            if normal_mobile(contact.phone) == number:
                return contact.customer
        except ValueError:
            continue
    return None


def _take_back(number: str) -> None:
    """START ends what STOP of the same number began."""
    rows = db.session.scalars(
        sa.select(OptOut).where(
            OptOut.address == number, OptOut.way == ContactWay.SMS, OptOut.ended_at.is_(None)
        )
    ).all()
    for row in rows:
        row.ended_at, row.ended_because = clock.now(), "answered START"
        if row.customer is not None:
            record("opted in", row.customer, f"Text messages to {number} are welcome again.")


def _note(row: InboundText, customer: Customer | None) -> None:
    if customer is None:
        return
    db.session.add(
        ContactAttempt(
            customer_id=customer.id, way=ContactWay.SMS, inbound=True, at=row.received_at,
            address=row.sender, outcome=ContactOutcome.ANSWERED, note=row.words[:500],
        )
    )  # fmt: skip
    record("answered", customer, f"Text from {row.sender}: {row.words[:500]}")
