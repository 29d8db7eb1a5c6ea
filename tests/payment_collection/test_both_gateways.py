"""One contract, two gateways: what a kept method and its charges are to us, whoever keeps them.

The TEST GATEWAY answers itself; Stripe answers in its own words, through the real SDK, and each
request is checked against the SDK's own parameter types with extra fields forbidden.
"""

import json
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db, in_transaction
from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import (
    AttemptPurpose,
    AttemptState,
    ConsentKind,
    MethodSetup,
    MethodState,
    Payment,
    PaymentAttempt,
    SavedMethod,
    SetupState,
    TestGatewayObject,
)
from portal.payment_collection import (
    ChargeWanted,
    ConsentGiven,
    SetupWanted,
    charge_method,
    due_attempts,
    keep_event,
    keeping_words,
    look_at_method,
    recheck,
    remove_method,
    settle,
    settle_setup,
    start_setup,
)
from portal.payment_collection import charging as module
from portal.payment_collection.gateway import ChargeOrder, PayerOrder, SetupOrder
from portal.tasks import run_waiting
from tests.payment_collection.stripe_account import StripeAccount
from tests.payment_collection.stripe_schema import misfits_of_request


class TestWorld:
    """The buttons of the TEST GATEWAY."""

    __test__ = False  # pytest: not a test class

    def __getattr__(self, name):
        return getattr(current_app.extensions["gateway"], name)

    def charged(self):
        rows = db.session.scalars(
            sa.select(TestGatewayObject).where(
                TestGatewayObject.kind == "charge", TestGatewayObject.state == "succeeded"
            )
        )
        return sum(row.amount.cents for row in rows)


@pytest.fixture(params=["test", "stripe"])
def world(app, request):
    """Where customers and banks press; the app collects through this gateway."""
    if request.param == "test":
        yield TestWorld()
        return
    before, account = app.extensions["gateway"], StripeAccount()
    app.extensions["gateway"] = account.gateway()
    yield account
    app.extensions["gateway"] = before


def gateway():
    return current_app.extensions["gateway"]


def begin(customer):
    given = ConsentGiven(customer, ConsentKind.SAVE_METHOD, keeping_words("en"), "en", "Ada")
    db.session.commit()
    start_setup(SetupWanted(given, "/my/x/", email="ada@example.org"))
    newest = sa.select(MethodSetup).order_by(MethodSetup.id.desc()).limit(1)
    setup = db.session.scalars(newest).one()
    ids = setup.id, setup.session_ref
    db.session.commit()
    return ids


def save(world, customer, button="card"):
    setup_id, page = begin(customer)
    world.press_setup(page, button)
    assert settle_setup(setup_id) is SetupState.SUCCEEDED
    return db.session.get(MethodSetup, setup_id).method


def charge(invoice, method):
    wanted = ChargeWanted(
        invoice.customer_id, method.id, [(invoice.id, invoice.balance)], AttemptPurpose.OFFICE,
        "Olive",
    )  # fmt: skip
    db.session.commit()
    return db.session.get(PaymentAttempt, charge_method(wanted), populate_existing=True)


def press(world, attempt, button):
    payment_ref = attempt.payment_ref
    db.session.commit()
    world.press_charge(payment_ref, button)


def received():
    return Money.total(db.session.scalars(sa.select(Payment.amount)).all())


@pytest.mark.parametrize(
    ("button", "kind", "last4"), [("card", "card", "4242"), ("bank", "bank_debit", "6789")]
)
def test_a_method_is_saved_with_what_a_receipt_shows_of_it(build, world, button, kind, last4):
    method = save(world, build.customer(), button)

    assert (method.kind, method.last4, method.is_primary) == (kind, last4, True)
    assert method.gateway == gateway().name
    assert method.expires_on == (date(2030, 3, 31) if kind == "card" else None)


