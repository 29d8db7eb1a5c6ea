"""Rules that send by themselves: at the completion of a job, or when an invoice is posted."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record, record_changes
from portal.db import bump, db, is_taken
from portal.kernel.errors import InvalidFields, NotFound
from portal.models import AutoSendRule, BusinessUnit, SendingMoment


@dataclass(frozen=True)
class RuleWords:
    """A rule as typed; an empty job type or business unit matches every one."""

    name: str
    moment: SendingMoment
    job_type: str = ""
    business_unit_id: int | None = None
    active: bool = True


def rules() -> list[AutoSendRule]:
    """Every rule by name."""
    return list(db.session.scalars(_BY_NAME.options(joinedload(AutoSendRule.business_unit))))


def active_rules(moment: SendingMoment) -> list[AutoSendRule]:
    """The rules that are looked at then, by name: the first that fits is named as the reason."""
    return list(db.session.scalars(_LOOKED_AT, {"moment": moment}))


# Built once: every posting asks, and nearly every company has none.
_BY_NAME = sa.select(AutoSendRule).order_by(AutoSendRule.name)
_LOOKED_AT = _BY_NAME.where(
    AutoSendRule.active,
    AutoSendRule.moment == sa.bindparam("moment", type_=AutoSendRule.moment.type),
)


def get_rule(rule_id: int) -> AutoSendRule:
    """One rule; NotFound otherwise."""
    rule = db.session.get(AutoSendRule, rule_id)
    if rule is None:
        raise NotFound("No such rule.")
    return rule


def add_rule(words: RuleWords) -> AutoSendRule:
    """Add a rule; InvalidFields when the name is missing or taken."""
    rule = AutoSendRule()
    _write(rule, words)
    db.session.add(rule)
    record("added", rule, f"The sending rule {rule.name} was added.")
    return rule


def change_rule(rule: AutoSendRule, words: RuleWords, *, version: int) -> None:
    """Save a rule; Conflict on an old version, InvalidFields as `add_rule`."""
    bump(rule, version)
    before = _plain(rule)
    _write(rule, words)
    record_changes(rule, f"The sending rule {rule.name} was changed.", before, _plain(rule))


def _write(rule: AutoSendRule, words: RuleWords) -> None:
    name, errors = words.name.strip(), {}
    with db.session.no_autoflush:
        if not name:
            errors["name"] = "Give the rule a name."
        elif is_taken(AutoSendRule.name, name, rule):
            errors["name"] = "Another rule already has this name."
        if words.business_unit_id and db.session.get(BusinessUnit, words.business_unit_id) is None:
            errors["business_unit_id"] = "Choose one from the list."
    if errors:
        raise InvalidFields(errors)
    rule.name, rule.moment, rule.active = name, words.moment, words.active
    rule.job_type, rule.business_unit_id = words.job_type.strip(), words.business_unit_id


def _plain(rule: AutoSendRule) -> dict[str, str]:
    names = ("name", "moment", "job_type", "business_unit_id", "active")
    return {name: str(getattr(rule, name)) for name in names}
