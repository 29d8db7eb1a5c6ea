"""Money in another currency than was asked for: never applied, told, resolved by a person."""

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import db
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import (
    AccountRole,
    AttemptState,
    DifferenceKind,
    DisputeState,
    GatewayDifference,
    GatewayEventState,
    GatewayMovement,
    GatewayRefundState,
    Payment,
    Payout,
    TestCheckout,
    TestGatewayObject,
)
from portal.payment_collection import (
    book_as_fees,
    compare_with_gateway,
    explain,
    find_payouts,
    find_refunds,
    look_at_dispute,
    recheck,
    recheck_refund,
    settle,
    waiting_online,
)
from tests.payment_collection.money_back import (
    at_gateway,
    back,
    fresh,
    held_on,
    only_dispute,
    only_refund,
    paid,
)
from tests.payment_collection.test_both_gateways import charge, gateway, save, world
from tests.payment_collection.test_comparing import differences
from tests.payment_collection.test_settling import begin, payments, press, state_of

__all__ = ["world"]
D = DifferenceKind


def in_euros(kind):
    """What the TEST GATEWAY keeps of a kind is in euros from now on."""
    rows = db.session.scalars(
        sa.select(TestGatewayObject).where(TestGatewayObject.kind == kind)
    ).all()
    for row in rows:
        row.data = {**row.data, "currency": "EUR"}
    db.session.execute(sa.update(TestCheckout).values(currency="EUR"))
    db.session.commit()


def only_difference():
    (row,) = [one for one in differences() if one.resolved_at is None]
    return row


def owed(invoice):
    return db.session.get(type(invoice), invoice.id, populate_existing=True).balance


def test_both_gateways_say_the_currency_of_money_received(build, world):
    invoice = build.posted("80")
    attempt = charge(invoice, save(world, invoice.customer))

    assert gateway().look_up_charge(attempt.payment_ref).currency == "USD"


def test_a_charge_in_another_currency_pays_nothing_at_either_gateway(build, world):
    invoice = build.posted("80")
    attempt = charge(invoice, save(world, invoice.customer, "bank"))
    attempt_id, ref = attempt.id, attempt.payment_ref
    db.session.commit()
    if hasattr(world, "things"):
        world.things[ref]["currency"] = "eur"
    else:
        in_euros("charge")
    world.press_charge(ref, "debit-settles")

    assert settle(attempt_id) is AttemptState.UNKNOWN
    assert settle(attempt_id) is AttemptState.UNKNOWN
    assert recheck(attempt_id) is AttemptState.UNKNOWN

    assert (payments(), owed(invoice)) == ([], Money.of(80))
    row = only_difference()
    assert (row.kind, row.ref, row.ours) == (D.OTHER_CURRENCY, ref, Money.of(80))
    assert "received €80.00; $80.00 was asked for" in row.sentence
    assert waiting_online().differences == 1


