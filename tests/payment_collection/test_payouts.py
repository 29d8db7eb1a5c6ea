"""Payouts are matched to the cent, booked once, and clearing keeps nothing for them."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.ledger import account_id_for, balance_of
from portal.models import (
    AccountingPeriod,
    AccountRole,
    BankDeposit,
    GatewayEvent,
    GatewayEventState,
    GatewayMovement,
    JournalEntry,
    MovementKind,
    Payout,
    PayoutState,
    PeriodState,
    TestGatewayObject,
)
from portal.payment_collection import (
    due_payouts,
    find_payouts,
    handle_event,
    let_arrive,
    let_fail,
    pay_out_daily,
    pay_out_now,
    settle,
    settle_payout,
)
from portal.payment_collection.gateway import PayoutSeen
from portal.payment_collection.movements import book_as_fees
from portal.payment_collection.payouts import know_payout
from portal.tasks import run_waiting
from tests.conftest import count_statements
from tests.payment_collection.payout_world import DAY, PayoutWorld, big_payout
from tests.payment_collection.test_settling import begin, press

LATER = date(2026, 12, 31)
R = AccountRole


def in_account(role):
    return balance_of(account_id_for(role), LATER)


def in_the_bank():
    query = sa.select(sa.func.sum(BankDeposit.amount))
    return db.session.scalar(query) or ZERO


def known(ref):
    """The payout's row, as a webhook or the daily look makes it."""
    payout_id = know_payout(current_app.extensions["gateway"].look_up_payout(ref))
    db.session.commit()
    return payout_id


def payout_of(payout_id):
    return db.session.get(Payout, payout_id, populate_existing=True)


def only_payout():
    return db.session.scalars(sa.select(Payout).execution_options(populate_existing=True)).one()


def problems():
    query = sa.select(GatewayMovement).where(GatewayMovement.problem != "")
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


@pytest.fixture
def world(build):
    return PayoutWorld(build.customer())


def paid(build, button="succeed"):
    """Somebody pays 80 on the gateway's page, and we record it."""
    attempt_id, page = begin(build.posted("80"))
    press(page, button)
    if button == "bank-debit":
        press(page, "debit-settles")
    settle(attempt_id)


def test_five_hundred_rows_net_to_zero(build, seed, figure):
    world = big_payout(build.customer(), seed)
    payout_id = known(world.pay_out())

    with count_statements() as statements:
        settle_payout(payout_id)

    payout = payout_of(payout_id)
    kinds = {one.kind for one in world.moved}
    assert (len(world.moved), len(kinds)) == (500, 6)
    assert problems() == []
    assert (payout.difference, payout.state) == (ZERO, PayoutState.PAID)
    assert payout.matched_at is not None
    assert in_account(R.TEST_CLEARING) == ZERO
    assert in_the_bank() == payout.amount
    # SQLite inserts row by row to learn each id; whatever is asked does not grow with the rows
    asked = [one for one in statements if not one.startswith("INSERT")]
    assert len(asked) < 40
    figure("rows", len(world.moved))
    figure("paid out", payout.amount)
    figure("clearing afterwards", in_account(R.TEST_CLEARING))
    figure("statements that are no insert", len(asked))


@pytest.mark.parametrize(
    "kind", [MovementKind.CHARGE, MovementKind.REFUND, MovementKind.DISPUTE], ids=str
)
def test_one_injected_cent_is_found_and_named(build, seed, figure, kind):
    world = big_payout(build.customer(), seed, rows=100)
    of_kind = [n for n, one in enumerate(world.moved) if one.kind == kind]
    chosen = world.random.choice(of_kind)
    ours = world.moved[chosen].amount
    payout_id = known(world.pay_out(cent_on=chosen))
    settle_payout(payout_id)

    (row,) = problems()
    theirs = abs(ours + Money(1))
    assert row.movement_ref == world.moved[chosen].movement_ref
    assert str(theirs) in row.problem
    assert str(abs(ours)) in row.problem
    payout = payout_of(payout_id)
    assert (payout.difference, payout.matched_at) == (Money(-1), None)
    assert in_account(R.TEST_CLEARING) == Money(-1)
    figure(f"a cent on a {kind}", row.problem)


