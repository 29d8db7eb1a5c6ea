"""The words of messages people may edit: the house's own in templates/messages, or theirs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa

from portal.audit import record
from portal.db import bump, db
from portal.kernel.errors import InvalidFields
from portal.models import Channel, MessageTemplate
from portal.outbox.placeholders import misplaced
from portal.settings import ROOT

LANGUAGES = ("en", "es", "fr")
KINDS = (
    "invoice", "credit_note", "receipt", "payment_came_back", "payment_method",
    "autopay_notice", "charge_failed",
    "plan_proposed", "plan_accepted", "plan_declined", "plan_reminder", "plan_missed",
    "plan_withdrawn", "plan_broken", "plan_kept",
    "reminder_courtesy", "reminder_friendly", "reminder_firm", "reminder_final",
)  # fmt: skip
TEXTED = {  # the others go by mail only
    "invoice", "credit_note", "receipt",
    "reminder_courtesy", "reminder_friendly", "reminder_firm", "reminder_final",
}  # fmt: skip
# Every text that is really sent.
OFFERED = tuple(
    (kind, channel)
    for kind in KINDS
    for channel in Channel
    if channel is Channel.EMAIL or kind in TEXTED
)
LONGEST = {Channel.EMAIL: 20_000, Channel.SMS: 1_000}
LONGEST_SUBJECT = 200


@dataclass(frozen=True)
class Words:
    """A message before its placeholders are filled; a text message has no subject."""

    subject: str
    body: str


def words_for(kind: str, channel: Channel, language: str) -> Words:
    """What is written for this kind: the company's own words if there are any."""
    own = own_words(kind, channel, spoken(language))
    return Words(own.subject, own.body) if own else house_words(kind, channel, spoken(language))


def own_words(kind: str, channel: Channel, language: str) -> MessageTemplate | None:
    """The row with the company's own words, if it edited them."""
    return db.session.scalar(
        sa.select(MessageTemplate).where(
            MessageTemplate.kind == kind,
            MessageTemplate.channel == channel,
            MessageTemplate.language == language,
        )
    )


def edited_words() -> set[tuple[str, Channel, str]]:
    """(kind, channel, language) of every message the company has its own words for."""
    columns = (MessageTemplate.kind, MessageTemplate.channel, MessageTemplate.language)
    return {(kind, channel, language) for kind, channel, language in
            db.session.execute(sa.select(*columns))}  # fmt: skip


@cache
def house_words(kind: str, channel: Channel, language: str) -> Words:
    """The built-in words: a mail's file begins with its subject and an empty line."""
    folder = ROOT / "templates" / "messages"
    text = (folder / f"{kind}.{channel.value}.{language}.txt").read_text("utf-8").strip()
    if channel is Channel.SMS:
        return Words("", text)
    subject, _, body = text.partition("\n\n")
    return Words(subject, body)


def spoken(language: str) -> str:
    """A language we have words in: the one asked for, else English."""
    return language if language in LANGUAGES else "en"


def save_words(
    kind: str, channel: Channel, language: str, words: Words, *, version: int
) -> MessageTemplate:
    """Keep the company's own words; `version` is 0 where there were none yet.

    Raises InvalidFields for empty, too long or unknown words, Conflict on an old version.
    """
    words = check_words(kind, channel, words)
    row = own_words(kind, channel, language)
    if row is None:
        row = MessageTemplate(kind=kind, channel=channel, language=language)
        db.session.add(row)
    else:
        bump(row, version)
    before = [row.subject or "", row.body or ""]
    row.subject, row.body = words.subject, words.body
    if before != [row.subject, row.body]:
        changes = {"words": [before, [row.subject, row.body]]}
        record("changed", row, f"The words of {_called(kind, channel, language)} changed.", changes)
    return row


def forget_words(kind: str, channel: Channel, language: str, *, version: int) -> bool:
    """Use the house's words again; False when they were never changed.

    The trail keeps the words that are given up. Raises Conflict on an old version.
    """
    row = own_words(kind, channel, language)
    if row is None:
        return False
    bump(row, version)
    house = house_words(kind, channel, language)
    changes = {"words": [[row.subject or "", row.body or ""], [house.subject, house.body]]}
    called = _called(kind, channel, language)
    record("reset", row, f"The house's words are used again for {called}.", changes)
    db.session.delete(row)
    return True


def check_words(kind: str, channel: Channel, words: Words) -> Words:
    """The words as they are kept; InvalidFields with a sentence beside what is wrong."""
    errors = {}
    typed = words.subject if channel is Channel.EMAIL else ""
    subject = " ".join(typed.replace("\0", "").split())
    body = words.body.replace("\0", "").replace("\r\n", "\n").strip()
    if channel is Channel.EMAIL and not subject:
        errors["subject"] = "Give the mail a subject."
    if len(subject) > LONGEST_SUBJECT:
        errors["subject"] = f"A subject has at most {LONGEST_SUBJECT} characters."
    if not body:
        errors["body"] = "Write something."
    elif len(body) > LONGEST[channel]:
        errors["body"] = f"This is too long: at most {LONGEST[channel]} characters."
    for name, text in (("subject", subject), ("body", body)):
        if sentence := misplaced(kind, text):
            errors[name] = sentence
    if errors:
        raise InvalidFields(errors)
    return Words(subject, body)


def _called(kind: str, channel: Channel, language: str) -> str:
    medium = "text message" if channel is Channel.SMS else "mail"
    return f"the {kind.replace('_', ' ')} {medium} ({language})"
