"""How the company collects: one row of limits, read by everything here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from portal.access import ADMINISTRATOR
from portal.audit import current_actor, record_changes
from portal.db import bump, db, insert_once, is_reading
from portal.dunning.guarding import ContactLimits
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, NotAllowed
from portal.models import DunningRules, User

BOUNDS = {  # field → least and most a form may say
    "most_attempts": (0, 50),
    "attempt_days": (1, 60),
    "rest_days": (0, 60),
    "first_hour": (0, 23),
    "last_hour": (1, 24),
    "days_between": (0, 60),
    "promise_grace_days": (0, 30),
    "control_percent": (0, 50),
    "control_days": (1, 120),
}


@dataclass(frozen=True)
class DunningWords:
    """The rules as typed; hours are the customer's, days calendar days."""

    reminders_on: bool = False
    most_attempts: int = 7
    attempt_days: int = 7
    rest_days: int = 7
    first_hour: int = 8
    last_hour: int = 21
    counts_email: bool = False
    looser_because: str = ""
    days_between: int = 3
    promise_grace_days: int = 2
    control_percent: int = 0
    control_days: int = 30
    sees_assigned_only: bool = False


LAW = DunningWords()


def dunning_rules() -> DunningRules:
    """The one row, made with the house's values on first use; merely looking makes none."""
    rules = db.session.get(DunningRules, 1)
    if rules is None and is_reading():
        return DunningRules(id=1, version=1, looser_by="", **asdict(LAW))
    if rules is None:
        insert_once(DunningRules(id=1))
        rules = db.session.get_one(DunningRules, 1)
    return rules


def contact_limits() -> ContactLimits:
    """The limits as the guard reads them."""
    rules = dunning_rules()
    return ContactLimits(**{one.name: getattr(rules, one.name) for one in fields(ContactLimits)})


def looser_than_law(words: DunningWords) -> list[str]:
    """Which limits allow more than Reg F and the TCPA would, as field names."""
    more = [
        name for name in ("most_attempts", "last_hour") if getattr(words, name) > getattr(LAW, name)
    ]
    less = [
        name
        for name in ("attempt_days", "rest_days", "first_hour")
        if getattr(words, name) < getattr(LAW, name)
    ]
    return more + less


def change_rules(words: DunningWords, *, version: int, by: User | None = None) -> None:
    """Save the rules; Conflict on an old version, InvalidFields names each wrong field.

    Limits looser than the law's need an administrator who says why; NotAllowed for anybody else
    who loosens them. Who did and when is kept until they are as strict as the law again.
    """
    rules = dunning_rules()
    bump(rules, version)
    _check(words)
    looser = looser_than_law(words)
    if any(getattr(words, name) != getattr(rules, name) for name in looser):
        _require_administrator(by)
    if looser and not words.looser_because.strip():
        raise InvalidFields(dict.fromkeys([*looser, "looser_because"], LOOSER))
    before = asdict(_as_words(rules))
    for one in fields(DunningWords):
        value = getattr(words, one.name)
        setattr(rules, one.name, value.strip() if isinstance(value, str) else value)
    if not looser:
        rules.looser_because, rules.looser_by, rules.looser_at = "", "", None
    elif rules.looser_at is None or before["looser_because"] != rules.looser_because:
        rules.looser_by, rules.looser_at = current_actor(), clock.now()
    record_changes(
        rules, "The rules of collections were changed.", before, asdict(_as_words(rules))
    )


LOOSER = "This allows more than the law's default. An administrator says below why."


def _require_administrator(by: User | None) -> None:
    if by is not None and by.role.name != ADMINISTRATOR:
        raise NotAllowed("Only an administrator may set limits looser than the law's defaults.")


def _check(words: DunningWords) -> None:
    errors = {
        name: f"Give a number from {least} to {most}."
        for name, (least, most) in BOUNDS.items()
        if not least <= getattr(words, name) <= most
    }
    if not errors and words.first_hour >= words.last_hour:
        errors["last_hour"] = "The last hour lies after the first."
    if errors:
        raise InvalidFields(errors)


def _as_words(rules: DunningRules) -> DunningWords:
    return DunningWords(**{one.name: getattr(rules, one.name) for one in fields(DunningWords)})
