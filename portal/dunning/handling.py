"""What a collector does with a case: put off, hand over, give back, note, close."""

from __future__ import annotations

from datetime import date, timedelta

from portal.access import Ability
from portal.audit import record
from portal.company import today
from portal.db import claim, db, lock_rows
from portal.dunning.cases import close_case, refresh_cases
from portal.kernel import clock
from portal.kernel.errors import InvalidFields
from portal.models import (
    DUNNING_CASE,
    DUNNING_STEP,
    CaseEnd,
    DunningCase,
    DunningStep,
    StageAction,
    User,
)

LONGEST_SNOOZE = 90  # days
LONGEST_NOTE = 2_000


def snooze(case: DunningCase, *, until: date, because: str) -> None:
    """Leave the case alone until that day; it comes back into the list by itself."""
    on = today()
    errors = {}
    if not on < until <= on + timedelta(days=LONGEST_SNOOZE):
        errors["until"] = f"Choose a day from tomorrow to {LONGEST_SNOOZE} days from now."
    if not because.strip():
        errors["because"] = "Say why it is put off."
    if errors:
        raise InvalidFields(errors)
    _hold(case)
    DUNNING_CASE.after(case.state, "close")  # a case that is over is not put off
    case.snoozed_until, case.snoozed_because = until, because.strip()
    record("put off", case, f"Put off until {until}: {case.snoozed_because}")
    db.session.flush()
    refresh_cases([case.customer_id])


def wake_up(case: DunningCase) -> None:
    """Bring a case back into the list before its day."""
    _hold(case)
    if case.snoozed_until is not None:
        case.snoozed_until, case.snoozed_because = None, ""
        record("brought back", case, "Brought back into the list.")
        db.session.flush()
        refresh_cases([case.customer_id])


def hand_over(case: DunningCase, manager: User, *, because: str) -> None:
    """A manager decides how it goes on; nothing goes out by itself meanwhile.

    Raises InvalidFields for somebody who does not manage collections, or without a reason.
    """
    errors = {}
    if not manager.active or Ability.MANAGE_COLLECTIONS not in manager.role.abilities:
        errors["manager_id"] = f"{manager.name} does not manage collections."
    if not because.strip():
        errors["because"] = "Say what the manager should decide."
    if errors:
        raise InvalidFields(errors)
    _hold(case)
    claim(case, state=DUNNING_CASE.after(case.state, "hand over"))
    case.handed_to_id, case.handed_because = manager.id, because.strip()
    case.next_step = f"{manager.name} decides."
    finish_steps(case, StageAction.MANAGER)
    record("handed over", case, f"Handed over to {manager.name}: {case.handed_because}")


def give_back(case: DunningCase, *, because: str) -> None:
    """The manager decided; the collector goes on. InvalidFields without a word."""
    if not because.strip():
        raise InvalidFields({"because": "Say what was decided."})
    _hold(case)
    claim(case, state=DUNNING_CASE.after(case.state, "give back"))
    case.handed_to_id = None
    record("given back", case, f"Given back: {because.strip()}")
    db.session.flush()
    refresh_cases([case.customer_id])


def add_note(case: DunningCase, words: str) -> None:
    """A note for whoever looks at the case next."""
    text = words.replace("\0", "").strip()
    if not text or len(text) > LONGEST_NOTE:
        raise InvalidFields({"note": f"Write a note of at most {LONGEST_NOTE} characters."})
    record("noted", case, text)


def stop_case(case: DunningCase, *, because: str) -> None:
    """Stop chasing; the account should be on hold or written off, or a new case begins."""
    if not because.strip():
        raise InvalidFields({"because": "Say why nobody asks for it any more."})
    _hold(case)
    close_case(case, CaseEnd.STOPPED, because.strip(), on=today())


def finish_step(step: DunningStep, *, because: str = "A person did it.") -> None:
    """A person did what this stage asked for; InvalidTransition when it was done already."""
    lock_rows(DunningCase, [step.case_id])
    db.session.refresh(step)
    step.state = DUNNING_STEP.after(step.state, "do")
    step.done_at, step.sentence = clock.now(), because
    record("done", step.case, f"“{step.stage.name}”: {because}")
    db.session.flush()
    refresh_cases([step.case.customer_id])


def finish_steps(case: DunningCase, action: StageAction) -> None:
    """What was waiting for just this is done by it."""
    for step in case.steps:
        if step.stage.action is action and DUNNING_STEP.allows(step.state, "do"):
            step.state = DUNNING_STEP.after(step.state, "do")
            step.done_at, step.sentence = clock.now(), "A person did it."


def _hold(case: DunningCase) -> None:
    lock_rows(DunningCase, [case.id])
