"""Money goes back the way it came: in transit, settled, come back; made here or there."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import db, in_transaction
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import (
    AccountingPeriod,
    AccountRole,
    GatewayEvent,
    GatewayEventState,
    GatewayRefund,
    GatewayRefundState,
    Invoice,
    InvoiceKind,
    Payment,
    PeriodState,
)
from portal.payment_collection import (
    due_refunds,
    find_refunds,
    gateway_problem,
    recheck_refund,
    send_back,
    settle_refund,
)
from portal.payment_collection.gateways.test_gateway import TestGateway
from portal.payment_collection.settling_refunds import record_refund
from portal.payments import (
    credit_of,
    left_to_give_back,
    refund,
    refund_types,
    sources_of_payment,
    unapply,
    void_problem,
)
from portal.tasks import run_waiting
from tests.payment_collection.money_back import (
    at_gateway,
    back,
    fresh,
    held_on,
    house,
    only_refund,
    paid,
    told,
    words,
)
from tests.payment_collection.test_settling import begin, deliver, press

S = GatewayRefundState
IN_TRANSIT, CLEARING = AccountRole.REFUNDS_IN_TRANSIT, AccountRole.TEST_CLEARING


def test_money_goes_back_to_the_card_and_the_invoice_is_owed_again(build):
    payment, invoice = paid(build)

    given = back(build, payment, "30")

    assert only_refund().state is S.SUCCEEDED
    assert (fresh(invoice).balance, given.amount) == (Money.of(30), -Money.of(30))
    assert (held_on(IN_TRANSIT), held_on(CLEARING)) == (ZERO, Money.of(50))
    assert trail_of(given)[0].sentence == "$30.00 went back to where they came from."


def test_it_is_in_transit_before_the_gateway_hears_of_it(build):
    payment, _invoice = paid(build)

    send_back(sources_of_payment(payment)[0], words(build, "30"))
    db.session.commit()

    assert only_refund().state is S.CREATED
    assert (held_on(IN_TRANSIT), held_on(CLEARING)) == (-Money.of(30), Money.of(80))
    assert house().refunds_of(payment.provider_ref) == []


def test_a_slow_refund_stays_in_transit_until_it_settles(build):
    payment, _invoice = paid(build, by="bank-debit")
    back(build, payment, "30")
    assert only_refund().state is S.IN_TRANSIT
    assert held_on(IN_TRANSIT) == -Money.of(30)

    told(payment, "refund-settles", only_refund().refund_ref)

    assert only_refund().state is S.SUCCEEDED
    assert (held_on(IN_TRANSIT), held_on(CLEARING)) == (ZERO, Money.of(50))


@pytest.mark.parametrize("by", ["succeed", "bank-debit"], ids=["after it settled", "in transit"])
def test_a_refund_that_fails_leaves_everything_as_before(build, by):
    payment, invoice = paid(build, by=by)
    given = back(build, payment, "30")

    told(payment, "refund-fails", only_refund().refund_ref)

    assert only_refund().state is S.FAILED
    assert fresh(given).returned_because == "the bank account was closed"
    assert (credit_of(payment.customer_id), fresh(invoice).balance) == (ZERO, ZERO)
    said = "The refund of $30.00 came back, the bank account was closed: it is where it was"
    assert trail_of(payment)[0].sentence.startswith(said)
    assert (held_on(IN_TRANSIT), held_on(CLEARING)) == (ZERO, Money.of(80))
    assert left_to_give_back(fresh(payment)) == Money.of(80)


def test_a_failed_refund_keeps_its_document_and_can_be_paid_out_another_way(build):
    payment, _invoice = paid(build)
    given = back(build, payment, "30", "Customer complaint")
    told(payment, "refund-fails", only_refund().refund_ref)

    credit = fresh(given).refunds

    assert credit.document.kind is InvoiceKind.REFUND
    assert credit.unapplied == Money.of(30)
    assert [one.limit for one in sources_of_payment(credit)] == [Money.of(30)]
    again = send_back(sources_of_payment(credit)[0], words(build, "30", "Overpaid"))
    db.session.commit()
    run_waiting()
    assert (again.gives_back_id, fresh(credit).unapplied) == (payment.id, ZERO)


def test_with_every_webhook_lost_the_janitor_alone_converges(build, monday):
    payment, _invoice = paid(build, by="bank-debit")
    back(build, payment, "30")
    at_gateway(payment, "refund-settles", only_refund().refund_ref)

    with clock.frozen(monday + timedelta(hours=25)):
        for one in list(due_refunds()):
            recheck_refund(one)

    assert only_refund().state is S.SUCCEEDED
    assert list(due_refunds()) == []


def test_a_lost_answer_is_asked_again_with_the_same_key(build, monkeypatch, monday):
    payment, _invoice = paid(build)
    real = house().give_back

    def lost(order):
        real(order)
        raise OutsideFailure("connection dropped")

    with monkeypatch.context() as broken:
        broken.setattr(house(), "give_back", lost)
        back(build, payment, "30")
    assert only_refund().state is S.UNKNOWN
    assert held_on(IN_TRANSIT) == -Money.of(30)

    with clock.frozen(monday + timedelta(minutes=6)):
        assert settle_refund(only_refund().id) is S.SUCCEEDED
    assert len(house().refunds_of(payment.provider_ref)) == 1


def test_after_a_day_a_refund_is_looked_for_and_never_asked_again(build, monkeypatch, monday):
    payment, _invoice = paid(build)
    real = house().give_back

    def lost(order):
        real(order)
        raise OutsideFailure("connection dropped")

    with monkeypatch.context() as broken:
        broken.setattr(house(), "give_back", lost)
        back(build, payment, "30")
        with clock.frozen(monday + timedelta(hours=24)):
            broken.setattr(house(), "give_back", lambda _order: pytest.fail("asked again"))
            assert settle_refund(only_refund().id) is S.SUCCEEDED


def test_a_refund_that_never_arrived_fails_after_a_day(build, monkeypatch, monday):
    payment, _invoice = paid(build)

    def dead(_order):
        raise OutsideFailure("no connection")

    with monkeypatch.context() as broken:
        broken.setattr(house(), "give_back", dead)
        given = back(build, payment, "30")
        assert only_refund().state is S.UNKNOWN
        with clock.frozen(monday + timedelta(hours=24)):
            assert settle_refund(only_refund().id) is S.FAILED

    assert "never reached" in fresh(given).returned_because


def test_a_definite_refusal_fails_it_at_once(build, monkeypatch):
    payment, invoice = paid(build)

    def refuse(_order):
        raise OutsideFailure("The charge is too old.", permanent=True)

    monkeypatch.setattr(house(), "give_back", refuse)
    back(build, payment, "30")

    assert only_refund().state is S.FAILED
    assert fresh(invoice).balance == ZERO


def test_credit_that_could_not_be_paid_out_is_credit_again(build):
    payment, invoice = paid(build, credit="50")
    back(build, payment, "30", "Overpaid")

    told(payment, "refund-fails", only_refund().refund_ref)

    assert (credit_of(payment.customer_id), fresh(invoice).balance) == (Money.of(50), ZERO)


def test_a_refusal_nobody_can_check_leaves_it_unknown(build, monkeypatch):
    payment, _invoice = paid(build)

    def refuse(*_order):
        raise OutsideFailure("The key is wrong.", permanent=True)

    monkeypatch.setattr(house(), "give_back", refuse)
    monkeypatch.setattr(house(), "refunds_of", refuse)
    back(build, payment, "30")

    assert only_refund().state is S.UNKNOWN


def test_another_amount_than_we_asked_for_is_shown_to_a_person(build, monkeypatch):
    payment, _invoice = paid(build)
    real = house().give_back
    monkeypatch.setattr(
        house(), "give_back", lambda order: replace(real(order), amount=Money.of(31))
    )
    back(build, payment, "30")

    assert only_refund().state is S.UNKNOWN
    assert "$31.00 instead" in only_refund().failure


def test_never_more_than_came_in_goes_back(build):
    payment, _invoice = paid(build)
    back(build, payment, "50")

    with pytest.raises(InvalidFields, match=r"Only \$30.00"):
        back(build, fresh(payment), "30.01")
    db.session.rollback()
    back(build, fresh(payment), "30")
    with pytest.raises(IndexError):
        back(build, fresh(payment), "0.01")


def test_money_of_the_desk_does_not_go_to_a_card(build):
    payment = build.payment(build.customer(), "50")

    assert "did not come in online" in gateway_problem(payment)
    with pytest.raises(DomainError, match="did not come in online"):
        send_back(sources_of_payment(payment)[0], words(build, "5", "Overpaid"))


def test_money_of_another_processor_goes_back_another_way(build, app, monkeypatch):
    class Live(TestGateway):
        name, livemode = "stripe", True

    payment, _invoice = paid(build)
    monkeypatch.setitem(app.extensions, "gateway", Live("other", "http://localhost"))

    assert "no longer used" in gateway_problem(payment)


def test_only_the_processor_undoes_what_went_through_it(build):
    payment, _invoice = paid(build)

    assert "card processor" in void_problem(back(build, payment, "30"))


def test_a_refund_made_at_the_processor_is_taken_off_the_newest_invoice(build):
    payment, invoice = paid(build)

    told(payment, "refund-half")

    (row,) = db.session.scalars(sa.select(GatewayRefund)).all()
    assert (row.state, row.amount) == (S.SUCCEEDED, Money.of(40))
    assert row.refund.refund_reason.name == "Made at the card processor"
    assert fresh(invoice).balance == Money.of(40)
    assert (held_on(IN_TRANSIT), held_on(CLEARING)) == (ZERO, Money.of(40))
    events = db.session.scalars(sa.select(GatewayEvent.state)).all()
    assert set(events) == {GatewayEventState.HANDLED}


def test_it_takes_credit_first(build):
    payment, invoice = paid(build, credit="50")
    assert payment.unapplied == Money.of(50)

    told(payment, "refund-half")

    assert (fresh(payment).unapplied, fresh(invoice).balance) == (Money.of(10), ZERO)
    told(payment, "refund-rest")
    assert (fresh(payment).unapplied, fresh(invoice).balance) == (ZERO, Money.of(30))


def test_it_is_found_without_any_webhook(build):
    payment, invoice = paid(build)
    at_gateway(payment, "refund-half")

    assert find_refunds(payment.provider_ref)[0] is GatewayEventState.HANDLED
    find_refunds(payment.provider_ref)

    assert fresh(invoice).balance == Money.of(40)
    assert len(db.session.scalars(sa.select(GatewayRefund)).all()) == 1


def test_one_that_failed_before_we_heard_of_it_is_nothing(build):
    payment, invoice = paid(build, by="bank-debit")
    first = at_gateway(payment, "refund-half")
    at_gateway(payment, "refund-fails", house().refunds_of(payment.provider_ref)[0].refund_ref)
    for body in first:
        deliver(body)

    assert db.session.scalars(sa.select(GatewayRefund)).all() == []
    assert fresh(invoice).balance == ZERO


def test_what_was_given_back_twice_is_shown_to_a_person(build):
    payment, invoice = paid(build)
    real = sources_of_payment(payment)[0]
    payment.livemode = True  # as if real money had been given back by check before
    refund(real, words(build, "60", type=refund_types()[0]))
    db.session.commit()

    told(payment, "refund-half")

    note = db.session.scalars(
        sa.select(GatewayEvent.note).where(GatewayEvent.state == GatewayEventState.PARKED)
    ).first()
    assert "only $20.00 of it was left" in note
    assert fresh(invoice).balance == Money.of(80)
    assert left_to_give_back(fresh(payment)) == ZERO


def test_news_of_a_refund_wait_for_their_payment(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    press(page, "succeed")
    ref = house().look_up(page).payment_ref
    for body in house().press_payment(ref, "refund-half"):
        deliver(body)

    assert db.session.scalars(sa.select(GatewayEvent.state)).all() == [
        GatewayEventState.WAITING
    ] * 2  # fmt: skip
    assert attempt_id


def test_a_refund_is_recorded_though_its_month_is_closed(build):
    payment, _invoice = paid(build)
    at_gateway(payment, "refund-half")
    db.session.add(AccountingPeriod(starts_on=date(2026, 3, 1), state=PeriodState.CLOSED))
    db.session.commit()

    find_refunds(payment.provider_ref)

    given = db.session.scalars(sa.select(Payment).where(Payment.amount < ZERO)).one()
    assert given.received_on == date(2026, 4, 1)


def test_credit_taken_off_an_invoice_by_hand_can_go_back_to_the_card(build):
    payment, invoice = paid(build)
    unapply(payment.applications[0])
    db.session.commit()

    back(build, payment, "80", "Overpaid")

    assert (fresh(payment).unapplied, fresh(invoice).balance) == (ZERO, Money.of(80))


def test_old_news_change_nothing(build):
    payment, _invoice = paid(build, by="bank-debit")
    back(build, payment, "30")
    row_id, ref = only_refund().id, only_refund().refund_ref
    db.session.commit()
    old = house().look_up_refund(ref)
    told(payment, "refund-fails", ref)
    in_transaction(lambda: record_refund(row_id, old))

    assert only_refund().state is S.FAILED
    assert db.session.scalars(sa.select(Invoice)).unique().one().balance == ZERO
