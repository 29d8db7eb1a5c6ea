"""Carrying out one step: a reminder by email or text with a link to pay, once, if it may be.

Everything is asked again here and once more when the message leaves (`objection_to_reminder`):
between the plan and the sending somebody may have paid, disputed, promised or opted out.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from portal.audit import record
from portal.company import company, format_day, format_money, today
from portal.db import db, in_transaction, lock_rows
from portal.dunning.cases import account_of, look_around
from portal.dunning.open_items import OpenItem
from portal.dunning.reaching import REMINDER, Address, addresses_of, permission, why_unreachable
from portal.dunning.rules import dunning_rules
from portal.dunning.stopping import why_wait
from portal.invoices import get_invoice, guest_link, portal_url
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.models import (
    DUNNING_STEP,
    CaseState,
    Channel,
    ContactWay,
    Customer,
    DunningCase,
    DunningStage,
    DunningStep,
    Message,
    StepState,
)
from portal.outbox import (
    Letter,
    Objection,
    Values,
    locale_of,
    mail_is_kept,
    spoken,
    texts_are_kept,
    words_for,
    write_letter,
    write_message,
)
from portal.tasks import lease

HOW_TO_STOP = {
    "en": "To get no more reminders by email, answer this mail with STOP.",
    "es": "Para no recibir más recordatorios por correo, responda a este mensaje con STOP.",
    "fr": "Pour ne plus recevoir de rappels par courriel, répondez STOP à ce message.",
}
STOP_TEXTS = {
    "en": "Reply STOP to opt out.",
    "es": "Responda STOP para no recibir más.",
    "fr": "Répondez STOP pour ne plus en recevoir.",
}
ITEM = {
    "en": "{number}, due {day}: {amount}",
    "es": "{number}, vence el {day}: {amount}",
    "fr": "{number}, échéance {day} : {amount}",
}
MOST_LISTED = 20


def look_at_step(step_id: int) -> None:
    """Carry out a step that waits; safe to call twice, by two workers, and after a crash.

    One transaction holds the case: the message and the step's outcome are there together.
    """
    if not lease(DunningStep, step_id, states=(StepState.WAITING,)):
        db.session.rollback()
        return
    db.session.commit()
    in_transaction(lambda: _carry_out(step_id))


def send_now(step: DunningStep) -> None:
    """A person sends a stage that waits for one; DomainError with the reason why it may not be.

    The same checks as by itself: nobody talks the guard rails over.
    """
    lock_rows(DunningCase, [step.case_id])
    db.session.refresh(step)
    way = _way(step.stage)
    if way is None or step.state is not StepState.TO_DO:
        raise DomainError("This stage is nothing to send, or is done already.")
    if problem := _problem(step.case):
        raise DomainError(problem)
    allowed, refusal, _until = _reachable(step.case.customer, way)
    if not allowed:
        raise DomainError(refusal)
    _send(step, way, allowed)


def objection_to_reminder(message: Message) -> Objection | None:
    """What speaks against this reminder at the moment it would leave."""
    step = db.session.get(DunningStep, message.subject_id) if message.subject_id else None
    if step is None:
        return Objection("Nobody knows any more what it was about.")
    if step.state is StepState.SKIPPED:
        return Objection(step.sentence)
    if problem := _stopped(step) or _problem(step.case):
        return Objection(problem)
    way = ContactWay.SMS if message.channel is Channel.SMS else ContactWay.EMAIL
    address = Address(way, message.recipient)
    answer = permission(step.case.customer, address, before=message.id)
    return None if answer.allowed else Objection(answer.sentence, answer.next_at)


def reminder_values(
    customer: Customer, items: Sequence[OpenItem], language: str, *, makes_link: bool = True
) -> Values:
    """What the placeholders stand for: everything that may be asked for, oldest first."""
    locale, currency = locale_of(language), company().currency
    total = Money.total(one.chaseable for one in items)
    lines = [
        ITEM[language].format(
            number=one.number,
            day=format_day(one.due_on, locale, "long"),
            amount=format_money(one.chaseable, locale, currency),
        )
        for one in items[:MOST_LISTED]
    ]
    one_link = len(items) == 1
    return {
        "customer_name": customer.name,
        "number": ", ".join(one.number for one in items[:3]) + ("…" if len(items) > 3 else ""),
        "total": total,
        "balance": total,
        "due_date": items[0].due_on,
        "date": today(),
        "pay_link": guest_link(get_invoice(items[0].invoice_id), makes_link=makes_link)
        if one_link
        else portal_url(),
        "portal_link": portal_url(),
        "summary": "\n".join(lines),
        "company_name": company().name,
    }


def letter_of(
    stage: DunningStage, way: ContactWay, customer: Customer, items: Sequence[OpenItem],
    *, makes_link: bool = True,
) -> Letter:  # fmt: skip
    """The reminder as it would leave, in the customer's language."""
    language = spoken(customer.language)
    channel = Channel.SMS if way is ContactWay.SMS else Channel.EMAIL
    words = words_for(f"reminder_{stage.tone}", channel, language)
    notice = (STOP_TEXTS if way is ContactWay.SMS else HOW_TO_STOP)[language]
    values = reminder_values(customer, items, language, makes_link=makes_link)
    return write_letter(words, values, language, notice=notice)


