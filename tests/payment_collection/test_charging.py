"""Charging a saved method: whatever happens where, the money is taken once or not at all."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, InvalidFields, NotFound, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import (
    AttemptPurpose,
    AttemptState,
    Invoice,
    Message,
    MethodState,
    Payment,
    PaymentAttempt,
    TestGatewayObject,
)
from portal.payment_collection import (
    ChargeWanted,
    CheckoutWanted,
    charge_method,
    due_attempts,
    recheck,
    settle,
    start_checkout,
)
from portal.payment_collection import charging as module
from portal.tasks import run_waiting


def gateway():
    return current_app.extensions["gateway"]


def charge(invoice, method, amount=None, **more):
    wanted = ChargeWanted(
        customer_id=invoice.customer_id,
        method_id=method.id,
        shares=[(invoice.id, amount or invoice.balance)],
        purpose=AttemptPurpose.OFFICE,
        started_by="Olive",
        email="ada@example.org",
        **more,
    )
    db.session.commit()
    return db.session.get(PaymentAttempt, charge_method(wanted), populate_existing=True)


def press(attempt, button):
    payment_ref = attempt.payment_ref
    db.session.commit()  # the gateway is another system: nothing of ours is open meanwhile
    return gateway().press_charge(payment_ref, button)


def fresh(attempt):
    return db.session.get(PaymentAttempt, attempt.id, populate_existing=True)


def payments():
    return db.session.scalars(sa.select(Payment).execution_options(populate_existing=True)).all()


def charged():
    """What the gateway took, in its own books."""
    rows = db.session.scalars(
        sa.select(TestGatewayObject)
        .where(TestGatewayObject.kind == "charge", TestGatewayObject.state == "succeeded")
        .execution_options(populate_existing=True)
    )
    return Money.total(row.amount for row in rows)


@pytest.fixture
def owed(build):
    """An invoice over $80 and a card that pays it."""
    invoice = build.posted("80")
    return invoice, build.saved_method(invoice.customer)


def test_a_charge_is_a_payment_with_a_receipt(owed):
    invoice, method = owed

    attempt = charge(invoice, method)

    assert (attempt.state, attempt.purpose) == (AttemptState.SUCCEEDED, AttemptPurpose.OFFICE)
    (payment,) = payments()
    assert (payment.amount, payment.unapplied, attempt.payment) == (Money.of(80), ZERO, payment)
    assert db.session.get(Invoice, invoice.id, populate_existing=True).balance == ZERO
    receipt = db.session.scalars(sa.select(Message).where(Message.kind == "receipt")).one()
    assert receipt.recipient == "ada@example.org"


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [("declined-card", "declined"), ("in-person-card", "confirm in person")],
)
def test_a_refusal_is_failed_with_words_for_people(build, behaviour, words):
    invoice = build.posted("80")

    attempt = charge(invoice, build.saved_method(invoice.customer, behaviour))

    assert attempt.state is AttemptState.FAILED
    assert words in attempt.failure
    assert (payments(), charged()) == ([], ZERO)


def test_a_refused_charge_leaves_the_invoice_free_for_the_next(build):
    invoice = build.posted("80")
    charge(invoice, build.saved_method(invoice.customer, "declined-card"))

    again = charge(invoice, build.saved_method(invoice.customer, primary=False))

    assert again.state is AttemptState.SUCCEEDED


def test_a_bank_debit_is_on_its_way_and_settles_days_later(build):
    invoice = build.posted("80")
    attempt = charge(invoice, build.saved_method(invoice.customer, "bank"))
    assert (attempt.state, payments()) == (AttemptState.PROCESSING, [])
    with pytest.raises(DomainError, match="already on its way"):
        charge(invoice, attempt.method)

    press(attempt, "debit-settles")

    assert settle(attempt.id) is AttemptState.SUCCEEDED
    assert [one.amount for one in payments()] == [Money.of(80)]


def test_a_bank_debit_that_comes_back_tells_the_payer(build):
    invoice = build.posted("80")
    attempt = charge(invoice, build.saved_method(invoice.customer, "bank"))
    press(attempt, "debit-fails")

    assert settle(attempt.id) is AttemptState.FAILED
    mail = db.session.scalars(sa.select(Message).where(Message.kind == "payment came back")).one()
    assert mail.recipient == "ada@example.org"


PLACES = ["_keep_reference", "_why_no_more", "record_outcome"]


class Killed(BaseException):
    """As if the process were gone: nothing catches it."""


def killed(*_words, **_more):
    raise Killed


@pytest.mark.parametrize("place", PLACES)
def test_after_a_crash_the_janitor_alone_finishes_the_charge_once(owed, monkeypatch, monday, place):
    monkeypatch.setattr(module, place, killed)
    with pytest.raises(Killed):
        charge(*owed)
    monkeypatch.undo()
    db.session.rollback()

    with clock.frozen(monday + timedelta(minutes=6)):
        (attempt_id,) = due_attempts()
        assert recheck(attempt_id) is AttemptState.SUCCEEDED
        assert recheck(attempt_id) is AttemptState.SUCCEEDED

    assert (len(payments()), charged()) == (1, Money.of(80))


@pytest.mark.parametrize("place", PLACES[:2])
def test_after_a_crash_an_invoice_paid_meanwhile_is_not_charged(
    build, owed, monkeypatch, monday, place
):
    invoice, _method = owed
    monkeypatch.setattr(module, place, killed)
    with pytest.raises(Killed):
        charge(*owed)
    monkeypatch.undo()
    db.session.rollback()
    build.payment(invoice.customer, "80", invoice)
    db.session.commit()

    with clock.frozen(monday + timedelta(minutes=6)):
        (attempt_id,) = due_attempts()
        assert recheck(attempt_id) is AttemptState.EXPIRED

    attempt = db.session.get(PaymentAttempt, attempt_id)
    assert "changed meanwhile" in attempt.failure
    assert charged() == ZERO


def test_a_charge_nobody_carried_out_for_a_day_never_is(owed, monkeypatch, monday):
    monkeypatch.setattr(module, "_why_no_more", killed)
    with pytest.raises(Killed):
        charge(*owed)
    monkeypatch.undo()
    db.session.rollback()

    with clock.frozen(monday + timedelta(hours=24)):
        (attempt_id,) = due_attempts()
        assert recheck(attempt_id) is AttemptState.EXPIRED
    assert charged() == ZERO


@pytest.mark.parametrize("call", ["prepare_charge", "confirm_charge"])
@pytest.mark.parametrize("arrives", [True, False], ids=["answer lost", "request lost"])
def test_a_gateway_that_does_not_answer_leaves_it_unknown_then_found(
    owed, monkeypatch, call, arrives
):
    real = getattr(gateway(), call)

    def lost(*words):
        if arrives:
            real(*words)
        raise OutsideFailure("timed out")

    monkeypatch.setattr(gateway(), call, lost)
    attempt = charge(*owed)
    assert attempt.state is AttemptState.UNKNOWN
    with pytest.raises(Conflict, match="at this moment"):
        charge(*owed)
    monkeypatch.undo()
    db.session.rollback()

    assert recheck(attempt.id) is AttemptState.SUCCEEDED
    assert (len(payments()), charged()) == (1, Money.of(80))


def test_a_definite_no_to_preparing_is_failed(owed, monkeypatch):
    def refuse(order):
        raise OutsideFailure("Stripe: no such payment method.", permanent=True)

    monkeypatch.setattr(gateway(), "prepare_charge", refuse)

    assert charge(*owed).state is AttemptState.FAILED


def test_money_recorded_between_the_look_and_the_charge_becomes_credit(build, owed, monkeypatch):
    invoice, _method = owed
    real = gateway().confirm_charge

    def meanwhile(*words):
        build.payment(invoice.customer, "80", invoice)
        db.session.commit()
        return real(*words)

    monkeypatch.setattr(gateway(), "confirm_charge", meanwhile)
    attempt = charge(*owed)

    assert attempt.state is AttemptState.SUCCEEDED
    assert attempt.payment.unapplied == Money.of(80)


def test_an_invoice_that_shrinks_cancels_a_charge_that_was_only_prepared(build, owed, monkeypatch):
    invoice, _method = owed
    monkeypatch.setattr(module, "_why_no_more", killed)
    with pytest.raises(Killed):
        charge(*owed)
    monkeypatch.undo()
    db.session.rollback()
    build.payment(invoice.customer, "80", invoice)
    db.session.commit()
    run_waiting()

    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    assert (attempt.state, charged()) == (AttemptState.EXPIRED, ZERO)


def test_a_page_somebody_has_open_is_closed_before_the_charge(owed):
    invoice, method = owed
    wanted = CheckoutWanted([(invoice.id, invoice.balance)], "ada", "/x/")
    db.session.commit()
    start_checkout(wanted)
    page = db.session.scalars(sa.select(PaymentAttempt)).one()

    attempt = charge(invoice, method)

    assert (fresh(page).state, attempt.state) == (AttemptState.EXPIRED, AttemptState.SUCCEEDED)


@pytest.mark.parametrize(
    ("amount", "sentence"),
    [("80.01", "Only .80.00 is due"), ("0.99", "least"), ("-5", "least")],
)
def test_an_amount_out_of_bounds_is_refused_in_words(owed, amount, sentence):
    with pytest.raises(InvalidFields, match=sentence):
        charge(*owed, Money.of(amount))


def test_another_customers_method_is_not_there(build, owed):
    invoice, _method = owed
    with pytest.raises(NotFound):
        charge(invoice, build.saved_method(build.customer("Bob")))


def test_another_customers_invoice_is_not_there(build, owed):
    _invoice, method = owed
    other = build.posted("20")
    wanted = ChargeWanted(
        method.customer_id, method.id, [(other.id, Money.of(20))], AttemptPurpose.OFFICE, "Olive"
    )
    db.session.commit()
    with pytest.raises(NotFound):
        charge_method(wanted)


@pytest.mark.parametrize(
    ("state", "words"), [(MethodState.REMOVED, "was removed"), (MethodState.GONE, "not valid")]
)
def test_a_method_that_is_no_more_is_refused_in_words(owed, state, words):
    invoice, method = owed
    method.state, method.is_primary = state, False
    with pytest.raises(DomainError, match=words):
        charge(invoice, method)


def test_a_card_is_good_through_its_last_month_and_no_longer(build, monday):
    invoice = build.posted("80")
    method = build.saved_method(invoice.customer, "expiring-card")
    with (
        clock.frozen(monday + timedelta(days=30)),
        pytest.raises(DomainError, match="expired in 03/2026"),
    ):
        charge(invoice, method)

    assert charge(invoice, method).state is AttemptState.SUCCEEDED
