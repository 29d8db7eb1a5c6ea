"""Planned charges against everybody else: charged once, never more than is owed, no deadlock."""

from types import SimpleNamespace

import pytest

from portal.db import db, in_transaction
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import ChargeRun, ChargeState, Customer, PlannedCharge
from portal.payment_collection import (
    look_at_charge,
    look_at_charge_run,
    plan_autopay,
    stop_charge_run,
    turn_off,
)
from tests.concurrency.test_races import pays
from tests.payment_collection.planned import (
    after,
    balance_of,
    charges,
    gateway_charges,
    payments,
    with_autopay,
    work,
)
from tests.payment_collection.test_bulk import owing, rows, run_of, start

pytestmark = pytest.mark.concurrency


@pytest.fixture
def due(build):
    """An invoice over $80 that autopay charges today."""
    customer = build.customer("Ada")
    with_autopay(build, customer)
    invoice = build.posted("80", customer=customer)
    work()
    return SimpleNamespace(id=invoice.id, customer_id=customer.id)  # outlives its session


def settled(raised):
    """Refusals in words are fine; anything else is not."""
    assert all(one is None or isinstance(one, DomainError) for one in raised), raised


def test_autopay_and_a_manual_payment_never_lose_or_double_anything(due, at_once, turn):
    with after(3):
        charge_id = charges(due)[0].id
        settled(at_once(lambda: look_at_charge(charge_id), pays(due.id, Money.of(80), f"m-{turn}")))
    with after(3, hours=3):
        work()

    taken = gateway_charges()
    assert balance_of(due) == ZERO
    assert len(payments()) == 1 + len(taken) <= 2
    assert Money.total(one.unapplied for one in payments()) == Money.of(80 * len(taken))
    state = charges(due)[0].state
    assert state is (ChargeState.SUCCEEDED if taken else ChargeState.CANCELLED)


def test_two_workers_try_a_charge_once(due, at_once, turn):
    with after(3):
        charge_id = charges(due)[0].id
        settled(at_once(*[lambda: look_at_charge(charge_id)] * 3))

    assert len(gateway_charges()) == len(payments()) == 1
    assert (charges(due)[0].state, charges(due)[0].tries) == (ChargeState.SUCCEEDED, 1)


def test_turning_autopay_off_either_stops_the_charge_or_comes_too_late(due, at_once, turn):
    customer_id = due.customer_id

    def off():
        in_transaction(
            lambda: turn_off(db.session.get_one(Customer, customer_id), because="No more.")
        )

    with after(3):
        charge_id = charges(due)[0].id
        settled(at_once(lambda: look_at_charge(charge_id), off))
    with after(3, hours=3):
        work()

    state = charges(due)[0].state
    assert (state, len(gateway_charges())) in [
        (ChargeState.CANCELLED, 0),
        (ChargeState.SUCCEEDED, 1),
    ]


def test_planning_twice_at_once_plans_once(build, at_once, turn):
    customer = build.customer("Ada")
    with_autopay(build, customer)
    invoice = SimpleNamespace(id=build.posted("80", customer=customer, term="Net 15").id)

    settled(at_once(plan_autopay, plan_autopay))

    assert len(charges(invoice)) == 1


def test_stopping_a_bulk_charge_leaves_nobody_half_charged(build, at_once, turn):
    run_id = start(*(owing(build, name=f"C{n}") for n in range(3)))

    def stop():
        in_transaction(lambda: stop_charge_run(db.session.get_one(ChargeRun, run_id)))

    settled(at_once(lambda: look_at_charge_run(run_id), stop))
    work()

    states = [one.state for one in rows(run_id)]
    assert set(states) <= {ChargeState.SUCCEEDED, ChargeState.CANCELLED}
    assert len(gateway_charges()) == states.count(ChargeState.SUCCEEDED) == len(payments())
    assert run_of(run_id).state in ("done", "stopped")


def test_two_workers_on_one_bulk_charge_charge_each_once(build, at_once, turn):
    run_id = start(*(owing(build, name=f"C{n}") for n in range(3)))

    settled(at_once(*[lambda: look_at_charge_run(run_id)] * 2))
    for hours in (1, 2):
        with after(0, hours=hours):
            work()

    assert len(gateway_charges()) == len(payments()) == 3
    assert db.session.query(PlannedCharge).count() == 3