def _carry_out(step_id: int) -> None:
    known = db.session.get_one(DunningStep, step_id)
    lock_rows(DunningCase, [known.case_id])
    step = db.session.get_one(DunningStep, step_id, populate_existing=True)
    step.claimed_until = None
    way = _way(step.stage)
    if step.state is not StepState.WAITING or way is None:
        return
    if step.not_before is not None and step.not_before > clock.now():
        return
    if problem := _stopped(step) or _problem(step.case):
        _end(step, "skip", f"Not sent. {problem}")
        return
    allowed, refusal, until = _reachable(step.case.customer, way)
    if allowed:
        _send(step, way, allowed)
    elif until is not None:
        step.not_before, step.sentence = until, refusal
    else:
        _end(step, "refuse", refusal)


def _stopped(step: DunningStep) -> str:
    """Why a stage that goes out by itself does so no more, although it was planned."""
    if not step.stage.by_itself:
        return ""
    if step.case.state is CaseState.WITH_MANAGER:
        return "The case is with a manager."
    if not dunning_rules().reminders_on:
        return "Reminders were switched off."
    if step.stage.retired or not step.stage.policy.active:
        return "The policy was changed."
    return ""


def _problem(case: DunningCase) -> str:
    """Why the customer is not to be asked now; empty when they may be."""
    if case.closed_on is not None:
        return "The case is over."
    around = look_around([case.customer_id])
    wait = why_wait(account_of(case.customer, around, case), on=around.on)
    return wait.sentence if wait else ""


def _reachable(customer: Customer, way: ContactWay) -> tuple[list[Address], str, datetime | None]:
    """The addresses that may be used now; else the reason, and when to try again."""
    if missing := why_unreachable(customer, way):
        return [], missing, None
    usable = [one for one in addresses_of(customer, way) if not one.problem]
    answers = [(one, permission(customer, one)) for one in usable]
    allowed = [one for one, answer in answers if answer.allowed]
    later = [answer.next_at for _, answer in answers if answer.next_at is not None]
    if way is ContactWay.SMS:
        allowed = allowed[:1]  # each text is an attempt of its own
    return allowed, "" if allowed else answers[0][1].sentence, min(later, default=None)


def _send(step: DunningStep, way: ContactWay, to: Sequence[Address]) -> None:
    case = step.case
    around = look_around([case.customer_id])
    items = [one for one in around.due.get(case.customer_id, []) if one.chaseable]
    if step.stage.days > 0:
        items = [one for one in items if one.is_overdue(around.on)] or items
    letter = letter_of(step.stage, way, case.customer, items)
    language = spoken(case.customer.language)
    for address in to:
        message = write_message(
            kind=REMINDER,
            channel=Channel.SMS if way is ContactWay.SMS else Channel.EMAIL,
            recipient=address.value,
            subject="" if way is ContactWay.SMS else letter.subject,
            body=letter.text,
            html="" if way is ContactWay.SMS else letter.html(language),
            language=language,
            dedupe_key=f"dunning-{case.id}-{step.stage_id}-{address.value}",
            about=step,
            customer_id=case.customer_id,
        )
        if message is not None and step.message_id is None:
            step.message_id = message.id
    kept = texts_are_kept() if way is ContactWay.SMS else mail_is_kept()
    names = ", ".join(one.value for one in to)
    said = f"Kept in the outbox for {names}." if kept else f"On its way to {names}."
    _end(step, "do", said)


def _end(step: DunningStep, verb: str, sentence: str) -> None:
    step.state = DUNNING_STEP.after(step.state, verb)
    step.done_at, step.sentence, step.not_before = clock.now(), sentence, None
    record(verb, step.case, f"“{step.stage.name}”: {sentence}")
    db.session.flush()


def _way(stage: DunningStage) -> ContactWay | None:
    return ContactWay(stage.action) if stage.action in ("email", "sms") else None