def test_settling_any_number_of_times_books_once(build, seed):
    world = big_payout(build.customer(), seed, rows=50)
    payout_id = known(world.pay_out())
    for _ in range(3):
        settle_payout(payout_id)

    count = sa.select(sa.func.count())
    assert db.session.scalar(count.select_from(GatewayMovement)) == 50
    assert db.session.scalar(count.select_from(BankDeposit)) == 1
    assert in_account(R.TEST_CLEARING) == ZERO


def test_a_fee_is_booked_on_the_day_it_was_taken(build):
    paid(build)
    pay_out_now()
    run_waiting()

    (entry,) = db.session.scalars(
        sa.select(JournalEntry).where(JournalEntry.source_kind == "gatewaymovement")
    )
    assert (entry.entry_date, entry.lines[0].amount) == (DAY, Money.of("2.62"))  # 2.9 % + 30¢


def test_a_debit_costs_less_and_never_more_than_five_dollars(build):
    paid(build, "bank-debit")
    pay_out_now()
    run_waiting()

    (row,) = db.session.scalars(sa.select(GatewayMovement))
    assert row.fee == Money.of("0.64")


def test_a_fee_of_a_closed_month_is_booked_on_the_next_open_day(world, monday):
    world.charge(Money.of(100))
    ref = world.pay_out()
    db.session.add(AccountingPeriod(starts_on=date(2026, 3, 1), state=PeriodState.CLOSED))
    db.session.commit()
    with clock.frozen(monday + timedelta(days=30)):
        settle_payout(known(ref))

    days = db.session.scalars(
        sa.select(JournalEntry.entry_date).where(
            JournalEntry.source_kind.in_(["gatewaymovement", "payout"])
        )
    )
    assert set(days) == {date(2026, 4, 1)}


def test_a_payout_arrives_and_is_a_deposit_of_no_real_bank(build, monday):
    paid(build)
    pay_out_now()
    run_waiting()
    assert only_payout().state is PayoutState.ON_ITS_WAY
    assert in_the_bank() == ZERO

    with clock.frozen(monday + timedelta(days=1)):
        let_arrive(only_payout().payout_ref)
        run_waiting()

    deposit = db.session.scalars(sa.select(BankDeposit)).one()
    assert (deposit.amount, deposit.deposited_on) == (Money.of("77.38"), date(2026, 3, 3))
    assert in_account(R.CHECKING) == ZERO
    assert in_account(R.TEST_CLEARING) == ZERO


def test_a_payout_that_fails_is_taken_back_and_comes_with_the_next(build, monday):
    paid(build)
    pay_out_now()
    run_waiting()
    first = only_payout()
    let_arrive(first.payout_ref)
    run_waiting()
    let_fail(first.payout_ref)
    run_waiting()

    assert payout_of(first.id).state is PayoutState.FAILED
    assert in_the_bank() == ZERO
    assert in_account(R.TEST_CLEARING) == Money.of("77.38")
    assert payout_of(first.id).failure == "The bank account is closed."

    paid(build)
    pay_out_now()
    run_waiting()
    second = db.session.scalars(sa.select(Payout).order_by(Payout.id.desc())).first()
    let_arrive(second.payout_ref)
    run_waiting()

    assert in_the_bank() == Money.of("77.38") + Money.of("77.38")
    assert in_account(R.TEST_CLEARING) == ZERO
    assert payout_of(second.id).difference == ZERO


def test_with_every_webhook_lost_the_daily_look_finds_the_payout(build, monday):
    paid(build)
    gate = current_app.extensions["gateway"]
    db.session.commit()
    gate.pay_out()
    (ref,) = gate.arrivals(LATER)
    gate.let_arrive(ref)

    find_payouts()
    run_waiting()

    assert only_payout().state is PayoutState.PAID
    assert in_account(R.TEST_CLEARING) == ZERO


def test_a_payout_that_comes_back_after_it_matched_is_noticed_without_a_webhook(build, monday):
    paid(build)
    pay_out_now()
    let_arrive(known_ref())
    run_waiting()
    ref = known_ref()
    db.session.commit()
    current_app.extensions["gateway"].let_fail(ref)
    assert list(due_payouts()) == []

    with clock.frozen(monday + timedelta(days=2)):
        find_payouts()
        run_waiting()

    assert only_payout().state is PayoutState.FAILED


