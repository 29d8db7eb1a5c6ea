"""May this customer be contacted now: the guard rails as one plain function, each with its words.

Source: assistants-and-matching.md §5: Regulation F (12 CFR 1006.6, 1006.14: seven attempts in
seven days, seven days after a conversation, 8 to 21 o'clock where the customer is) and the TCPA.
They bind debt collectors; a company that asks for its own money takes them as a safe default.
They are no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from portal.models import ContactWay

LOOKS_AHEAD = timedelta(days=60)
STEPS = 200  # how often one rule's next time may be pushed by another
DISTURBS = frozenset({ContactWay.CALL, ContactWay.SMS, ContactWay.EMAIL})  # a letter wakes nobody
WORDS = {
    ContactWay.CALL: "calls",
    ContactWay.SMS: "text messages",
    ContactWay.EMAIL: "emails",
    ContactWay.LETTER: "letters",
}


@dataclass(frozen=True)
class ContactLimits:
    """How often and when; hours are those of the customer's clocks, `last_hour` excluded."""

    most_attempts: int = 7
    attempt_days: int = 7
    rest_days: int = 7
    first_hour: int = 8
    last_hour: int = 21
    counts_email: bool = False

    @property
    def counted(self) -> frozenset[ContactWay]:
        """What counts as an attempt, and what the limits of attempts and of rest hold back."""
        calls = frozenset({ContactWay.CALL, ContactWay.SMS})
        return calls | {ContactWay.EMAIL} if self.counts_email else calls


@dataclass(frozen=True)
class Touch:
    """One earlier contact, whoever made it; `counts` as an attempt when it went out from us."""

    way: ContactWay
    at: datetime
    conversation: bool = False
    counts: bool = True


@dataclass(frozen=True)
class Reachable:
    """What is known of who is to be reached: clocks, wishes, and what forbids it altogether.

    `zones` are those of the customer's place and of the phone number: all must agree. Never
    empty: the company's own zone where nothing is known.
    """

    zones: frozenset[str]
    opted_out: frozenset[ContactWay] = frozenset()
    only_way: ContactWay | None = None
    bankrupt: bool = False
    represented: str = ""
    ceased: bool = False


@dataclass(frozen=True)
class Permission:
    """The answer: allowed, or which rule says no, why, and when to ask again.

    `next_at` is the first moment at which no rule speaks against it, as far as is known now;
    None when only a person can change that.
    """

    allowed: bool
    rule: str = ""
    sentence: str = ""
    next_at: datetime | None = None


@dataclass(frozen=True)
class _Refusal:
    rule: str
    sentence: str
    until: datetime | None = None


def may_contact(
    way: ContactWay,
    who: Reachable,
    touches: Sequence[Touch],
    limits: ContactLimits,
    *,
    now: datetime,
) -> Permission:
    """Whether one more contact of this way is allowed at `now` (an aware instant).

    The first rule that says no is told: flags, wishes, attempts, rest, hours.
    """
    first = next(_refusals(way, who, touches, limits, now), None)
    if first is None:
        return Permission(True)
    again = _first_moment(way, who, touches, limits, now)
    return Permission(False, first.rule, first.sentence, again)


def _first_moment(
    way: ContactWay,
    who: Reachable,
    touches: Sequence[Touch],
    limits: ContactLimits,
    now: datetime,
) -> datetime | None:
    """Push the moment on until no rule speaks against it; each rule names its own end."""
    at = now
    for _ in range(STEPS):
        refusal = next(_refusals(way, who, touches, limits, at), None)
        if refusal is None:
            return at
        if refusal.until is None or refusal.until > now + LOOKS_AHEAD:
            return None
        at = refusal.until
    return None


def _refusals(
    way: ContactWay,
    who: Reachable,
    touches: Sequence[Touch],
    limits: ContactLimits,
    at: datetime,
) -> Iterator[_Refusal]:
    yield from _flags(who)
    yield from _wishes(way, who)
    if way in limits.counted:
        yield from _attempts(touches, limits, at)
        yield from _rest(touches, limits, at)
    if way in DISTURBS:
        yield from _hours(who, limits, at)


def _flags(who: Reachable) -> Iterator[_Refusal]:
    if who.bankrupt:
        yield _Refusal("bankruptcy", "The customer is bankrupt: nobody may ask them for money.")
    if who.represented:
        yield _Refusal("attorney", f"Only their attorney may be written to: {who.represented}.")
    if who.ceased:
        yield _Refusal("no contact", "The customer must not be contacted any more.")


def _wishes(way: ContactWay, who: Reachable) -> Iterator[_Refusal]:
    if way in who.opted_out:
        yield _Refusal("opted out", f"The customer does not want {WORDS[way]}.")
    if who.only_way not in (None, way) and way is not ContactWay.LETTER:
        wanted = WORDS[who.only_way] if who.only_way else ""
        yield _Refusal("preference", f"The customer wants {wanted} only.")


def _attempts(touches: Sequence[Touch], limits: ContactLimits, at: datetime) -> Iterator[_Refusal]:
    span = timedelta(days=limits.attempt_days)
    tried = [one for one in touches if one.counts and one.way in limits.counted]
    recent = sorted(one.at for one in tried if one.at > at - span)
    if len(recent) >= limits.most_attempts:
        until = recent[-limits.most_attempts] + span if limits.most_attempts else None
        yield _Refusal(
            "attempts",
            f"{len(recent)} attempts within {limits.attempt_days} days; "
            f"at most {limits.most_attempts} are allowed.",
            until,
        )


def _rest(touches: Sequence[Touch], limits: ContactLimits, at: datetime) -> Iterator[_Refusal]:
    span = timedelta(days=limits.rest_days)
    talks = [one.at for one in touches if one.conversation and one.at > at - span]
    if talks:
        yield _Refusal(
            "conversation",
            f"Somebody spoke with them less than {limits.rest_days} days ago.",
            max(talks) + span,
        )


def _hours(who: Reachable, limits: ContactLimits, at: datetime) -> Iterator[_Refusal]:
    opens = [_next_opening(at.astimezone(ZoneInfo(zone)), limits) for zone in sorted(who.zones)]
    until = max((one for one in opens if one is not None), default=None)
    if until is not None:
        hours = f"{limits.first_hour}:00 to {limits.last_hour}:00"
        yield _Refusal("hours", f"Only from {hours} where the customer is.", until)


def _next_opening(local: datetime, limits: ContactLimits) -> datetime | None:
    """When that clock lets us again; None while it does."""
    if limits.first_hour <= local.hour < limits.last_hour:
        return None
    day = local.date() + timedelta(days=1 if local.hour >= limits.last_hour else 0)
    opening = datetime.combine(day, datetime.min.time(), local.tzinfo)
    return opening.replace(hour=limits.first_hour).astimezone(ZoneInfo("UTC"))
