"""What the company allows for payment plans, and who declared more to be lawful."""

from __future__ import annotations

from dataclasses import dataclass

from portal.access import ADMINISTRATOR
from portal.audit import record
from portal.db import bump, db, insert_once
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, NotAllowed
from portal.kernel.money import ZERO, Money
from portal.models import CollectionRules, User
from portal.payment_plans.guarding import GuardRails
from portal.payment_plans.splitting import MOST_INSTALMENTS

LONGEST = 1100  # three years of months


@dataclass(frozen=True)
class PlanRules:
    """The rules as typed; days are calendar days."""

    most_payments: int
    longest_days: int
    least_amount: Money | None
    grace_days: int
    lawful_process: bool


def collection_rules() -> CollectionRules:
    """The one row of rules, made when it is missing."""
    found = db.session.get(CollectionRules, 1)
    if found is None:
        insert_once(CollectionRules(id=1))
        found = db.session.get_one(CollectionRules, 1)
    return found


def guard_rails() -> GuardRails:
    """The company's rules as the guard reads them; never writes."""
    row = db.session.get(CollectionRules, 1)
    if row is None:
        return GuardRails()
    return GuardRails(
        row.plan_most_payments, row.plan_longest_days, row.plan_least_amount, row.lawful_process
    )


def plan_rules() -> tuple[CollectionRules | None, PlanRules]:
    """The row, if anybody ever saved one, and the rules as they are; never writes."""
    row = db.session.get(CollectionRules, 1)
    rails = guard_rails()
    return row, PlanRules(
        rails.most_payments,
        rails.longest_days,
        rails.least_amount,
        grace_days(),
        rails.lawful_process,
    )


def grace_days() -> int:
    row = db.session.get(CollectionRules, 1)
    return row.plan_grace_days if row else 5


def save_plan_rules(words: PlanRules, *, version: int, by: User) -> None:
    """Save the rules. Only an administrator declares, or takes back, that more is lawful.

    Who declared it and when is kept. Raises InvalidFields, NotAllowed, or Conflict.
    """
    row = collection_rules()
    if words.lawful_process != row.lawful_process and by.role.name != ADMINISTRATOR:
        raise NotAllowed("Only an administrator can declare this.")
    bump(row, version)
    _check(words)
    before = _plain(row)
    row.plan_most_payments, row.plan_longest_days = words.most_payments, words.longest_days
    row.plan_least_amount, row.plan_grace_days = words.least_amount, words.grace_days
    if words.lawful_process != row.lawful_process:
        row.lawful_process = words.lawful_process
        row.lawful_process_by = by.name if words.lawful_process else ""
        row.lawful_process_at = clock.now() if words.lawful_process else None
    changes = {key: [before[key], new] for key, new in _plain(row).items() if before[key] != new}
    if changes:
        record("changed", row, "The rules for payment plans were changed.", changes)


def _check(words: PlanRules) -> None:
    errors = {}
    if not 1 <= words.most_payments <= MOST_INSTALMENTS:
        errors["most_payments"] = f"Give a number from 1 to {MOST_INSTALMENTS}."
    if not 1 <= words.longest_days <= LONGEST:
        errors["longest_days"] = f"Give a number of days from 1 to {LONGEST}."
    if not 0 <= words.grace_days <= 60:
        errors["grace_days"] = "Give a number of days from 0 to 60."
    if words.least_amount is not None and words.least_amount <= ZERO:
        errors["least_amount"] = "Give an amount above zero, or leave it empty."
    if errors:
        raise InvalidFields(errors)


def _plain(row: CollectionRules) -> dict[str, object]:
    least = row.plan_least_amount
    return {
        "most payments": row.plan_most_payments,
        "longest days": row.plan_longest_days,
        "least instalment": str(least) if least is not None else "",
        "days of grace": row.plan_grace_days,
        "lawful process declared": row.lawful_process,
    }
