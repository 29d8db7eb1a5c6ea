"""A stage leaves once: two workers, a crash, a lost wake-up, a full outbox."""

import pytest

from portal.db import db
from portal.dunning import (
    contact_limits,
    look_at_step,
    permission,
    run_collections,
    waiting_steps,
)
from portal.dunning.reaching import Address
from portal.kernel import clock
from portal.models import ContactAttempt, ContactOutcome, ContactWay, DunningStep, StepState
from portal.tasks import lease
from tests.dunning.cases import case_of, later, overdue, reminders, set_rules


@pytest.fixture
def step(build, app):
    set_rules()
    ada = overdue(build, 1)
    run_collections()
    app.extensions["wakes"].clear()  # nobody was told
    return case_of(ada).steps[0]


def test_a_step_whose_wake_up_was_lost_is_found_by_the_sweep(step):
    assert waiting_steps() == [step.id]


def test_two_workers_on_one_step_send_one_mail(step):
    look_at_step(step.id)
    look_at_step(step.id)

    assert len(reminders()) == 1


def test_a_worker_that_died_holding_a_step_is_followed_by_another(step):
    assert lease(DunningStep, step.id, states=(StepState.WAITING,))
    db.session.commit()
    look_at_step(step.id)
    assert reminders() == []
    assert waiting_steps() == []

    with clock.frozen(later(minutes=3)):
        assert waiting_steps() == [step.id]
        look_at_step(step.id)

    assert len(reminders()) == 1


def test_seven_calls_hold_back_the_text_but_not_the_mail(build):
    ada = build.customer(region="IL")
    number = Address(ContactWay.SMS, "+13125550142")
    for hours in range(contact_limits().most_attempts):
        db.session.add(
            ContactAttempt(
                customer_id=ada.id, way=ContactWay.CALL, at=later(hours=-hours - 1),
                outcome=ContactOutcome.NO_ANSWER,
            )
        )  # fmt: skip
    db.session.flush()

    answer = permission(ada, number)

    assert (answer.allowed, answer.rule) == (False, "attempts")
    assert permission(ada, Address(ContactWay.EMAIL, ada.email)).allowed


def test_the_area_code_counts_beside_the_address(build):
    ada = build.customer(region="NY")
    morning = clock.now().replace(hour=15)  # ten in New York, five in Honolulu

    there = permission(ada, Address(ContactWay.CALL, "+18085550142"), at=morning)
    here = permission(ada, Address(ContactWay.CALL, "+12125550142"), at=morning)

    assert (there.allowed, there.rule) == (False, "hours")
    assert here.allowed
