"""One settle() for the return page, the webhooks, the janitor and staff, in any order."""

from datetime import timedelta
from itertools import permutations

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.invoices import LineWords, add_line
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import (
    AttemptState,
    Dispute,
    DisputeState,
    GatewayEvent,
    GatewayEventState,
    Message,
    Payment,
    PaymentAttempt,
    SentState,
)
from portal.payment_collection import (
    CheckoutWanted,
    due_attempts,
    keep_event,
    recheck,
    settle,
    start_checkout,
)
from portal.tasks import run_waiting, sweep


def gateway():
    return current_app.extensions["gateway"]


def begin(invoice, amount=None):
    """Start a checkout; the attempt's id and the gateway's page."""
    db.session.commit()
    shares = [(invoice.id, amount or invoice.balance)]
    url = start_checkout(CheckoutWanted(shares=shares, started_by="ada", return_path="/x/"))
    attempt = db.session.scalars(
        sa.select(PaymentAttempt).order_by(PaymentAttempt.id.desc()).limit(1)
    ).one()
    db.session.commit()
    return attempt.id, url.rsplit("/", 1)[1]


def press(session_ref, button):
    """A button of the TEST GATEWAY's page; the webhooks it sends."""
    db.session.commit()  # the gateway is another system: nothing of ours is open meanwhile
    return gateway().press(session_ref, button)[1]


def deliver(body):
    keep_event(gateway().verify_event(body, gateway().sign(body)), body)
    db.session.commit()
    run_waiting()


def state_of(attempt_id):
    return db.session.get(PaymentAttempt, attempt_id, populate_existing=True).state


def payments():
    return db.session.scalars(sa.select(Payment).execution_options(populate_existing=True)).all()


ACTS = ("page", "first hook", "second hook", "janitor")


@pytest.mark.parametrize("order", list(permutations(ACTS)), ids=" → ".join)
def test_every_order_ends_in_the_same_one_payment(build, order):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    first, second = press(page, "succeed")
    acts = {
        "page": lambda: settle(attempt_id),
        "first hook": lambda: [deliver(first), deliver(first)],
        "second hook": lambda: deliver(second),
        "janitor": lambda: recheck(attempt_id),
    }

    for name in order:
        acts[name]()

    (payment,) = payments()
    assert (payment.amount, payment.unapplied) == (Money.of(80), ZERO)
    assert db.session.get(type(invoice), invoice.id, populate_existing=True).balance == ZERO
    receipts = db.session.scalars(sa.select(Message).where(Message.kind == "receipt")).all()
    assert len(receipts) == 1


def test_with_every_webhook_lost_the_janitor_alone_converges(build, monday):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")

    with clock.frozen(monday + timedelta(minutes=6)):
        assert list(due_attempts()) == [attempt_id]
        for name, row_id in sweep():
            if name == "attempt":
                recheck(row_id)

    assert len(payments()) == 1


