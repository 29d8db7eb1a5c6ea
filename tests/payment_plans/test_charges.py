"""Automatic plans: each instalment is charged on its day, for what is open of it, once."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.audit import trail_of
from portal.db import db
from portal.invoices import interest_problem, kept_to, plans_in_good_standing
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import (
    AttemptState,
    ChargeState,
    MethodState,
    Payment,
    PaymentAttempt,
    PlannedCharge,
    PlanRhythm,
    PlanState,
)
from portal.payment_collection import (
    cancel_planned,
    charges_needing_somebody,
    settle,
    try_again_today,
)
from portal.payment_plans import look_after_plans, paused_because, withdraw_plan
from portal.payments import ReturnReason, credit_of, return_payment
from portal.tasks import look_at, sweep
from tests.payment_plans.plans import (
    TODAY,
    accepted,
    amounts,
    in_days,
    look_on,
    on_day,
    pay,
    told,
)


def charges():
    return db.session.scalars(sa.select(PlannedCharge).order_by(PlannedCharge.id)).all()


def test_an_automatic_instalment_is_planned_on_its_day_once_for_what_is_open(build):
    invoice = build.posted("100")
    card = build.saved_method(invoice.customer)
    plan = accepted(invoice, rhythm=PlanRhythm.WEEKLY, automatic=True, method=card)
    pay(build, invoice, "10")
    look_on(TODAY)
    look_on(TODAY)
    assert [(str(one.amount), one.state, one.charge_on) for one in charges()] == [
        ("$15.00", ChargeState.WAITING, TODAY)
    ]
    assert charges()[0].instalment_id == plan.instalments[0].id


def test_an_instalment_paid_ahead_is_never_charged(build):
    invoice = build.posted("100")
    accepted(
        invoice,
        rhythm=PlanRhythm.WEEKLY,
        automatic=True,
        method=build.saved_method(invoice.customer),
    )
    pay(build, invoice, "25")
    look_on(TODAY)
    assert charges() == []


def test_a_plan_that_ends_calls_its_waiting_charges_off(build):
    invoice = build.posted("100")
    card = build.saved_method(invoice.customer)
    plan = accepted(invoice, rhythm=PlanRhythm.WEEKLY, automatic=True, method=card)
    look_on(TODAY)
    withdraw_plan(plan, because="You asked for it.")
    assert [one.state for one in charges()] == [ChargeState.CANCELLED]


def automatic(build, price, behaviour="card"):
    invoice = build.posted(price)
    card = build.saved_method(invoice.customer, behaviour)
    return accepted(invoice, rhythm=PlanRhythm.WEEKLY, automatic=True, method=card)


def work_on(day):
    """The worker's turn on that day, after the hourly look."""
    look_on(day)
    with on_day(day):
        charge_now()


def charge_now():
    """The worker charges whatever waits."""
    db.session.commit()
    for name, row_id in sweep():
        if name == "planned_charge":
            look_at(name, row_id)
    db.session.expire_all()


def test_the_worker_charges_each_instalment_on_its_day(build):
    plan = automatic(build, "100")
    work_on(TODAY)
    assert [one[2] for one in amounts(plan)] == ["paid", "planned", "planned", "planned"]
    for week in (1, 2, 3):
        work_on(in_days(7 * week))
        work_on(in_days(7 * week))
    assert [one.state for one in charges()] == [ChargeState.SUCCEEDED] * 4
    look_on(in_days(21))
    assert (plan.state, plan.open) == (PlanState.KEPT, ZERO)


def test_what_is_paid_between_plan_and_charge_is_not_charged(build):
    plan = automatic(build, "100")
    look_on(TODAY)
    pay(build, plan.shares[0].invoice, "25")
    charge_now()
    assert [(one.state, one.outcome) for one in charges()] == [
        (ChargeState.CANCELLED, "It was paid another way.")
    ]


def test_a_dispute_holds_the_charge(build):
    plan = automatic(build, "100")
    payment = pay(build, plan.shares[0].invoice, "10")
    look_on(TODAY)
    payment.disputed = True
    charge_now()
    assert charges()[0].state is ChargeState.WAITING
    assert "is disputed" in charges()[0].outcome