def test_a_refused_method_is_not_saved_and_the_page_stays(build, world):
    setup_id, page = begin(build.customer())
    world.press_setup(page, "refuse")

    assert settle_setup(setup_id) is SetupState.OPEN
    assert "refused" in db.session.get(MethodSetup, setup_id).failure
    assert db.session.scalars(sa.select(SavedMethod)).all() == []


def test_a_charge_takes_the_money_once(build, world):
    invoice = build.posted("80")

    attempt = charge(invoice, save(world, invoice.customer))
    settle(attempt.id)
    settle(attempt.id)

    assert attempt.state is AttemptState.SUCCEEDED
    assert (received(), world.charged()) == (Money.of(80), 8000)


@pytest.mark.parametrize(
    ("button", "words"),
    [("declined-card", "declined"), ("in-person-card", "confirm in person")],
)
def test_a_refusal_is_an_answer_in_words(build, world, button, words):
    invoice = build.posted("80")

    attempt = charge(invoice, save(world, invoice.customer, button))

    assert attempt.state is AttemptState.FAILED
    assert words in attempt.failure
    assert settle(attempt.id) is AttemptState.FAILED
    assert world.charged() == 0


@pytest.mark.parametrize(
    ("button", "state", "money"),
    [
        ("debit-settles", AttemptState.SUCCEEDED, Money.of(80)),
        ("debit-fails", AttemptState.FAILED, ZERO),
    ],
)
def test_a_bank_debit_is_pending_before_it_is_anything(build, world, button, state, money):
    invoice = build.posted("80")
    attempt = charge(invoice, save(world, invoice.customer, "bank"))
    assert attempt.state is AttemptState.PROCESSING

    press(world, attempt, button)

    assert settle(attempt.id) is state
    assert received() == money


PLACES = ["_keep_reference", "_why_no_more", "record_outcome"]


class Killed(BaseException):
    """As if the process were gone: nothing catches it."""


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_anywhere_is_made_good_by_the_janitor(build, world, monkeypatch, monday, place):
    invoice = build.posted("80")
    method = save(world, invoice.customer)

    def killed(*_words, **_more):
        raise Killed

    monkeypatch.setattr(module, place, killed)
    with pytest.raises(Killed):
        charge(invoice, method)
    monkeypatch.undo()
    db.session.rollback()

    with clock.frozen(monday + timedelta(minutes=6)):
        (attempt_id,) = due_attempts()
        assert recheck(attempt_id) is AttemptState.SUCCEEDED
    assert (received(), world.charged()) == (Money.of(80), 8000)


def test_a_charge_that_is_not_meant_any_more_is_cancelled_at_the_gateway(
    build, world, monkeypatch, monday
):
    invoice = build.posted("80")
    method = save(world, invoice.customer)

    def killed(*_words):
        raise Killed

    monkeypatch.setattr(module, "_why_no_more", killed)
    with pytest.raises(Killed):
        charge(invoice, method)
    monkeypatch.undo()
    db.session.rollback()
    build.payment(invoice.customer, "80", invoice)
    db.session.commit()

    with clock.frozen(monday + timedelta(minutes=6)):
        (attempt_id,) = due_attempts()
        assert recheck(attempt_id) is AttemptState.EXPIRED
    assert world.charged() == 0


def test_repeating_any_order_makes_nothing_twice(build, world):
    payer = gateway().know_payer(PayerOrder("s1", "Ada"))
    assert gateway().know_payer(PayerOrder("s1", "Ada")) == payer
    page = gateway().open_setup(SetupOrder("s1", payer, "USD", "https://example.org/back"))
    again = gateway().open_setup(SetupOrder("s1", payer, "USD", "https://example.org/back"))
    assert again.session_ref == page.session_ref
    world.press_setup(page.session_ref, "card")
    kept = gateway().look_up_setup(page.session_ref).method
    order = ChargeOrder("a1", Money.of(5), "USD", payer, kept.method_ref, "Invoice 1")
    ref = gateway().prepare_charge(order)
    assert gateway().prepare_charge(order) == ref

    first, second = gateway().confirm_charge(ref, "a1"), gateway().confirm_charge(ref, "a1")

    assert first == second == gateway().cancel_charge(ref)
    assert (first.received, first.reference) == (Money.of(5), "a1")


