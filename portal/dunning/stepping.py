"""Which stage of its policy a case has reached, and what becomes of its steps."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import db, insert_once
from portal.dunning.policies import stages_of
from portal.kernel import clock
from portal.models import (
    DUNNING_STEP,
    CaseState,
    DunningCase,
    DunningRules,
    DunningStage,
    DunningStep,
    StepState,
)
from portal.tasks import wake

CONTROL = "Control group: not reminded, to measure what reminders do."


def plan_steps(case: DunningCase, *, late: int, rules: DunningRules) -> DunningStep | None:
    """Begin the stage the case has reached, once; stages it jumped over are never made up.

    `late` is how many days the oldest invoice that may be asked for is overdue.
    """
    reached = [one for one in stages_of(case.policy) if one.days <= late]
    done_to = max((one.stage.days for one in case.steps), default=None)
    if not reached or (done_to is not None and reached[-1].days <= done_to):
        return None
    if case.state is CaseState.WITH_MANAGER:
        return None
    stage = reached[-1]
    if stage.by_itself and not rules.reminders_on:
        return None
    _skip_older(case)
    step = DunningStep(
        case_id=case.id, stage_id=stage.id, state=_first_state(case, stage, rules),
        not_before=_not_before(case, rules) if stage.by_itself else None,
    )  # fmt: skip
    if step.state is StepState.SKIPPED:
        step.sentence, step.done_at = CONTROL, clock.now()
    if not insert_once(step):
        return None
    step.stage = stage
    if step not in case.steps:
        case.steps.append(step)
    record("reached", case, f"Stage “{stage.name}” ({stage.days} days) is reached.")
    if step.state is StepState.WAITING:
        wake("dunning_step", step.id)
    return step


def skip_undone(case: DunningCase, because: str) -> None:
    """Nothing that was planned for the case is done any more."""
    for step in case.steps:
        if DUNNING_STEP.allows(step.state, "skip"):
            step.state = DUNNING_STEP.after(step.state, "skip")
            step.sentence, step.done_at = because, clock.now()


def _skip_older(case: DunningCase) -> None:
    """What was not done before the next stage was reached gives way to it."""
    for step in case.steps:
        if DUNNING_STEP.allows(step.state, "skip"):
            step.state = DUNNING_STEP.after(step.state, "skip")
            step.sentence, step.done_at = "The next stage was reached first.", clock.now()


def _first_state(case: DunningCase, stage: DunningStage, rules: DunningRules) -> StepState:
    if not stage.by_itself:
        return StepState.TO_DO
    spared = timedelta(days=rules.control_days)
    if case.control and today() < case.opened_on + spared:
        return StepState.SKIPPED
    return StepState.WAITING


def _not_before(case: DunningCase, rules: DunningRules) -> datetime:
    """Two reminders of one case keep their distance, also when one was late."""
    sent = [
        one.done_at
        for one in case.steps
        if one.state is StepState.DONE and one.done_at and one.stage.by_itself
    ]
    earliest = max(sent, default=None)
    gap = timedelta(days=rules.days_between)
    return max(clock.now(), earliest + gap) if earliest else clock.now()


def waiting_steps() -> list[int]:
    """Steps whose time has come and that nobody holds: lost wake-ups, guarded hours."""
    now = clock.now()
    query = sa.select(DunningStep.id).where(
        sa.text("dunning_steps.state = 'waiting'"),
        sa.or_(DunningStep.not_before.is_(None), DunningStep.not_before <= now),
        sa.or_(DunningStep.claimed_until.is_(None), DunningStep.claimed_until <= now),
    )
    return list(db.session.scalars(query.order_by(DunningStep.id).limit(500)))
