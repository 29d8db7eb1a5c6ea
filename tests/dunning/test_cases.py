"""Cases: opened by lateness, refreshed, closed by money; stages carried out once."""

from datetime import UTC, datetime

import pytest

from portal.db import db, lock_rows
from portal.dunning import (
    Chance,
    chance_of_not_paying,
    is_control,
    refresh_cases,
    run_collections,
    score_by,
)
from portal.dunning.chance import KEY
from portal.kernel import clock
from portal.kernel.money import Money
from portal.kernel.numbers import Rate
from portal.models import CaseEnd, CaseState, DunningCase, Invoice, StepState
from portal.tasks import run_waiting
from tests.conftest import count_statements
from tests.dunning.cases import (
    case_of,
    days_ago,
    hour_passes,
    later,
    overdue,
    reminders,
    set_rules,
)


def test_a_customer_whose_invoice_is_late_is_reminded_once(build):
    set_rules()
    ada = overdue(build, 1)

    hour_passes()
    hour_passes()

    case = case_of(ada)
    assert [one.state for one in case.steps] == [StepState.DONE]
    assert (case.owed, case.expected) == (Money.of("100"), Money.of("25"))
    assert [one.recipient for one in reminders()] == [ada.email]
    assert "http://localhost/pay/" in reminders()[0].body
    assert "answer this mail with STOP" in reminders()[0].body


def test_nobody_is_reminded_while_reminders_are_off_but_the_worklist_knows_them(build):
    set_rules(reminders_on=False)
    ada = overdue(build, 8)

    hour_passes()

    assert case_of(ada).owed == Money.of("100")
    assert reminders() == []


def test_stages_that_were_jumped_over_are_never_made_up(build):
    set_rules()
    ada = overdue(build, 15)

    hour_passes()

    assert [one.stage.name for one in case_of(ada).steps] == ["Second reminder"]


def test_a_call_waits_for_a_person(build):
    set_rules()
    ada = overdue(build, 22)

    hour_passes()

    case = case_of(ada)
    assert [one.state for one in case.steps] == [StepState.TO_DO]
    assert case.next_step == "Call."
    assert "is 22 days overdue" in case.reasons[0]


def test_a_payment_closes_the_case_and_stops_what_waited(build):
    set_rules()
    ada = overdue(build, 1)
    night = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)
    hour_passes(night)
    assert case_of(ada).steps[0].state is StepState.WAITING
    case_id = case_of(ada).id

    build.payment(ada, "100", *_invoices(ada))
    db.session.commit()
    run_waiting()

    case = db.session.get_one(DunningCase, case_id, populate_existing=True)
    assert (case.state, case.ended) == (CaseState.CLOSED, CaseEnd.PAID)
    assert case.steps[0].state is StepState.SKIPPED
    hour_passes(later(days=1))
    assert reminders() == []


def test_what_became_due_later_is_a_case_of_its_own_and_begins_anew(build):
    set_rules()
    ada = overdue(build, 15, "100")
    old = _invoices(ada)
    hour_passes()
    overdue(build, 2, "40", customer=ada)
    build.payment(ada, "100", *old)
    db.session.commit()

    hour_passes(later(days=4))

    case = case_of(ada)
    assert (case.oldest_due_on, case.owed) == (days_ago(2), Money.of("40"))
    assert [one.stage.name for one in case.steps] == ["First reminder"]


def test_two_reminders_keep_their_distance_even_when_the_first_was_late(build):
    set_rules(days_between=5)
    ada = overdue(build, 12)
    hour_passes()  # the text of day 7: nobody has a mobile
    with clock.frozen(later(days=2)):
        hour_passes()
        states = {one.stage.name: one.state for one in case_of(ada).steps}
    assert states == {"Short text": StepState.REFUSED, "Second reminder": StepState.DONE}