def test_a_plan_does_not_break_before_the_last_promised_try_and_its_grace(build):
    plan = automatic(build, "100", "declined-card")
    work_on(TODAY)
    assert (charges()[0].state, charges()[0].next_try_on) == (ChargeState.FAILED, in_days(3))
    work_on(in_days(3))
    assert (charges()[0].tries, plan.state) == (2, PlanState.ACTIVE)
    look_on(in_days(6))
    assert (plan.state, charges()[0].next_try_on) == (PlanState.ACTIVE, in_days(8))
    for days in range(7, 21):  # given up on day 15
        work_on(in_days(days))
    assert (plan.state, charges()[0].state) == (PlanState.ACTIVE, ChargeState.GIVEN_UP)
    look_on(in_days(21))
    assert (plan.state, told("plan broken")) == (PlanState.BROKEN, 1)


def test_a_try_that_is_never_made_does_not_keep_a_plan_for_ever(build):
    plan = automatic(build, "100", "declined-card")
    work_on(TODAY)
    look_on(in_days(3))
    assert plan.state is PlanState.ACTIVE
    look_on(in_days(6))  # the worker stood still since day 3
    assert (plan.state, charges()[0].state) == (PlanState.BROKEN, ChargeState.CANCELLED)


def test_without_a_usable_method_the_charge_is_given_up_and_told(build):
    plan = automatic(build, "100")
    plan.method.state = MethodState.REMOVED
    plan.method.is_primary = False
    work_on(TODAY)
    assert charges()[0].state is ChargeState.GIVEN_UP
    assert "was removed" in charges()[0].outcome
    assert told("charge failed") == 1


def test_a_debit_that_comes_back_late_begins_the_days_of_grace_anew(build):
    plan = automatic(build, "100", "bank")
    work_on(TODAY)
    comes_back(in_days(6))
    for _ in range(2):
        look_on(in_days(6))
    assert (plan.state, charges()[0].next_try_on) == (PlanState.ACTIVE, in_days(9))


def test_a_debit_that_comes_back_for_good_leaves_the_days_of_grace(build):
    plan = automatic(build, "100", "bank")
    work_on(TODAY)
    plan.method.state, plan.method.is_primary = MethodState.REMOVED, False
    comes_back(in_days(6))
    assert charges()[0].state is ChargeState.GIVEN_UP
    look_on(in_days(11))
    assert plan.state is PlanState.ACTIVE
    look_on(in_days(12))
    assert plan.state is PlanState.BROKEN


def comes_back(day):
    """The bank returns the one debit that day, and the worker notes it."""
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    db.session.commit()
    with on_day(day):
        attempt_id, ref = attempt.id, attempt.payment_ref
        db.session.rollback()
        current_app.extensions["gateway"].press_charge(ref, "debit-fails")
        settle(attempt_id)
        charge_now()


def test_a_debit_on_its_way_keeps_the_plan_beyond_its_grace(build):
    plan = automatic(build, "100", "bank")
    work_on(TODAY)
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    assert attempt.state is AttemptState.PROCESSING
    look_on(in_days(6))
    assert plan.state is PlanState.ACTIVE
    assert paused_because(plan) == "A payment of $25.00 is on its way."


def test_an_instalment_whose_charge_paid_an_older_one_is_charged_in_its_turn(build):
    plan = automatic(build, "100", "declined-card")
    work_on(TODAY)
    work_on(in_days(3))
    plan.method = build.saved_method(plan.customer, "card", primary=False)
    work_on(in_days(7))  # the second charge pays the first instalment
    assert [one[2] for one in amounts(plan, in_days(7))][:2] == ["paid", "due"]
    for days in (8, 9, 14, 21, 22):
        work_on(in_days(days))
    assert (plan.state, plan.open) == (PlanState.KEPT, ZERO)


def test_an_instalment_paid_by_a_cheque_that_bounces_is_charged_again(build):
    plan = automatic(build, "100")
    look_on(TODAY)
    payment = pay(build, plan.shares[0].invoice, "25")
    charge_now()
    assert charges()[0].state is ChargeState.CANCELLED
    with on_day(in_days(1)):
        return_payment(payment, ReturnReason.BOUNCED, on=in_days(1))
    work_on(in_days(1))
    assert [one.state for one in charges()] == [ChargeState.SUCCEEDED]
    assert amounts(plan)[0][2] == "paid"


