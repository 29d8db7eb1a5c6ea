"""Policies: which customers are reminded when, how, and in which tone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.audit import record, record_changes
from portal.db import bump, db, is_taken
from portal.kernel.errors import InvalidFields, NotFound
from portal.models import (
    BY_ITSELF,
    Customer,
    CustomerType,
    DunningPolicy,
    DunningStage,
    StageAction,
    Tone,
)

EARLIEST, LATEST = -30, 730  # days after the due date
MOST_STAGES = 20
# servicetitan-rules §11.4
HOUSE_STAGES = [
    (-3, StageAction.EMAIL, Tone.COURTESY, "Before it is due", True),
    (1, StageAction.EMAIL, Tone.FRIENDLY, "First reminder", True),
    (7, StageAction.SMS, Tone.FRIENDLY, "Short text", True),
    (14, StageAction.EMAIL, Tone.FIRM, "Second reminder", True),
    (21, StageAction.CALL, Tone.FIRM, "Call", False),
    (30, StageAction.EMAIL, Tone.FINAL, "Final notice", False),
    (60, StageAction.MANAGER, Tone.FINAL, "Manager looks at it", False),
    (90, StageAction.WRITE_OFF, Tone.FINAL, "Propose to write off", False),
]


@dataclass(frozen=True)
class StageWords:
    """One stage as typed; `id` is that of a stage which is kept."""

    days: int
    action: StageAction
    tone: Tone
    name: str
    automatic: bool = True
    id: int | None = None


@dataclass(frozen=True)
class PolicyWords:
    name: str
    customer_type_id: int | None = None
    active: bool = True
    stages: Sequence[StageWords] = ()


def ensure_policy() -> None:
    """The house's policy where there is none at all; idempotent."""
    if db.session.scalar(sa.select(DunningPolicy.id).limit(1)) is None:
        stages = [StageWords(*one) for one in HOUSE_STAGES]
        add_policy(PolicyWords("Everybody", None, True, stages))


def policies() -> list[DunningPolicy]:
    """Every policy, the one for everybody else first."""
    query = sa.select(DunningPolicy).options(selectinload(DunningPolicy.stages))
    rows = db.session.scalars(query.order_by(DunningPolicy.name))
    return sorted(rows, key=lambda one: (not one.active, one.customer_type_id is not None))


def get_policy(policy_id: int) -> DunningPolicy:
    """One policy; NotFound otherwise."""
    row = db.session.get(DunningPolicy, policy_id)
    if row is None:
        raise NotFound("No such policy.")
    return row


def stages_of(policy: DunningPolicy) -> list[DunningStage]:
    """Its stages by day, without those that were taken out."""
    return sorted((one for one in policy.stages if not one.retired), key=lambda one: one.days)


def policy_for(customer: Customer, known: Sequence[DunningPolicy]) -> DunningPolicy | None:
    """The active policy of the customer's type, else the one without a type."""
    active = [one for one in known if one.active]
    mine = [one for one in active if one.customer_type_id == customer.customer_type_id]
    others = [one for one in active if one.customer_type_id is None]
    return next(iter([*mine, *others]), None)


def add_policy(words: PolicyWords) -> DunningPolicy:
    """Add a policy; InvalidFields names every wrong field."""
    _check(words, None)
    policy = DunningPolicy(name=words.name.strip(), customer_type_id=words.customer_type_id)
    policy.active = words.active
    db.session.add(policy)
    _write_stages(policy, words.stages)
    record("added", policy, f"Collections policy {policy.name} was added.")
    return policy


def change_policy(policy: DunningPolicy, words: PolicyWords, *, version: int) -> None:
    """Save a policy; stages that are left out retire, cases keep what was done by them.

    Raises Conflict on an old version, InvalidFields with sentences.
    """
    bump(policy, version)
    _check(words, policy)
    before = _plain(policy)
    policy.name, policy.active = words.name.strip(), words.active
    policy.customer_type_id = words.customer_type_id
    _write_stages(policy, words.stages)
    db.session.flush()
    changed = record_changes(
        policy, f"Collections policy {policy.name} was changed.", before, _plain(policy)
    )
    if changed:
        sa.orm.attributes.flag_modified(policy, "name")  # a change of stages counts, too


def _write_stages(policy: DunningPolicy, stages: Sequence[StageWords]) -> None:
    kept = {one.id: one for one in policy.stages if one.id is not None}
    named = {one.id for one in stages}
    for stage_id, stage in kept.items():
        if stage_id not in named:
            stage.retired = True
    for words in stages:
        row = kept.get(words.id) if words.id is not None else None
        if row is None:
            row = DunningStage(retired=False)
            policy.stages.append(row)
        row.days, row.action, row.tone = words.days, words.action, words.tone
        row.name, row.automatic = words.name.strip(), words.automatic and words.action in BY_ITSELF


def _check(words: PolicyWords, row: DunningPolicy | None) -> None:
    errors = {}
    if not words.name.strip():
        errors["name"] = "Give the policy a name."
    elif is_taken(DunningPolicy.name, words.name.strip(), row, any_case=True):
        errors["name"] = "There is a policy of this name already."
    if (
        words.customer_type_id is not None
        and db.session.get(CustomerType, words.customer_type_id) is None
    ):
        errors["customer_type_id"] = "There is no such customer type."
    elif words.active and (other := _other_of_type(words, row)):
        errors["customer_type_id"] = f"The policy {other.name} is for these customers already."
    if problem := _problem_of(words.stages):
        errors["stages"] = problem
    if errors:
        raise InvalidFields(errors)


def _other_of_type(words: PolicyWords, row: DunningPolicy | None) -> DunningPolicy | None:
    query = sa.select(DunningPolicy).where(
        DunningPolicy.active,
        DunningPolicy.customer_type_id.is_not_distinct_from(words.customer_type_id),
    )
    if row is not None:
        query = query.where(DunningPolicy.id != row.id)
    return db.session.scalar(query.limit(1))


def _problem_of(stages: Sequence[StageWords]) -> str:
    days = [one.days for one in stages]
    if not stages:
        return "Give the policy at least one stage."
    if len(stages) > MOST_STAGES:
        return f"A policy has at most {MOST_STAGES} stages."
    if any(not EARLIEST <= one <= LATEST for one in days):
        return f"A stage lies from {EARLIEST} to {LATEST} days after the due date."
    if len(set(days)) < len(days):
        return "Two stages cannot be on the same day."
    if any(not one.name.strip() for one in stages):
        return "Give every stage a name."
    if any(one.days < 1 and one.tone is not Tone.COURTESY for one in stages):
        return "Up to the due date only the courtesy tone fits: nothing is overdue yet."
    return ""


def _plain(policy: DunningPolicy) -> dict[str, object]:
    said = [
        f"day {one.days}: {one.action} ({one.tone}) {one.name}" + (" by itself" * one.automatic)
        for one in stages_of(policy)
    ]
    kind = (
        db.session.get(CustomerType, policy.customer_type_id) if policy.customer_type_id else None
    )
    return {
        "name": policy.name,
        "for": kind.name if kind else None,
        "active": policy.active,
        "stages": said,
    }
