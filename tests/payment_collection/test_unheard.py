"""Webhooks are lost or late: what moved money is heard of all the same."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import (
    DisputeState,
    GatewayDifference,
    GatewayEvent,
    GatewayEventState,
    GatewayMovement,
)
from portal.payment_collection import compare_with_gateway, handle_event, waiting_events
from portal.payment_collection.payouts import look_at_movement
from tests.payment_collection.money_back import (
    at_gateway,
    fresh,
    house,
    keep,
    only_dispute,
    only_refund,
    paid,
)


def test_a_dispute_no_webhook_told_of_is_found_by_the_comparison(build):
    payment, _invoice = paid(build)
    at_gateway(payment, "dispute")

    compare_with_gateway()

    assert only_dispute().state is DisputeState.OPEN
    assert only_dispute().held == Money.of(80)
    assert fresh(payment).disputed


def test_a_dispute_lost_without_a_word_opens_the_invoice_again(build):
    payment, invoice = paid(build)
    at_gateway(payment, "dispute")
    compare_with_gateway()
    at_gateway(payment, "dispute-won")

    compare_with_gateway()

    assert only_dispute().state is DisputeState.WON
    assert only_dispute().held == ZERO
    assert fresh(invoice).balance == ZERO


def test_a_refund_made_there_without_a_word_is_recorded(build):
    payment, invoice = paid(build)
    at_gateway(payment, "refund-half")

    assert compare_with_gateway() == 0

    assert only_refund().amount == Money.of(40)
    assert fresh(invoice).balance == Money.of(40)
    assert db.session.scalars(sa.select(GatewayDifference)).all() == []


def test_looking_at_an_unmatched_movement_again_asks_about_its_dispute(build, monkeypatch):
    payment, _invoice = paid(build)
    at_gateway(payment, "dispute")
    with monkeypatch.context() as deaf:
        deaf.setattr("portal.payment_collection.comparing.hear_of", lambda _movements: None)
        compare_with_gateway()
    unmatched = sa.select(GatewayMovement.id).where(GatewayMovement.problem != "")
    movement_id = db.session.scalars(unmatched).one()
    db.session.commit()

    assert look_at_movement(movement_id) == ""
    assert only_dispute().state is DisputeState.OPEN


def test_an_outage_of_days_parks_no_event(build, monday, monkeypatch):
    def fail(*_words):
        raise OutsideFailure("The line is dead.")

    payment, _invoice = paid(build)
    bodies = at_gateway(payment, "dispute")
    with monkeypatch.context() as outage:
        outage.setattr(house(), "look_up_dispute", fail)
        keep(bodies[0])
        for hours in range(0, 30, 2):
            with clock.frozen(monday + timedelta(hours=hours)):
                for event_id in list(waiting_events()):
                    handle_event(event_id)
    kept = db.session.scalars(sa.select(GatewayEvent).order_by(GatewayEvent.id.desc())).first()
    assert kept.state is GatewayEventState.WAITING

    with clock.frozen(monday + timedelta(hours=31)):
        for event_id in list(waiting_events()):
            handle_event(event_id)

    assert only_dispute().state is DisputeState.OPEN


@pytest.mark.parametrize("kind", ["AuthenticationError", "PermissionError"])
def test_a_wrong_key_is_no_answer_about_a_payment(kind):
    import stripe

    from portal.payment_collection.gateways.stripe.client import failure

    said = failure(getattr(stripe, kind)("Invalid API Key provided: sk_live_1"))

    assert not said.permanent
    assert "sk_live" not in str(said)
