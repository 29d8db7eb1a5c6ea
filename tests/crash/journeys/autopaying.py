"""Autopay announces a charge, carries it out on its day, notes it and sends the receipt."""

from datetime import timedelta

from portal.kernel import clock
from portal.kernel.money import ZERO, Money
from portal.models import ChargeState, Invoice, PlannedCharge
from tests.crash.journeys.journey import (
    Journey,
    at_gateway,
    message_ids,
    messages,
    received,
    rows,
    work,
)
from tests.payment_collection.planned import with_autopay

P = "portal.payment_collection"
NOTICE = timedelta(days=3)
CARD = f"{P}.gateways.test_gateway.charges:TestCharges"
PLACES = {
    f"{P}.planning:_plan": 1,
    f"{P}.planning:write_notice": 1,
    f"{P}.planned:lease": 1,
    f"{P}.planned:decide": 1,
    f"{P}.charging:_persist": 1,
    f"{P}.planned:_link": 1,
    f"{CARD}.prepare_charge": 1,
    f"{P}.charging:_keep_reference": 1,
    f"{P}.charging:_why_no_more": 1,
    f"{CARD}.confirm_charge": 1,
    f"{P}.charging:record_outcome": 1,
    f"{P}.settling:receive_payment": 1,
    f"{P}.planned:note_outcome": 2,
}


def prepare(build):
    customer = build.customer("Ada", email="ada@example.org")
    with_autopay(build, customer)
    build.posted("80", customer=customer)


def live():
    work()
    with clock.frozen(clock.now() + NOTICE):
        work()


def check(box):
    taken = at_gateway("charge", "succeeded")
    assert [one.amount for one in received()] in (taken, [])
    assert len(taken) <= 1
    assert len(rows(PlannedCharge)) <= 1
    assert len(messages("receipt")) == len(received())


def at_the_end(box):
    assert [one.amount for one in received()] == [Money.of(80)]
    assert rows(Invoice)[0].balance == ZERO
    (charge,) = rows(PlannedCharge)
    assert (charge.state, charge.tries) == (ChargeState.SUCCEEDED, 1)
    assert len(set(message_ids(box))) == 2  # the notice and the receipt


JOURNEY = Journey("autopay", PLACES, prepare, live, check, at_the_end, NOTICE)
