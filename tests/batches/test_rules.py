"""Once an hour the rules batch what is ready."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from portal import schedule
from portal.batches import (
    RuleWords,
    add_rule,
    apply_rule,
    batch_by_rules,
    change_rule,
    remove_invoices,
    sum_of,
)
from portal.company import add_business_unit
from portal.db import db
from portal.invoices import review_invoice
from portal.kernel import clock
from portal.kernel.errors import Conflict, InvalidFields
from portal.models import (
    Batch,
    BatchState,
    BatchSubject,
    InvoiceState,
    ReviewState,
    ScheduledTurn,
)
from portal.schedule import run_due
from portal.tasks import run_waiting

INVOICES, PAYMENTS = BatchSubject.INVOICES, BatchSubject.PAYMENTS


def rule(name="Daily", subject=INVOICES, **words):
    made = add_rule(RuleWords(name, subject, **words))
    db.session.commit()
    return made


def reviewed(build, price="10"):
    invoice = build.invoice(price)
    review_invoice(invoice, ReviewState.REVIEWED)
    db.session.commit()
    return invoice


def test_only_what_was_reviewed_comes_in(build):
    ready, other = reviewed(build), build.invoice("5")
    db.session.commit()

    batch = apply_rule(rule().id)

    assert (ready.batch_id, other.batch_id) == (batch.id, None)
    assert batch.name == "Daily 2026-03-02"
    assert batch.rule_id is not None


def test_a_rule_may_look_at_one_business_unit_only(build):
    unit = add_business_unit("Plumbing")
    mine, other = reviewed(build), reviewed(build)
    db.session.flush()
    mine.business_unit_id = unit.id
    db.session.commit()

    batch = apply_rule(rule(business_unit_id=unit.id).id)

    assert (mine.batch_id, other.batch_id) == (batch.id, None)


def test_nothing_ready_makes_no_batch(build):
    made = rule()

    assert apply_rule(made.id) is None
    assert db.session.scalars(sa.select(Batch)).all() == []


def test_the_next_hour_fills_the_batch_of_the_day(build):
    made = rule()
    reviewed(build)
    first = apply_rule(made.id)
    db.session.commit()
    reviewed(build)

    assert apply_rule(made.id) is first
    assert sum_of(first).invoices == 2


def test_what_somebody_took_out_is_left_alone_for_the_day(build):
    invoice, made = reviewed(build), rule()
    batch = apply_rule(made.id)
    remove_invoices(batch, [invoice.id])
    db.session.commit()

    apply_rule(made.id)

    db.session.expire_all()
    assert invoice.batch_id is None


def test_a_rule_that_posts_makes_it_final(build):
    invoice = reviewed(build)
    apply_rule(rule(posts=True).id)
    db.session.commit()

    run_waiting()

    db.session.expire_all()
    assert invoice.state is InvoiceState.POSTED
    assert invoice.batch.state is BatchState.POSTED


def test_payments_have_rules_of_their_own(build):
    payment = build.payment(build.customer(), "5")
    db.session.commit()

    batch = apply_rule(rule(subject=PAYMENTS).id)

    db.session.expire_all()
    assert payment.batch_id == batch.id


def test_a_retired_rule_does_nothing(build):
    reviewed(build)
    rule(active=False)

    batch_by_rules()

    assert db.session.scalars(sa.select(Batch)).all() == []


def test_the_schedule_asks_the_rules_each_hour(build):
    invoice = reviewed(build)
    rule()

    run_due()

    db.session.expire_all()
    assert invoice.batch_id is not None
    turn = sa.select(ScheduledTurn.outcome).where(ScheduledTurn.name == "batch by rules")
    assert db.session.scalars(turn).all() == ["done"]


@pytest.mark.parametrize("name", ["", "Daily"])
def test_a_rule_needs_a_name_of_its_own(app, name):
    rule()

    with pytest.raises(InvalidFields):
        add_rule(RuleWords(name, INVOICES))


def test_a_rule_saved_meanwhile_is_not_overwritten(app):
    made = rule()
    old = made.version
    change_rule(made, RuleWords("Hourly", INVOICES), version=old)
    db.session.flush()

    with pytest.raises(Conflict):
        change_rule(made, RuleWords("Weekly", INVOICES), version=old)


def test_a_turn_that_failed_is_taken_again_while_its_slot_lasts(build, monkeypatch, monday):
    acts = []

    def act():
        acts.append(clock.now())
        if len(acts) == 1:
            raise RuntimeError("The gateway was away.")

    monkeypatch.setattr(schedule, "SCHEDULE", [schedule.Scheduled("look", schedule.daily, act)])
    for minutes in (0, 5, 20, 40):
        with clock.frozen(monday + timedelta(minutes=minutes)):
            run_due()

    assert [(at - monday) / timedelta(minutes=1) for at in acts] == [0, 20]
    assert db.session.scalars(sa.select(ScheduledTurn.outcome)).all() == ["done"]


def test_a_turn_whose_worker_was_killed_is_taken_again_hours_later(build, monkeypatch, monday):
    acts = []
    turn = schedule.Scheduled("look", schedule.daily, lambda: acts.append(1))
    monkeypatch.setattr(schedule, "SCHEDULE", [turn])
    day = schedule.daily(monday.astimezone(ZoneInfo("America/New_York")))
    db.session.add(ScheduledTurn(name="look", slot=day))
    db.session.commit()
    for hours in (1, 4, 5):
        with clock.frozen(monday + timedelta(hours=hours)):
            run_due()
    assert acts == [1]
