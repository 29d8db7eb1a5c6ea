"""The control group's effect: known intervals, and only cases that had their time."""

from datetime import timedelta

import pytest

from portal.db import db
from portal.dunning import Group, policies, stages_of, uplift
from portal.dunning.measuring import difference_interval, wilson
from portal.kernel import clock
from portal.models import (
    CaseEnd,
    CaseState,
    DunningCase,
    DunningStep,
    StageAction,
    StepState,
)
from tests.dunning.cases import TODAY, set_rules


def test_wilsons_interval_is_that_of_the_book():
    """Newcombe 1998, table I: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=0.0001)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_difference_is_that_of_the_book():
    """Newcombe 1998 (interval estimation for the difference), example 56/70 against 48/80."""
    low, high = difference_interval(Group(70, 56), Group(80, 48))

    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=0.0001)


def test_without_a_control_group_nothing_is_known():
    assert difference_interval(Group(10, 9), Group(0, 0)) == (-1.0, 1.0)


@pytest.fixture
def groups(build):
    """Forty reminded cases of which thirty paid in time, forty of the control group, ten."""
    set_rules(control_percent=10)
    policy = policies()[0]
    stage = next(one for one in stages_of(policy) if one.action is StageAction.EMAIL)
    for control, paid in ((False, 30), (True, 10)):
        for number in range(40):
            made(build, policy, stage, control=control, days=10 if number < paid else 31)
    db.session.commit()


def made(build, policy, stage, *, control, days, began=60, tried=True):
    opened = TODAY - timedelta(days=began)
    case = DunningCase(
        customer_id=build.customer().id, policy_id=policy.id, state=CaseState.CLOSED,
        control=control, opened_on=opened, oldest_due_on=opened, ended=CaseEnd.PAID,
        closed_on=opened + timedelta(days=days),
    )  # fmt: skip
    db.session.add(case)
    db.session.flush()
    if tried:
        state = StepState.SKIPPED if control else StepState.DONE
        db.session.add(
            DunningStep(case_id=case.id, stage_id=stage.id, state=state, done_at=clock.now())
        )


def test_what_was_paid_after_the_trial_counts_as_not_paid(groups):
    found = uplift()

    assert (found.reminded, found.control) == (Group(40, 30), Group(40, 10))
    assert found.difference == pytest.approx(0.5)
    assert found.low > 0
    assert found.is_sure


def test_cases_that_are_young_or_were_never_tried_do_not_count(groups, build):
    policy = policies()[0]
    stage = stages_of(policy)[0]
    made(build, policy, stage, control=False, days=5, began=10)
    made(build, policy, stage, control=False, days=5, tried=False)
    db.session.commit()

    assert uplift().reminded.cases == 40


def test_the_page_says_it_in_words(groups, office):
    page = " ".join(office.get("/staff/collections/effect").get_data(as_text=True).split())

    assert "Reminders help" in page
    assert "+50.0" in page
