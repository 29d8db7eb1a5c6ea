"""How the company collects: one row that everything of payment collection reads."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from portal.access import ADMINISTRATOR, Ability
from portal.audit import current_actor, record
from portal.db import bump, db, insert_once, is_reading
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, NotAllowed
from portal.kernel.money import ZERO, Money
from portal.models import CollectionRules, User

LONGEST_NOTICE = 30
MOST_RETRIES = 6
LONGEST_PAUSE = 60  # days between two tries
CONSUMER_PAYMENTS = 4  # Reg Z begins with the fifth (assistants-and-matching §5)


@dataclass(frozen=True)
class RuleWords:
    """The rules as typed. `retry_days` is a list such as "3, 5, 7"; days are calendar days."""

    notice_days: int = 3
    retry_days: str = "3,5,7"
    refund_limit: Money | None = None
    plan_most_payments: int = CONSUMER_PAYMENTS
    plan_longest_days: int = 180
    plan_least_amount: Money | None = None
    plan_grace_days: int = 5
    lawful_process: bool = False


def collection_rules() -> CollectionRules:
    """The one row, made with the house's values on first use; merely looking makes none."""
    rules = db.session.get(CollectionRules, 1)
    if rules is None and is_reading():
        return CollectionRules(id=1, version=1, lawful_process_by="", **asdict(RuleWords()))
    if rules is None:
        insert_once(CollectionRules(id=1))
        rules = db.session.get_one(CollectionRules, 1)
    return rules


def retry_days(rules: CollectionRules) -> list[int]:
    """How many days after each failure a charge is tried again; given up after the last."""
    return [int(part) for part in rules.retry_days.split(",") if part]


def change_rules(words: RuleWords, *, version: int, by: User | None = None) -> None:
    """Save the rules; Conflict on an old version, InvalidFields names each wrong field.

    NotAllowed when `by` is no administrator and declares, or takes back, the lawful process;
    when `by` may not approve refunds and raises or clears the limit that asks for approval.

    Declaring the lawful process keeps who did and when; the sentence stands in the audit trail.
    """
    rules = collection_rules()
    if by is not None and by.role.name != ADMINISTRATOR:
        _require_undeclared(words, rules)
    if by is not None and Ability.APPROVE_REFUNDS not in by.role.abilities:
        _require_no_looser(words.refund_limit, rules.refund_limit)
    bump(rules, version)
    proper = _checked(words)
    changes = {}
    for name, new in proper.items():
        old = getattr(rules, name)
        if old != new:
            changes[name] = [_plain(old), _plain(new)]
            setattr(rules, name, new)
    if "lawful_process" in changes:
        rules.lawful_process_by = current_actor() if rules.lawful_process else ""
        rules.lawful_process_at = clock.now() if rules.lawful_process else None
    if changes:
        record("changed", rules, "The rules of payment collection were changed.", changes)


def _require_undeclared(words: RuleWords, rules: CollectionRules) -> None:
    if words.lawful_process != rules.lawful_process:
        raise NotAllowed("Only an administrator can declare the lawful process, or take it back.")


def _require_no_looser(limit: Money | None, before: Money | None) -> None:
    """Whom the limit binds may make it stricter, never looser."""
    if before is not None and (limit is None or limit > before):
        raise NotAllowed("Only who approves refunds can raise their limit, or take it away.")


def _checked(words: RuleWords) -> dict[str, Any]:
    proper = {one.name: getattr(words, one.name) for one in fields(words)}
    errors = _out_of_range(words)
    typed = re.split(r"[\s,;]+", words.retry_days.strip()) if words.retry_days.strip() else []
    if all(one.isdecimal() and 1 <= int(one) <= LONGEST_PAUSE for one in typed):
        proper["retry_days"] = ",".join(str(int(one)) for one in typed)
    else:
        errors["retry_days"] = (
            f"Give days from 1 to {LONGEST_PAUSE} with commas between them, such as 3, 5, 7."
        )
    if len(typed) > MOST_RETRIES:
        errors["retry_days"] = f"A charge is tried again at most {MOST_RETRIES} times."
    if errors:
        raise InvalidFields(errors)
    return proper


def _out_of_range(words: RuleWords) -> dict[str, str]:
    errors = {}
    for name, least, most in (
        ("notice_days", 0, LONGEST_NOTICE),
        ("plan_longest_days", 1, 3650),
        ("plan_grace_days", 0, 60),
        ("plan_most_payments", 1, 60),
    ):
        if not least <= getattr(words, name) <= most:
            errors[name] = f"Give a number from {least} to {most}."
    for name in ("refund_limit", "plan_least_amount"):
        amount: Money | None = getattr(words, name)
        if amount is not None and amount <= ZERO:
            errors[name] = "Give an amount above zero, or leave it empty."
    if words.plan_most_payments > CONSUMER_PAYMENTS and not words.lawful_process:
        errors.setdefault(
            "plan_most_payments",
            f"More than {CONSUMER_PAYMENTS} payments need the declaration below.",
        )
    return errors


def _plain(value: object) -> object:
    return str(value) if isinstance(value, Money) else value
