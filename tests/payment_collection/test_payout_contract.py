"""One contract, two gateways: what a payout and its movements are to us, whoever pays out."""

from datetime import timedelta

import pytest
from flask import current_app

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import Money
from portal.models import MovementKind
from tests.payment_collection.money_back import at_gateway, paid
from tests.payment_collection.test_stripe import gateway as stripe_gateway
from tests.payment_collection.test_stripe_payouts import listed, moved, payout

MISSING = {"error": {"type": "invalid_request_error", "code": "resource_missing", "message": "No"}}
REFUND = {"id": "re_1", "object": "refund", "payment_intent": "pi_1"}


def at_test_gateway(build):
    """A card payment of $80.00, $40.00 of it given back, paid out."""
    payment, _invoice = paid(build)
    at_gateway(payment, "refund-half")
    gate = current_app.extensions["gateway"]
    gate.pay_out()
    db.session.commit()
    return gate


def at_stripe(_build):
    """The same in Stripe's words, through the real SDK."""
    back = moved("txn_2", "refund", amount=-4000, fee=0, net=-4000, source=REFUND)
    sent = payout("in_transit", amount=3738)
    answers = [listed(sent), (200, sent), listed(moved(), back), (404, MISSING)]
    return stripe_gateway(*((200, one) if isinstance(one, dict) else one for one in answers))[0]


@pytest.fixture(params=[at_test_gateway, at_stripe], ids=["test", "stripe"])
def gate(app, build, request):
    return request.param(build)


def test_a_payout_is_what_its_movements_add_up_to(gate):
    now = clock.now()
    (listed_one,) = gate.payouts_between(now - timedelta(days=1), now + timedelta(days=1))
    looked_up = gate.look_up_payout(listed_one.payout_ref)
    movements = list(gate.movements_of(listed_one.payout_ref))

    assert listed_one == looked_up
    assert (looked_up.state, looked_up.currency) == ("on_its_way", "USD")
    charge, refund = sorted(movements, key=lambda one: one.kind)
    assert (charge.kind, refund.kind) == (MovementKind.CHARGE, MovementKind.REFUND)
    assert (charge.amount, charge.fee) == (Money.of(80), Money.of("2.62"))
    assert refund.amount == Money.of(-40)
    assert charge.payment_ref == refund.payment_ref != ""
    assert {one.currency for one in movements} == {"USD"}
    assert {one.payout_ref for one in movements} == {looked_up.payout_ref}
    assert Money.total(one.amount - one.fee for one in movements) == looked_up.amount

    with pytest.raises(OutsideFailure) as failure:
        gate.look_up_payout("po_none")
    assert failure.value.missing