def test_a_bank_debit_is_on_its_way_before_it_is_money(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    press(page, "bank-debit")

    assert settle(attempt_id) is AttemptState.PROCESSING
    assert payments() == []
    with pytest.raises(DomainError, match="already on its way"):
        begin(invoice)

    press(page, "debit-settles")
    assert settle(attempt_id) is AttemptState.SUCCEEDED


def test_a_declined_card_may_try_again_on_the_same_page(build):
    attempt_id, page = begin(build.posted("80"))
    press(page, "decline")
    assert settle(attempt_id) is AttemptState.OPEN

    press(page, "succeed")
    assert settle(attempt_id) is AttemptState.SUCCEEDED


def test_a_declined_card_on_a_page_that_closed_is_failed_not_expired(build):
    attempt_id, page = begin(build.posted("80"))
    press(page, "decline")
    gateway().close_checkout(page)

    assert settle(attempt_id) is AttemptState.FAILED
    assert "declined" in db.session.get(PaymentAttempt, attempt_id).failure


def test_a_page_nobody_paid_on_is_expired(build):
    attempt_id, page = begin(build.posted("80"))
    db.session.commit()
    gateway().close_checkout(page)

    assert settle(attempt_id) is AttemptState.EXPIRED


def test_a_gateway_that_does_not_answer_leaves_the_outcome_unknown(build, monkeypatch):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")

    def silent(session_ref):
        raise OutsideFailure("timed out")

    monkeypatch.setattr(gateway(), "look_up", silent)
    assert settle(attempt_id) is AttemptState.UNKNOWN
    monkeypatch.undo()

    assert recheck(attempt_id) is AttemptState.SUCCEEDED


def test_a_lost_answer_to_opening_is_found_again_with_the_same_key(build, monkeypatch):
    invoice = build.posted("80")
    real = gateway().open_checkout

    def lost(order):
        real(order)
        raise OutsideFailure("connection dropped")

    monkeypatch.setattr(gateway(), "open_checkout", lost)
    with pytest.raises(DomainError, match="Nothing was charged"):
        begin(invoice)
    monkeypatch.undo()
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    assert attempt.state is AttemptState.UNKNOWN

    assert recheck(attempt.id) is AttemptState.OPEN


def test_after_a_day_a_page_nobody_reached_is_given_up(build, monkeypatch, monday):
    def lost(order):
        raise OutsideFailure("connection dropped")

    monkeypatch.setattr(gateway(), "open_checkout", lost)
    with pytest.raises(DomainError):
        begin(build.posted("80"))
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    db.session.commit()

    with clock.frozen(monday + timedelta(hours=24)):
        assert recheck(attempt.id) is AttemptState.EXPIRED


def test_a_double_click_gets_the_same_page(build):
    invoice = build.posted("80")
    assert begin(invoice) == begin(invoice)


def test_another_amount_closes_the_first_page(build):
    invoice = build.posted("80")
    first, first_page = begin(invoice)
    second, _page = begin(invoice, Money.of(30))

    assert second != first
    assert state_of(first) is AttemptState.EXPIRED
    with pytest.raises(DomainError, match="past that step"):
        press(first_page, "succeed")


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [
        ("0.99", "least you can pay is"),
        ("80.01", "Only .80.00 is due"),
        ("-5", "least you can pay"),
    ],
)
def test_amounts_out_of_bounds_are_refused_in_words(build, amount, sentence):
    with pytest.raises(InvalidFields, match=sentence):
        begin(build.posted("80"), Money.of(amount))


def test_less_than_a_dollar_can_be_paid_in_full(build):
    attempt_id, page = begin(build.posted("0.60"))
    press(page, "succeed")
    assert settle(attempt_id) is AttemptState.SUCCEEDED


def test_a_paid_invoice_cannot_be_paid_again(build):
    invoice = build.posted("80")
    build.payment(invoice.customer, "80", invoice)
    with pytest.raises(DomainError, match="not open for payment"):
        begin(invoice, Money.of(80))


def test_what_was_paid_meanwhile_makes_the_rest_credit(build):
    invoice = build.posted("80")
    attempt_id, page = begin(invoice)
    build.payment(invoice.customer, "50", invoice)
    db.session.commit()
    press(page, "succeed")

    settle(attempt_id)

    online = next(one for one in payments() if one.provider == "test")
    assert (online.amount, online.unapplied) == (Money.of(80), Money.of(50))


def test_changing_a_pending_invoice_closes_its_open_page(build):
    invoice = build.invoice("80")
    invoice.sent_state = SentState.SENT
    attempt_id, _page = begin(invoice)
    add_line(invoice, LineWords("More", Quantity.of(1), UnitPrice.of(5)))
    db.session.commit()
    run_waiting()

    assert state_of(attempt_id) is AttemptState.EXPIRED


def test_a_dispute_holds_the_money_until_it_is_won(build):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    settle(attempt_id)

    for body in press(page, "dispute") * 2:
        deliver(body)
    assert payments()[0].disputed
    for body in press(page, "dispute-won"):
        deliver(body)

    dispute = db.session.scalars(sa.select(Dispute)).one()
    assert dispute.state is DisputeState.WON
    assert not payments()[0].disputed


def test_an_event_nobody_can_match_is_parked_never_dropped(app):
    body = (
        b'{"id":"e1","type":"payment_intent.succeeded","reference":"?","session":"?","payment":"?"}'
    )

    deliver(body)

    event = db.session.scalars(sa.select(GatewayEvent)).one()
    assert (event.state, event.body) == (GatewayEventState.PARKED, body)