def test_a_page_paid_in_another_currency_is_parked_until_a_person_saw_to_it(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    press(page, "succeed")
    in_euros("charge")
    settle(attempt_id)
    with pytest.raises(DomainError):
        begin(invoice)  # nothing is asked for a second time meanwhile
    db.session.rollback()

    explain(only_difference().id, by="Olive", because="Given back there.")
    db.session.commit()

    assert state_of(attempt_id) is AttemptState.EXPIRED
    assert settle(attempt_id) is AttemptState.EXPIRED
    assert [one for one in differences() if one.resolved_at is None] == []
    begin(invoice)


def test_the_list_in_another_currency_is_a_difference_of_its_own(build):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    settle(attempt_id)
    in_euros("charge")

    compare_with_gateway()

    assert D.OTHER_CURRENCY in [one.kind for one in differences()]
    (movement,) = db.session.scalars(sa.select(GatewayMovement))
    assert "not our currency" in movement.problem
    assert (movement.currency, movement.payment_id) == ("EUR", None)


def test_a_movement_in_another_currency_is_never_booked(build):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    settle(attempt_id)
    in_euros("charge")
    compare_with_gateway()
    (movement,) = db.session.scalars(sa.select(GatewayMovement))
    movement.kind = "adjustment"
    db.session.flush()

    with pytest.raises(DomainError, match="another currency"):
        book_as_fees(movement.id)


def test_a_payout_in_another_currency_makes_no_deposit(build):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    settle(attempt_id)
    in_euros("charge")
    gateway().pay_out()
    db.session.commit()

    find_payouts()

    assert db.session.scalars(sa.select(Payout)).all() == []
    assert "paid out" in only_difference().sentence


def test_a_refund_that_left_in_another_currency_is_not_booked(build):
    payment, _invoice = paid(build)
    at_gateway(payment, "slow-refunds")
    back(build, payment, "30")
    in_euros("refund")
    db.session.execute(
        sa.update(TestGatewayObject)
        .where(TestGatewayObject.kind == "refund")
        .values(state="succeeded")
    )
    db.session.commit()

    recheck_refund(only_refund().id)

    assert only_refund().state is GatewayRefundState.IN_TRANSIT
    assert "€30.00" in only_refund().failure
    assert only_difference().kind is D.OTHER_CURRENCY
    assert only_refund().next_check_at is None  # a person sees to it
    assert held_on(AccountRole.REFUNDS_IN_TRANSIT) == -Money.of(30)

    explain(only_difference().id, by="Olive", because="It was right.")
    db.session.commit()

    refund = only_refund()
    assert (refund.state, refund.next_check_at) == (GatewayRefundState.SUCCEEDED, None)
    assert held_on(AccountRole.REFUNDS_IN_TRANSIT) == ZERO
    assert "Olive saw to what went back" in trail_of(refund.refund)[0].sentence
    recheck_refund(refund.id)
    compare_with_gateway()
    assert only_refund().state is GatewayRefundState.SUCCEEDED
    assert [one.ref for one in differences() if one.resolved_at is None] == [payment.provider_ref]


def test_a_refund_in_another_currency_that_never_left_fails_as_any_other(build):
    payment, invoice = paid(build)
    at_gateway(payment, "slow-refunds")
    back(build, payment, "30")
    in_euros("refund")
    is_said_to_be(state="failed")

    recheck_refund(only_refund().id)

    assert (only_refund().state, owed(invoice)) == (GatewayRefundState.FAILED, ZERO)


def test_a_refund_of_another_amount_is_listed_and_a_currency_is_told_first(build):
    payment, _invoice = paid(build)
    at_gateway(payment, "slow-refunds")
    back(build, payment, "30")
    is_said_to_be(state="succeeded", amount=Money.of(27))

    recheck_refund(only_refund().id)

    row = only_difference()
    assert (row.kind, row.ours, row.theirs) == (D.OTHER_AMOUNT, Money.of(30), Money.of(27))
    assert only_refund().state is GatewayRefundState.IN_TRANSIT
    in_euros("refund")
    recheck_refund(only_refund().id)
    assert "€27.00" in only_refund().failure
    assert "$27" not in only_refund().failure


def is_said_to_be(**words):
    """What the gateway says of its refunds from now on."""
    refunds = sa.update(TestGatewayObject).where(TestGatewayObject.kind == "refund")
    db.session.execute(refunds.values(**words))
    db.session.commit()


def test_a_refund_made_there_in_another_currency_waits_for_a_person(build):
    payment, _invoice = paid(build)
    ref = payment.provider_ref
    at_gateway(payment, "refund-half")
    in_euros("refund")

    state, note = find_refunds(ref)

    assert (state, "€40.00" in note) == (GatewayEventState.PARKED, True)
    assert db.session.scalars(sa.select(Payment).where(Payment.amount < ZERO)).all() == []


def test_a_dispute_in_another_currency_is_not_booked(build):
    payment, _invoice = paid(build)
    ref = f"tdp_{payment.provider_ref}"
    at_gateway(payment, "dispute")
    in_euros("dispute_movement")

    state, note = look_at_dispute(ref)

    assert (state, "EUR" in note) == (GatewayEventState.PARKED, True)
    assert only_difference().ref == ref
    dispute = only_dispute()
    assert (dispute.state, dispute.held, fresh(payment).disputed) == (
        DisputeState.OPEN, ZERO, True
    )  # fmt: skip
    assert held_on(AccountRole.DISPUTED) == ZERO

    at_gateway(payment, "dispute-won")
    in_euros("dispute_movement")
    look_at_dispute(ref)
    assert (only_dispute().state, fresh(payment).disputed) == (DisputeState.WON, False)
    assert held_on(AccountRole.DISPUTED) == ZERO


def test_too_much_is_credit_and_waits_in_the_list_until_it_is_used(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    press(page, "succeed")
    build.payment(invoice.customer, "50", invoice)
    db.session.commit()

    settle(attempt_id)

    row = only_difference()
    assert (row.kind, row.payment_id) == (D.OVERPAID, payments()[-1].id)
    assert row.sentence == "$50.00 is more than was due and is the customer's credit."
    build.posted("50", customer=invoice.customer)
    from portal.payments import apply_oldest_first

    apply_oldest_first(payments()[-1], on=build.today)
    db.session.commit()
    compare_with_gateway()
    assert differences()[0].resolution == "The credit was used or given back."


@pytest.mark.parametrize(("came", "kind"), [("79", D.OTHER_AMOUNT), ("81", D.OVERPAID)])
def test_another_amount_than_was_asked_for_is_recorded_and_told(build, came, kind):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    press(page, "succeed")
    db.session.execute(sa.update(TestCheckout).values(amount=Money.of(came)))
    db.session.commit()

    settle(attempt_id)

    row = only_difference()
    assert (row.kind, row.ours, row.theirs) == (kind, Money.of(80), Money.of(came))
    assert row.sentence.startswith("This payment asked for $80.00;")


def test_money_given_back_twice_is_a_task_a_person_resolves(build):
    payment, _invoice = paid(build)
    ref = payment.provider_ref
    at_gateway(payment, "refund-rest")
    find_refunds(ref)
    db.session.execute(sa.delete(GatewayDifference))
    made = TestGatewayObject(
        ref="tre_again", kind="refund", parent_ref=ref, state="succeeded", amount=Money.of(20),
        data={"reference": "", "moved_at": "2026-03-02T12:00:00+00:00"},
    )  # fmt: skip
    db.session.add(made)
    db.session.commit()

    find_refunds(ref)
    find_refunds(ref)

    row = only_difference()
    assert (row.kind, row.theirs, row.payment_id) == (D.GIVEN_BACK_TWICE, Money.of(20), payment.id)
    explain(row.id, by="Olive", because="The customer sent it back by check.")
    db.session.commit()
    find_refunds(ref)
    assert [one for one in differences() if one.resolved_at is None] == []