def known_ref():
    query = sa.select(TestGatewayObject.ref).where(TestGatewayObject.kind == "payout")
    return db.session.scalars(query).one()


def test_money_nobody_here_knows_is_named_and_looked_at_daily(world, monday):
    world.charge(Money.of(100))
    stranger = replace(world.moved[0], movement_ref="tbt_x", payment_ref="tpi_x")
    world.moved.append(stranger)
    payout_id = known(world.pay_out())
    settle_payout(payout_id)

    assert problems()[0].problem == "The processor received $100.00; no payment here is it."
    assert payout_of(payout_id).difference == -Money.of(100)
    with clock.frozen(monday + timedelta(days=1, minutes=1)):
        assert list(due_payouts()) == [payout_id]
    with clock.frozen(monday + timedelta(days=32)):
        settle_payout(payout_id)
    assert payout_of(payout_id).next_check_at is None


def test_one_payment_answers_for_one_movement_only(world):
    world.charge(Money.of(100))
    world.moved.append(replace(world.moved[0], movement_ref="tbt_again"))
    settle_payout(known(world.pay_out()))

    (row,) = problems()
    assert row.movement_ref == "tbt_again"
    assert "once more" in row.problem


def test_what_the_processor_moved_by_itself_waits_for_a_person(world):
    world.charge(Money.of(100))
    kind = MovementKind.ADJUSTMENT.value
    world.moved.append(replace(world.moved[0], movement_ref="tbt_a", kind=kind,
                               amount=-Money.of(3), fee=ZERO))  # fmt: skip
    payout_id = known(world.pay_out())
    settle_payout(payout_id)
    assert payout_of(payout_id).difference == Money.of(3)

    book_as_fees(problems()[0].id)
    db.session.commit()
    settle_payout(payout_id)

    assert payout_of(payout_id).difference == ZERO
    assert in_account(R.TEST_CLEARING) == ZERO
    charge = sa.select(GatewayMovement.id).where(GatewayMovement.kind == MovementKind.CHARGE)
    charge_id = db.session.scalar(charge)
    with pytest.raises(DomainError, match="by itself"):
        book_as_fees(charge_id)


def test_a_payout_by_hand_without_a_list_says_what_clearing_keeps(world, monkeypatch):
    seen = PayoutSeen("tpo_hand", Money.of(50), DAY, "paid")
    gate = current_app.extensions["gateway"]
    monkeypatch.setattr(gate, "look_up_payout", lambda _ref: seen)
    payout_id = know_payout(seen)
    db.session.commit()
    settle_payout(payout_id)

    assert payout_of(payout_id).difference == -Money.of(50)
    assert payout_of(payout_id).matched_at is None


def test_a_gateway_that_cannot_be_reached_changes_nothing(world, monkeypatch, monday):
    world.charge(Money.of(100))
    payout_id = known(world.pay_out())

    def dead(_ref):
        raise OutsideFailure("The line is dead.")

    monkeypatch.setattr(current_app.extensions["gateway"], "look_up_payout", dead)

    assert settle_payout(payout_id) is PayoutState.ON_ITS_WAY
    assert payout_of(payout_id).next_check_at == monday + timedelta(hours=1)


def test_an_event_about_no_payout_is_parked(world):
    event = GatewayEvent(
        gateway="test", event_ref="e", kind="payout.paid",
        body=b'{"id":"e","type":"payout.paid","object":"tpo_no","reference":"","session":"",'
        b'"payment":""}',
    )  # fmt: skip
    db.session.add(event)
    db.session.commit()
    handle_event(event.id)

    db.session.refresh(event)
    assert (event.state, event.note) == (
        GatewayEventState.PARKED, "The processor knows no such payout.",
    )  # fmt: skip


def test_the_test_gateway_pays_out_daily_and_nothing_twice(build, monday):
    paid(build)
    pay_out_daily()
    pay_out_daily()
    run_waiting()
    assert in_the_bank() == ZERO

    with clock.frozen(monday + timedelta(days=1)):
        pay_out_daily()
        run_waiting()

    assert only_payout().state is PayoutState.PAID
    assert in_the_bank() == Money.of("77.38")
