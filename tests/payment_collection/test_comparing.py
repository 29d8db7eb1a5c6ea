"""The gateway's own list beside ours: every difference in words, once, until it is gone."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import Money
from portal.models import (
    DifferenceKind,
    GatewayDifference,
    GatewayMovement,
    TestCheckout,
    TestGatewayObject,
)
from portal.payment_collection import settle
from portal.payment_collection.comparing import compare_with_gateway
from portal.payment_collection.differences import explain, record_now
from tests.payment_collection.payout_world import PayoutWorld
from tests.payment_collection.test_settling import begin, payments, press

D = DifferenceKind


def differences():
    query = sa.select(GatewayDifference).order_by(GatewayDifference.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def open_ones():
    return [(one.kind, one.ours, one.theirs) for one in differences() if not one.resolved_at]


def paid(build, *, heard=True):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    if heard:
        settle(attempt_id)
    db.session.commit()
    return attempt_id


def test_lists_that_agree_have_no_difference_and_fees_are_booked(build):
    paid(build)

    assert compare_with_gateway() == 0
    (movement,) = db.session.scalars(sa.select(GatewayMovement))
    assert (movement.fee, movement.problem, movement.payout_id) == (Money.of("2.62"), "", None)


def test_money_we_never_heard_of_is_told_once_and_recorded_by_the_button(build, figure):
    paid(build, heard=False)
    assert compare_with_gateway() == 1
    assert compare_with_gateway() == 1
    (row,) = differences()
    figure("missing here", row.sentence)
    assert row.sentence == "The processor received $80.00; it is not recorded here."

    assert record_now(row.id) is True

    assert len(payments()) == 1
    assert open_ones() == []


def test_an_amount_that_differs_is_told_with_both(build, figure):
    paid(build)
    db.session.scalars(sa.select(TestCheckout)).one().amount = Money.of("80.01")
    db.session.commit()
    compare_with_gateway()

    assert open_ones() == [(D.AMOUNT_DIFFERS, Money.of(80), Money.of("80.01"))]
    figure("amount differs", differences()[0].sentence)


def test_money_the_processor_does_not_list_is_told(build, figure):
    paid(build)
    db.session.execute(sa.delete(TestCheckout))
    db.session.commit()
    compare_with_gateway()

    assert open_ones() == [(D.MISSING_THERE, Money.of(80), None)]
    figure("missing there", differences()[0].sentence)


def test_refunds_are_compared_too(build, figure, monkeypatch):
    monkeypatch.setattr("portal.payment_collection.comparing.hear_of", lambda _moved: None)
    world = PayoutWorld(build.customer())
    payment = world.charge(Money.of(100))
    world.refund(payment, Money.of(30))
    db.session.execute(sa.delete(TestGatewayObject).where(TestGatewayObject.kind == "refund"))
    db.session.add(TestCheckout(
        session_ref="s", payment_ref=payment.provider_ref, idempotency_key="k",
        client_reference="r", amount=payment.amount, state="succeeded", method="card",
        return_url="/", expires_at=clock.now(), pressed_at=clock.now(),
    ))  # fmt: skip
    theirs = {"kind": "refund", "state": "succeeded", "parent_ref": payment.provider_ref}
    db.session.add(TestGatewayObject(ref="tre_theirs", amount=Money.of(5), **theirs))
    db.session.commit()
    compare_with_gateway()

    assert open_ones() == [
        (D.REFUND_MISSING_HERE, None, Money.of(5)),
        (D.REFUND_MISSING_THERE, Money.of(30), None),
    ]
    for one in differences():
        figure(one.kind.replace("_", " "), one.sentence)


def test_a_difference_that_goes_away_resolves_itself(build):
    attempt_id = paid(build, heard=False)
    compare_with_gateway()
    settle(attempt_id)
    compare_with_gateway()

    (row,) = differences()
    assert (row.resolved_by, row.resolution) == ("the comparison", "Both lists agree now.")


def test_a_difference_stays_when_the_days_compared_move_on(build, monday):
    paid(build, heard=False)
    compare_with_gateway()
    for day in (2, 5, 30):
        with clock.frozen(monday + timedelta(days=day)):
            assert compare_with_gateway() == 1

    assert open_ones() == [(D.MISSING_HERE, None, Money.of(80))]


def test_what_was_explained_is_not_told_again_but_another_amount_is(build):
    paid(build)
    checkout = db.session.scalars(sa.select(TestCheckout)).one()
    checkout.amount = Money.of("80.01")
    db.session.commit()
    compare_with_gateway()
    (row,) = differences()
    with pytest.raises(InvalidFields):
        explain(row.id, by="Olive", because=" ")
    explain(row.id, by="Olive", because="A cent of rounding there.")
    db.session.commit()
    assert compare_with_gateway() == 0
    with pytest.raises(DomainError, match="resolved"):
        explain(row.id, by="Olive", because="Again.")

    db.session.scalars(sa.select(TestCheckout)).one().amount = Money.of(81)
    db.session.commit()
    assert compare_with_gateway() == 1


def test_money_taken_at_the_processor_itself_is_nobodys_attempt(build):
    db.session.add(TestCheckout(
        session_ref="s", payment_ref="tpi_hand", idempotency_key="k", client_reference="made there",
        amount=Money.of(9), state="succeeded", method="card", return_url="/",
        expires_at=clock.now(), pressed_at=clock.now(),
    ))  # fmt: skip
    db.session.commit()
    compare_with_gateway()

    with pytest.raises(DomainError, match="Nobody here asked"):
        record_now(differences()[0].id)


def test_other_gateways_money_is_not_compared(build):
    build.payment(build.customer(), "10", provider="stripe", provider_ref="pi_1")
    db.session.commit()

    assert compare_with_gateway() == 0


def test_a_debit_begun_long_ago_and_received_now_is_no_difference(build, monday):
    attempt_id, page = begin(build.posted("80"))
    press(page, "bank-debit")
    settle(attempt_id)
    with clock.frozen(monday + timedelta(days=8)):
        press(page, "debit-settles")
        assert settle(attempt_id) == "succeeded"
        db.session.commit()
        assert compare_with_gateway() == 0
