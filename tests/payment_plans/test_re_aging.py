"""Ending a plan early, and putting another in its place."""

import pytest

from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition
from portal.models import PlanRhythm, PlanState
from portal.payment_plans import accept_plan, decline_plan, withdraw_plan
from tests.payment_plans.plans import (
    TODAY,
    accepted,
    agreed,
    in_days,
    look_on,
    offered,
    on_day,
    pay,
    told,
    weekly,
)


def test_re_aging_keeps_the_old_plan_until_the_new_one_is_accepted(build):
    invoice = build.posted("100")
    old = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    pay(build, invoice, "25")
    new = offered(invoice, replaces=old, payments=3, note="Lost the job")
    assert (old.state, new.state, str(new.amount)) == (
        PlanState.ACTIVE, PlanState.PROPOSED, "$75.00",
    )  # fmt: skip
    accept_plan(new, agreed(new))
    assert (old.state, new.state, new.replaces) == (PlanState.REPLACED, PlanState.ACTIVE, old)
    assert "took its place" in old.ended_because
    assert [one.live for one in (*old.shares, *new.shares)] == [False, True]


def test_re_aging_needs_a_reason(build):
    old = weekly(build)
    with pytest.raises(InvalidFields, match="Say why a new plan takes the place"):
        offered(old.shares[0].invoice, replaces=old, note=" ")


def test_only_one_plan_is_offered_in_place_of_another(build):
    old = weekly(build)
    first = offered(old.shares[0].invoice, replaces=old)
    with pytest.raises(DomainError, match=f"Plan {first.number} is offered in its place already"):
        offered(old.shares[0].invoice, replaces=old)


def test_a_re_aging_that_is_declined_leaves_the_old_plan_and_another_may_follow(build):
    invoice = build.posted("100")
    old = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    decline_plan(offered(invoice, replaces=old, payments=2), because="", by_customer=True)
    assert old.state is PlanState.ACTIVE
    assert offered(invoice, replaces=old, payments=2).replaces is old


def test_a_broken_plan_can_be_re_aged(build):
    invoice = build.posted("100")
    old = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    look_on(TODAY)
    look_on(in_days(6))
    with on_day(in_days(6)):
        new = offered(invoice, replaces=old, payments=2, first_on=in_days(6))
        accept_plan(new, agreed(new))
    assert (old.state, new.state) == (PlanState.REPLACED, PlanState.ACTIVE)


def test_a_kept_plan_cannot_be_re_aged(build):
    customer = build.customer()
    old = accepted(build.posted("100", customer=customer))
    pay(build, old.shares[0].invoice, "100")
    look_on(TODAY)
    with pytest.raises(InvalidTransition):
        offered(build.posted("50", customer=customer), replaces=old)


def test_withdrawing_needs_words_and_tells_the_customer(build):
    plan = weekly(build)
    with pytest.raises(InvalidFields):
        withdraw_plan(plan, because="")
    withdraw_plan(plan, because="You asked for it.")
    assert (plan.state, told("plan broken")) == (PlanState.WITHDRAWN, 1)
