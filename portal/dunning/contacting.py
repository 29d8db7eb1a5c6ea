"""The log of contacts: calls and letters by people, messages by themselves; wishes not to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.audit import record
from portal.db import Page, PageRequest, db, insert_once, lock_rows, paginate
from portal.dunning.guarding import WORDS
from portal.dunning.reaching import REMINDER, Address, addresses_of, permission
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, NeedsConfirmation
from portal.models import (
    DUNNING_STEP,
    Channel,
    ContactAttempt,
    ContactOutcome,
    ContactWay,
    Customer,
    DunningCase,
    DunningStep,
    MessageState,
    OptOut,
    StageAction,
    StepState,
    User,
)
from portal.outbox import MessageSent

OUTCOMES_OF_CALLS = (
    ContactOutcome.SPOKE,
    ContactOutcome.LEFT_MESSAGE,
    ContactOutcome.NO_ANSWER,
    ContactOutcome.WRONG_NUMBER,
    ContactOutcome.REFUSED,
)


@dataclass(frozen=True)
class ContactWords:
    """A contact as logged by a person; `number` names one of the customer's addresses."""

    way: ContactWay = ContactWay.CALL
    outcome: ContactOutcome = ContactOutcome.SPOKE
    note: str = ""
    address: str = ""
    inbound: bool = False


def log_contact(
    case: DunningCase, words: ContactWords, *, by: User, confirmed: bool = False
) -> ContactAttempt:
    """Keep what was tried and what became of it; the stage that asked for it is done by it.

    It is a record of what happened, so it is kept also where the guard rails said no; then it
    has to be confirmed (NeedsConfirmation "guard"). InvalidFields for an outcome that does not
    fit the way.
    """
    _check(words)
    customer = case.customer
    lock_rows(DunningCase, [case.id])
    address = _chosen(customer, words)
    if not words.inbound and not confirmed:
        answer = permission(customer, address)
        if not answer.allowed:
            raise NeedsConfirmation(
                f"The guard rails speak against it: {answer.sentence} Log it all the same?",
                code="guard",
            )
    attempt = ContactAttempt(
        customer_id=customer.id,
        case_id=case.id,
        contact_id=address.contact.id if address.contact else None,
        way=words.way,
        inbound=words.inbound,
        at=clock.now(),
        address=address.value,
        outcome=ContactOutcome.ANSWERED if words.inbound else words.outcome,
        note=words.note.strip(),
        user_id=by.id,
    )
    db.session.add(attempt)
    db.session.flush()
    _finish_steps(case, words.way)
    record("contacted", case, f"{in_words(attempt)}{_note(attempt)}")
    return attempt


def note_message(event: MessageSent) -> None:
    """A reminder left the house: it counts as a contact from now on; once per message.

    What is only kept in the outbox reached nobody and counts not.
    """
    message = event.message
    if message.kind != REMINDER or message.state is not MessageState.SENT:
        return
    step = db.session.scalar(sa.select(DunningStep).where(DunningStep.id == message.subject_id))
    if message.customer_id is None:
        return
    way = ContactWay.SMS if message.channel is Channel.SMS else ContactWay.EMAIL
    insert_once(
        ContactAttempt(
            customer_id=message.customer_id,
            case_id=step.case_id if step else None,
            way=way,
            at=message.sent_at or clock.now(),
            address=message.recipient,
            outcome=ContactOutcome.SENT,
            message_id=message.id,
        )
    )


def contacts_with(customer_id: int, page: PageRequest) -> Page[ContactAttempt]:
    """Every contact with the customer, newest first."""
    query = sa.select(ContactAttempt).where(ContactAttempt.customer_id == customer_id)
    return paginate(query, page, sorts={"at": ContactAttempt.at}, default="-at")


def opt_out(
    way: ContactWay, *, because: str, customer: Customer | None = None, address: str = ""
) -> bool:
    """From now on nobody reaches this customer, or this address, that way; False when known."""
    row = OptOut(
        customer_id=customer.id if customer else None, way=way, address=address,
        since=clock.now(), because=because.strip(),
    )  # fmt: skip
    if not insert_once(row):
        return False
    if customer is not None:
        where = f" at {address}" if address else ""
        record("opted out", customer, f"No {WORDS[way]}{where} any more: {because.strip()}")
    return True


def opt_in(opt: OptOut, *, because: str) -> None:
    """The wish was taken back; InvalidFields without a reason."""
    if not because.strip():
        raise InvalidFields({"because": "Say who took it back, and when."})
    lock_rows(OptOut, [opt.id])
    if opt.ended_at is not None:
        return
    opt.ended_at, opt.ended_because = clock.now(), because.strip()
    if opt.customer is not None:
        where = f" at {opt.address}" if opt.address else ""
        record("opted in", opt.customer, f"{WORDS[opt.way].capitalize()}{where} again: {because}")


def opt_outs_of(customer: Customer) -> list[OptOut]:
    """What binds the customer now: their own wishes and those of their addresses."""
    mine = [one.value for way in ContactWay for one in addresses_of(customer, way)]
    query = sa.select(OptOut).where(
        OptOut.ended_at.is_(None),
        sa.or_(OptOut.customer_id == customer.id, OptOut.address.in_(mine)),
    )
    return list(db.session.scalars(query.order_by(OptOut.id)))


def last_contact_at(customer_id: int) -> datetime | None:
    return db.session.scalar(
        sa.select(sa.func.max(ContactAttempt.at)).where(ContactAttempt.customer_id == customer_id)
    )


def in_words(attempt: ContactAttempt) -> str:
    """What happened, for the timeline."""
    if attempt.inbound:
        return "The customer called." if attempt.way is ContactWay.CALL else "The customer wrote."
    outcome = str(attempt.outcome).replace("_", " ")
    what = {
        ContactWay.CALL: "Called",
        ContactWay.EMAIL: "Emailed",
        ContactWay.SMS: "Texted",
        ContactWay.LETTER: "Wrote a letter",
    }[attempt.way]
    to = f" {attempt.address}" if attempt.address else ""
    return f"{what}{to}: {outcome}."


def _note(attempt: ContactAttempt) -> str:
    return f" {attempt.note}" if attempt.note else ""


def _check(words: ContactWords) -> None:
    fits = words.inbound or (words.outcome in OUTCOMES_OF_CALLS) == (words.way is ContactWay.CALL)
    if not fits:
        raise InvalidFields({"outcome": "This outcome does not fit the way of contact."})


def _chosen(customer: Customer, words: ContactWords) -> Address:
    known = addresses_of(customer, words.way)
    named = next((one for one in known if one.value == words.address), None)
    return named or (known[0] if known and not words.address else Address(words.way, words.address))


def _finish_steps(case: DunningCase, way: ContactWay) -> None:
    """A call made is the call that was to be made."""
    wanted = {ContactWay.CALL: StageAction.CALL, ContactWay.LETTER: StageAction.LETTER}.get(way)
    for step in case.steps:
        if step.state is StepState.TO_DO and step.stage.action is wanted:
            step.state = DUNNING_STEP.after(step.state, "do")
            step.done_at, step.sentence = clock.now(), "A person did it."
