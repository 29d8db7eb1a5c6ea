"""Disputes follow what the gateway really moved; only a lost one takes the payment's money."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import PageRequest, db
from portal.kernel import clock
from portal.kernel.errors import DomainError, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.ledger import Leg, post_entry
from portal.models import (
    AccountRole,
    Dispute,
    DisputeMovement,
    DisputeState,
    GatewayEvent,
    GatewayEventState,
    GatewayRefundState,
    Payment,
)
from portal.payment_collection import (
    DisputeFilter,
    disputes_of,
    find_disputes,
    handle_event,
    look_at_dispute,
    movements_of,
    recheck_dispute,
    recheck_disputes,
    to_answer,
    waiting_events,
)
from portal.payment_collection.disputes import record_dispute
from portal.payment_collection.gateways.test_gateway import disputes as test_disputes
from portal.payments import (
    credit_of,
    disputed_invoices,
    refund_problem,
    refunds_about,
    void_problem,
)
from portal.tasks import run_waiting
from tests.payment_collection.money_back import (
    at_gateway,
    back,
    fresh,
    held_on,
    house,
    only_dispute,
    only_refund,
    paid,
    told,
)
from tests.payment_collection.test_settling import begin, deliver, press

S = DisputeState
DISPUTED, CLEARING = AccountRole.DISPUTED, AccountRole.TEST_CLEARING
FEES, BAD_DEBT = AccountRole.PROCESSING_FEES, AccountRole.BAD_DEBT


def test_the_bank_holds_the_money_and_takes_a_fee_while_the_invoice_stays_paid(build):
    payment, invoice = paid(build)

    told(payment, "dispute")

    dispute = only_dispute()
    assert (dispute.state, dispute.held, dispute.fee) == (S.OPEN, Money.of(80), Money.of(15))
    assert (held_on(DISPUTED), held_on(FEES)) == (Money.of(80), Money.of(15))
    assert held_on(CLEARING) == -Money.of(15)
    assert (fresh(invoice).balance, fresh(payment).disputed) == (ZERO, True)
    assert disputed_invoices([invoice.id]) == {invoice.id}
    assert "disputes this money" in refund_problem(fresh(payment))


def test_an_inquiry_holds_nothing_and_may_become_a_dispute(build):
    payment, _invoice = paid(build)
    told(payment, "inquire")
    assert (only_dispute().state, held_on(DISPUTED)) == (S.INQUIRY, ZERO)
    assert not fresh(payment).disputed

    told(payment, "escalate")

    assert (only_dispute().state, held_on(DISPUTED)) == (S.OPEN, Money.of(80))
    assert fresh(payment).disputed


def test_an_inquiry_that_comes_to_nothing_is_closed(build):
    payment, _invoice = paid(build)
    told(payment, "inquire")
    told(payment, "inquiry-closes")

    assert (only_dispute().state, held_on(DISPUTED), held_on(FEES)) == (S.CLOSED, ZERO, ZERO)


def test_won_clears_what_was_held_and_leaves_the_fee(build):
    payment, invoice = paid(build)
    told(payment, "dispute")
    told(payment, "dispute-won")

    assert (only_dispute().state, only_dispute().held) == (S.WON, ZERO)
    assert (held_on(DISPUTED), held_on(CLEARING)) == (ZERO, Money.of(65))
    assert (fresh(invoice).balance, fresh(payment).disputed) == (ZERO, False)


def test_lost_means_the_invoice_is_owed_again(build):
    payment, invoice = paid(build)
    told(payment, "dispute")
    told(payment, "dispute-lost")

    lost = db.session.scalars(sa.select(Payment).where(Payment.amount < ZERO)).one()
    assert (lost.amount, lost.refund_reason.name) == (-Money.of(80), "Dispute lost")
    assert (held_on(DISPUTED), fresh(invoice).balance) == (ZERO, Money.of(80))
    assert not fresh(payment).disputed
    assert refunds_about(invoice.id) == [lost]
    assert "card processor" in void_problem(lost)
    assert trail_of(payment)[0].sentence == "$80.00 of it left: Dispute lost."


def test_credit_falls_before_what_was_paid(build):
    payment, invoice = paid(build, credit="50")
    told(payment, "dispute")
    assert credit_of(payment.customer_id) == credit_of(payment.customer_id, on=build.today) == ZERO
    told(payment, "dispute-lost")

    assert (fresh(payment).unapplied, fresh(invoice).balance) == (ZERO, Money.of(30))


def test_a_part_disputed_leaves_the_rest_where_it_is(build):
    payment, invoice = paid(build, credit="50")
    told(payment, "dispute-half")
    told(payment, "dispute-lost")

    assert (fresh(payment).unapplied, fresh(invoice).balance) == (Money.of(10), ZERO)
    assert credit_of(payment.customer_id) == credit_of(payment.customer_id, on=build.today)


def test_what_already_went_back_is_not_taken_again(build):
    payment, invoice = paid(build)
    back(build, payment, "30")
    told(payment, "dispute")  # of the 50 that are left
    told(payment, "dispute-lost")

    assert (fresh(invoice).balance, held_on(BAD_DEBT)) == (Money.of(80), ZERO)


def test_bad_debt_goes_again_when_a_refund_comes_back(build, monkeypatch):
    payment, invoice = paid(build, by="bank-debit")
    back(build, payment, "30")
    monkeypatch.setattr(
        "portal.payment_collection.gateways.test_gateway.disputes.left_of",
        lambda _session, paid: paid.amount,
    )  # a bank does not always look at what went back already
    told(payment, "dispute")
    told(payment, "dispute-lost")
    assert (held_on(BAD_DEBT), fresh(invoice).balance) == (Money.of(30), Money.of(80))

    told(payment, "refund-fails", only_refund().refund_ref)

    assert (held_on(BAD_DEBT), held_on(DISPUTED)) == (ZERO, ZERO)
    assert (credit_of(payment.customer_id), fresh(invoice).balance) == (ZERO, Money.of(80))


def test_a_dispute_lost_beyond_its_payment_is_not_asked_about_for_ever(build, monday, monkeypatch):
    payment, _invoice = paid(build, by="bank-debit")
    back(build, payment, "30")
    monkeypatch.setattr(
        "portal.payment_collection.gateways.test_gateway.disputes.left_of",
        lambda _session, paid: paid.amount,
    )
    told(payment, "dispute")
    told(payment, "dispute-lost")
    assert (held_on(BAD_DEBT), asked_about(monkeypatch)) == (Money.of(30), 1)

    with clock.frozen(monday + timedelta(weeks=8)):
        only_refund().state = GatewayRefundState.SUCCEEDED
        assert asked_about(monkeypatch) == 1
    only_refund().state = GatewayRefundState.IN_TRANSIT
    with clock.frozen(monday + timedelta(weeks=8, days=1)):
        assert asked_about(monkeypatch) == 1  # a refund on its way may still come back
        only_refund().state = GatewayRefundState.SUCCEEDED
        assert asked_about(monkeypatch) == 0
    only_refund().state = GatewayRefundState.IN_TRANSIT  # as the books say


def asked_about(monkeypatch):
    """How many disputes the daily turn asks the gateway about."""
    asked = []
    monkeypatch.setattr("portal.payment_collection.disputes.recheck_dispute", asked.append)
    db.session.commit()
    recheck_disputes()
    return len(asked)


def test_a_dispute_won_after_all_gives_everything_back(build, monkeypatch):
    payment, invoice = paid(build)
    told(payment, "dispute")
    told(payment, "dispute-lost")
    monkeypatch.setitem(test_disputes.DECIDES, "dispute-won", ({"lost"}, "won"))
    told(payment, "dispute-won")

    assert (held_on(DISPUTED), held_on(CLEARING)) == (ZERO, Money.of(65))
    assert (credit_of(payment.customer_id), fresh(invoice).balance) == (ZERO, ZERO)


def test_the_same_news_again_books_nothing(build):
    payment, _invoice = paid(build)
    bodies = at_gateway(payment, "dispute")
    for body in bodies * 3:
        deliver(body)
    for _ in range(2):
        look_at_dispute(only_dispute().dispute_ref)

    assert len(db.session.scalars(sa.select(DisputeMovement)).all()) == 1
    assert held_on(DISPUTED) == Money.of(80)


def test_a_second_dispute_of_the_rest_is_another_one(build):
    payment, invoice = paid(build)
    told(payment, "dispute-half")
    told(payment, "dispute-lost")
    told(payment, "dispute")

    assert [one.amount for one in disputes_of(payment)] == [Money.of(40), Money.of(40)]
    assert (fresh(payment).disputed, fresh(invoice).balance) == (True, Money.of(40))


def test_the_daily_turn_finds_what_no_webhook_told(build):
    payment, invoice = paid(build)
    told(payment, "dispute")
    at_gateway(payment, "dispute-lost")

    recheck_disputes()

    assert (only_dispute().state, fresh(invoice).balance) == (S.LOST, Money.of(80))


def test_a_gateway_that_does_not_answer_changes_nothing(build, monkeypatch):
    payment, _invoice = paid(build)
    told(payment, "dispute")

    def dead(_ref):
        raise OutsideFailure("no connection")

    monkeypatch.setattr(house(), "look_up_dispute", dead)
    recheck_disputes()

    assert only_dispute().state is S.OPEN
    with pytest.raises(OutsideFailure):
        recheck_dispute(only_dispute().id)


def test_news_of_a_dispute_nobody_knows_are_parked(app):
    deliver(
        b'{"id":"e1","type":"charge.dispute.created","reference":"","session":"","payment":"",'
        b'"object":"tdp_x"}'
    )

    assert db.session.scalars(sa.select(GatewayEvent.state)).one() is GatewayEventState.PARKED


def test_old_news_never_undo_newer_ones(build):
    payment, _invoice = paid(build)
    told(payment, "dispute")
    db.session.commit()
    old = house().look_up_dispute(only_dispute().dispute_ref)
    told(payment, "dispute-won")
    record_dispute(old)

    assert only_dispute().state is S.WON


def test_what_was_booked_by_its_status_is_replaced_by_what_moved(build):
    payment, _invoice = paid(build)
    bodies = at_gateway(payment, "dispute")
    old = Dispute(gateway="test", dispute_ref=f"tdp_{payment.provider_ref}", held=Money.of(80),
                  payment_id=payment.id, amount=Money.of(80))  # fmt: skip
    db.session.add(old)
    db.session.flush()
    post_entry(
        on=build.today, memo="Dispute opened", source=("dispute", old.id),
        legs=[Leg(DISPUTED, Money.of(80)), Leg(CLEARING, -Money.of(80))],
    )  # fmt: skip
    db.session.commit()

    for body in bodies:
        deliver(body)

    assert (held_on(DISPUTED), held_on(CLEARING)) == (Money.of(80), -Money.of(15))
    assert len(movements_of(only_dispute())) == 1


def test_the_list_names_what_is_to_answer(build, monday):
    payment, _invoice = paid(build)
    told(payment, "dispute")

    assert to_answer() == 1
    assert find_disputes(DisputeFilter(S.OPEN), PageRequest(sort="due")).total == 1
    with clock.frozen(monday + timedelta(days=10)):
        assert to_answer() == 0


def test_disputed_money_cannot_be_sent_back(build):
    payment, _invoice = paid(build)
    told(payment, "dispute")

    with pytest.raises((DomainError, IndexError)):
        back(build, fresh(payment), "10")


def test_a_dispute_before_its_payment_waits_for_it(build, monday):
    _attempt, page = begin(build.posted("80"))
    hooks = press(page, "succeed")
    ref = house().look_up(page).payment_ref
    for body in (*house().press_payment(ref, "dispute"), *hooks):
        deliver(body)
    assert db.session.scalars(sa.select(Dispute)).all() == []

    with clock.frozen(monday + timedelta(minutes=6)):
        for event_id in list(waiting_events()):
            handle_event(event_id)
    run_waiting()

    assert only_dispute().held == Money.of(80)