def test_a_plan_that_waits_for_the_bank_or_a_dispute_counts_as_kept_to(build):
    plan = automatic(build, "100", "bank")
    invoice_id = plan.shares[0].invoice_id
    work_on(TODAY)
    assert plans_in_good_standing([invoice_id], on=in_days(6)) == {invoice_id: plan}
    plan.method.state, plan.method.is_primary = MethodState.REMOVED, False
    comes_back(in_days(6))
    with_grace_over = in_days(12)
    assert plans_in_good_standing([invoice_id], on=with_grace_over) == {}
    payment = pay(build, plan.shares[0].invoice, "10")
    payment.disputed = True
    assert plans_in_good_standing([invoice_id], on=with_grace_over) == {invoice_id: plan}


def test_a_plan_that_a_retry_keeps_alive_pays_no_interest(build):
    plan = automatic(build, "100", "declined-card")
    invoice = plan.shares[0].invoice
    for day in (TODAY, in_days(3)):
        work_on(day)
    late_on = in_days(7)
    assert plan.deadline(plan.instalments[0]) < late_on
    assert (charges()[0].next_try_on, plan.state) == (in_days(8), PlanState.ACTIVE)

    assert plan.number in (interest_problem(invoice, on=late_on) or "")
    assert kept_to([plan], on=late_on) == {plan.id}


def test_a_badge_says_what_interest_says(build, office):
    invoice = build.posted("100")
    card = build.saved_method(invoice.customer, "declined-card")
    begun = in_days(-7)
    with on_day(begun):
        plan = accepted(
            invoice, rhythm=PlanRhythm.WEEKLY, automatic=True, method=card, first_on=begun
        )
    for day in (begun, in_days(-4)):
        work_on(day)

    assert "it is kept to" in office.get(f"/staff/invoices/{invoice.id}").text
    page = office.get(f"/staff/payment-plans/{plan.id}").text
    assert page.count('data-state="missed"') == 1  # of its first payment, not of the plan


def test_an_automatic_plan_uses_credit_before_it_charges_and_tells(build):
    plan = automatic(build, "100")
    build.payment(plan.customer, "10")
    work_on(TODAY)

    assert [str(one) for one in charged()] == ["$15.00"]
    assert amounts(plan)[0] == ("$25.00", "$0.00", "paid")
    assert told("plan credit used") == 1


def test_credit_for_the_whole_instalment_leaves_nothing_to_charge(build):
    plan = automatic(build, "100")
    build.payment(plan.customer, "60")
    work_on(TODAY)

    assert (charged(), credit_of(plan.customer_id)) == ([], Money.of(35))
    assert [one[2] for one in amounts(plan)] == ["paid", "planned", "planned", "planned"]


def test_credit_that_comes_before_the_charge_holds_it_until_it_is_used(build):
    plan = automatic(build, "100")
    look_on(TODAY)
    build.payment(plan.customer, "10")
    charge_now()
    assert (charges()[0].state, charged()) == (ChargeState.WAITING, [])
    assert "$10.00 in credit" in charges()[0].outcome
    with clock.frozen(clock.now() + timedelta(hours=2)):
        look_after_plans()
        charge_now()
    assert [str(one) for one in charged()] == ["$15.00"]


def charged():
    query = sa.select(Payment.amount).where(Payment.provider == "test")
    return db.session.scalars(query).all()


def test_a_charge_of_a_plan_that_was_given_up_needs_somebody_while_the_plan_runs(build):
    plan = automatic(build, "100")
    plan.method.state, plan.method.is_primary = MethodState.REMOVED, False
    work_on(TODAY)
    assert charges_needing_somebody() == 1
    withdraw_plan(plan, because="You asked for it.")
    assert charges_needing_somebody() == 0


def test_a_rest_below_the_least_is_charged_as_the_least_in_words(build):
    plan = automatic(build, "100")
    pay(build, plan.shares[0].invoice, "24.50")
    work_on(TODAY)

    assert charged() == [Money.of(1)]
    words = [one.sentence for one in trail_of(plan)]
    assert any("$0.50 of payment 1 is less than can be charged: $1.00 is charged" in one
               for one in words)  # fmt: skip


def test_a_charge_of_a_plan_that_was_given_up_is_tried_again_by_a_person(build):
    plan = automatic(build, "100")
    plan.method.state, plan.method.is_primary = MethodState.REMOVED, False
    work_on(TODAY)
    (charge,) = charges()
    with pytest.raises(DomainError, match="end or re-age"):
        cancel_planned(charge, version=charge.version, because="Not this one.")
    plan.method.state, plan.method.is_primary = MethodState.ACTIVE, True

    try_again_today(charge, version=charge.version)
    charge_now()

    assert (charge.state, charged()) == (ChargeState.SUCCEEDED, [Money.of(25)])