def test_a_text_nobody_can_get_is_refused_with_the_reason_and_the_rest_goes_on(build):
    set_rules()
    ada, bob = overdue(build, 8), overdue(build, 2)

    hour_passes()

    (step,) = case_of(ada).steps
    assert step.state is StepState.REFUSED
    assert step.sentence == f"No contact of {ada.name} has a phone that is marked as mobile."
    assert [one.customer_id for one in reminders()] == [bob.id]


def test_a_customer_without_email_is_listed_with_the_reason(build):
    set_rules()
    ada = overdue(build, 2)
    ada.email, ada.contacts[0].email = "", ""
    db.session.commit()

    hour_passes()

    assert case_of(ada).steps[0].sentence == f"{ada.name} has no email address."


def test_the_control_group_is_left_alone_and_always_the_same(build):
    set_rules(control_percent=50)
    people = [overdue(build, 1) for _ in range(6)]

    hour_passes()

    expected = {one.id: is_control(one.id, 50) for one in people}
    assert {one.id: case_of(one).control for one in people} == expected
    told = {one.customer_id for one in reminders()}
    assert told == {one for one, control in expected.items() if not control}


def test_about_one_in_ten_is_in_a_control_group_of_ten_percent():
    count = sum(is_control(one, 10) for one in range(1, 10_001))

    assert 900 < count < 1_100
    assert not any(is_control(one, 0) for one in range(1, 1_000))


def test_a_deactivated_customer_is_nobodys_to_remind(build):
    set_rules()
    ada, bob = overdue(build, 1), overdue(build, 1)
    run_collections()  # both have a case and a step; then bob is merged away
    bob.active = False
    db.session.commit()

    run_waiting()

    assert [one.customer_id for one in reminders()] == [ada.id]
    assert "deactivated" in case_of(bob).steps[0].sentence


def test_a_score_takes_the_place_of_the_rule(build, app, monkeypatch):
    ada = overdue(build, 1)
    (invoice,) = _invoices(ada)
    monkeypatch.setitem(app.extensions, KEY, None)  # the house's own score is back afterwards
    score_by(lambda ids: {one: Chance(Rate.percent(90), ("the model says so",)) for one in ids})

    assert chance_of_not_paying([invoice.id])[invoice.id].rate == Rate.percent(90)
    set_rules()
    hour_passes()
    assert case_of(ada).expected == Money.of("90")
    assert "the model says so" in case_of(ada).reasons


def test_refreshing_many_customers_costs_no_more_statements_for_each(build):
    set_rules(reminders_on=False)
    people = [overdue(build, 5).id for _ in range(8)]
    refresh_cases(people)
    db.session.commit()

    def statements(ids):
        db.session.expire_all()
        with count_statements() as sent:
            refresh_cases(ids)
        db.session.commit()
        return len(sent)

    assert statements(people) <= statements(people[:2]) + 1


@pytest.mark.parametrize("days", [0, -3])
def test_a_courtesy_note_goes_out_before_the_due_date(build, days):
    set_rules()
    ada = build.customer(region="IL")
    build.posted("80", customer=ada, on=days_ago(15 + days), term="Net 15")
    db.session.commit()

    hour_passes()

    assert case_of(ada).owed == Money(0)  # nothing is overdue yet
    assert [one.stage.days for one in case_of(ada).steps] == [-3]
    assert "friendly note" in reminders()[0].body


def _invoices(customer):
    rows = db.session.query(Invoice).filter_by(customer_id=customer.id).all()
    return lock_rows(Invoice, [one.id for one in rows])


def test_a_bounced_payment_brings_the_chase_back(build):
    from portal.payments import ReturnReason, return_payment

    set_rules()
    ada = overdue(build, 3)
    payment = build.payment(ada, "100", *_invoices(ada))
    db.session.commit()
    hour_passes()
    assert case_of(ada) is None

    return_payment(payment, ReturnReason.BOUNCED, on=clock.now().date())
    db.session.commit()
    hour_passes(later(hours=1))

    assert case_of(ada).owed == Money.of("100")