def test_a_removed_method_is_detached_and_can_be_removed_again(build, world):
    method = save(world, build.customer())
    ids, ref = (method.customer_id, method.id), method.method_ref
    db.session.commit()

    remove_method(*ids)
    gateway().forget_method(ref)

    assert not gateway().look_up_method(ref).usable
    assert db.session.get(SavedMethod, ids[1]).state is MethodState.REMOVED


@pytest.mark.parametrize("button", ["detach", "renew"])
def test_a_look_at_the_gateway_tells_what_became_of_a_method(build, world, button):
    method = save(world, build.customer())
    method_id, ref = method.id, method.method_ref
    db.session.commit()
    world.press_method(ref, button)

    state = look_at_method(method_id)

    assert state is (MethodState.GONE if button == "detach" else MethodState.ACTIVE)


def test_a_mandate_that_ended_makes_its_method_unusable(build, world):
    method = save(world, build.customer(), "bank")
    ref = method.method_ref
    db.session.commit()
    assert gateway().look_up_mandate(f"mandate_{ref}").usable
    world.press_method(ref, "end-mandate")

    seen = gateway().look_up_mandate(f"mandate_{ref}")

    assert (seen.method_ref, seen.usable) == (ref, False)


def test_what_the_gateway_never_had_is_missing(world):
    for call in (
        lambda: gateway().look_up_charge("pi_none"),
        lambda: gateway().look_up_method("pm_none"),
        lambda: gateway().look_up_setup("cs_none"),
    ):
        with pytest.raises(OutsideFailure) as failure:
            call()
        assert failure.value.missing


def test_a_method_detached_at_the_gateway_cannot_be_charged(build, world):
    invoice = build.posted("80")
    method = save(world, invoice.customer)
    ref = method.method_ref
    db.session.commit()
    world.press_method(ref, "detach")

    attempt = charge(invoice, method)

    assert attempt.state is AttemptState.FAILED
    assert world.charged() == 0


def test_a_request_stripe_would_refuse_is_found():
    path = "/v1/payment_intents"
    ok = "amount=5&currency=usd&metadata[attempt]=a&allowed_payment_method_types[0]=card"
    assert misfits_of_request("post", path, ok) == []
    for wrong in (
        "currency=usd",
        "amount=5&currency=usd&payment_method_types[0]=card",
        "amount=five&currency=usd",
        "amount=5&currency=usd&allowed_payment_method_types=card",
        "amount=5&currency=usd&automatic_payment_methods[enabled]=true"
        "&automatic_payment_methods[allow_redirect]=never",
    ):
        assert misfits_of_request("post", path, wrong) != []


def test_stripes_webhooks_lead_to_the_visit_and_to_the_method(app, build):
    account = StripeAccount()
    before, app.extensions["gateway"] = app.extensions["gateway"], account.gateway()
    try:
        setup_id, page = begin(build.customer())
        account.press_setup(page, "bank")
        setup = db.session.get(MethodSetup, setup_id)
        public_id = setup.public_id
        db.session.commit()
        deliver("setup_intent.succeeded", {"id": "seti_1", "metadata": {"setup": public_id}})
        method = db.session.scalars(sa.select(SavedMethod)).one()
        ref = method.method_ref
        db.session.commit()
        account.press_method(ref, "end-mandate")
        deliver("mandate.updated", {"id": f"mandate_{ref}"})
        assert db.session.get(SavedMethod, method.id).state is MethodState.GONE
    finally:
        app.extensions["gateway"] = before


def deliver(kind, thing):
    body = json.dumps({"id": f"evt_{kind}", "type": kind, "data": {"object": thing}}).encode()
    in_transaction(lambda: keep_event(gateway().read_event(body), body))
    run_waiting()
