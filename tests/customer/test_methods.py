"""The customer's own payment methods: agreed to, saved, chosen, removed."""

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.models import BillingAccess, Consent, MethodSetup, MethodState, SavedMethod
from portal.payment_collection import AgreedBy, AutopayWords, keeping_words, seal_of, turn_on
from tests.conftest import payer_client


@pytest.fixture
def ada(app, build):
    """Ada Lovelace, signed in to the portal."""
    customer = build.customer(email="ada@example.org")
    return customer, payer_client(app, "ada@example.org")


def agree(browser, customer, **more):
    data = {"customer_id": customer.id, "agreed": seal_of(keeping_words("en")), **more}
    return browser.post("/my/payment-methods", data=data)


def press(reply, button):
    page = reply.location.rsplit("/", 1)[1]
    current_app.extensions["gateway"].press_setup(page, button)


def test_the_empty_page_says_how_to_save_one(ada):
    _customer, browser = ada
    page = browser.get("/my/payment-methods").text
    assert "You saved no payment method yet" in page
    assert "Add a payment method" in page


def test_the_words_are_shown_before_anything_is_saved(ada):
    customer, browser = ada
    page = browser.get(f"/my/payment-methods/new?customer_id={customer.id}").text
    assert keeping_words("en") in page


@pytest.mark.parametrize("agreed", ["", "another text"])
def test_without_agreeing_to_these_very_words_nothing_begins(ada, agreed):
    customer, browser = ada
    reply = browser.post("/my/payment-methods", data={"customer_id": customer.id, "agreed": agreed})
    assert reply.status_code == 422
    assert "Tick that you agree" in reply.text
    assert db.session.scalars(sa.select(MethodSetup)).all() == []


def test_agreeing_leads_to_the_gateway_and_back_to_a_saved_method(ada):
    customer, browser = ada

    reply = agree(browser, customer)
    assert "/test-gateway/setup/" in reply.location
    press(reply, "card")
    setup = db.session.scalars(sa.select(MethodSetup)).one()
    page = browser.get(setup.return_url.removeprefix("http://localhost")).text

    assert "Saved" in page
    assert "Visa •••• 4242" in page
    consent = db.session.scalars(sa.select(Consent)).one()
    assert consent.text == keeping_words("en")
    assert consent.given_by == "Ada Lovelace <ada@example.org>"
    assert consent.address == "127.0.0.1"
    assert consent.agent.startswith("Werkzeug")


def test_a_refusal_is_told_and_can_be_tried_again(ada):
    customer, browser = ada
    press(agree(browser, customer), "refuse")
    setup = db.session.scalars(sa.select(MethodSetup)).one()

    page = browser.get(setup.return_url.removeprefix("http://localhost")).text

    assert "Nothing was saved" in page
    assert "refused" in page


def test_what_was_agreed_to_can_be_read_later(ada):
    customer, browser = ada
    press(agree(browser, customer), "card")
    setup = db.session.scalars(sa.select(MethodSetup)).one()
    browser.get(setup.return_url.removeprefix("http://localhost"))

    page = browser.get("/my/payment-methods").text

    assert keeping_words("en") in page
    assert "Primary" in page


def test_another_one_is_made_primary(ada, build):
    customer, browser = ada
    build.saved_method(customer)
    second = build.saved_method(customer, "bank", primary=False)

    browser.post(f"/my/payment-methods/{second.id}/primary")

    primary = db.session.scalars(sa.select(SavedMethod).where(SavedMethod.is_primary)).one()
    assert primary.id == second.id


def test_removing_asks_first_and_says_what_takes_over(ada, build):
    customer, browser = ada
    first = build.saved_method(customer)
    build.saved_method(customer, "bank", primary=False)

    question = browser.get(f"/my/payment-methods/{first.id}/removal").text
    assert "Test Bank •••• 6789 becomes your primary payment method." in question
    assert db.session.get(SavedMethod, first.id).state is MethodState.ACTIVE

    page = browser.post(f"/my/payment-methods/{first.id}/removal", follow_redirects=True).text
    assert "was removed" in page
    assert db.session.get(SavedMethod, first.id).state is MethodState.REMOVED


def test_a_method_that_autopay_names_leads_to_autopay_first(ada, build):
    customer, browser = ada
    first = build.saved_method(customer)
    build.saved_method(customer, "bank", primary=False)
    turn_on(customer, AutopayWords(method_id=first.id), AgreedBy("Ada"))
    db.session.commit()

    question = browser.get(f"/my/payment-methods/{first.id}/removal").text

    assert "Change autopay first" in question
    assert 'href="/my/autopay">Change autopay</a>' in question
    assert "Remove it" not in question


def foreign(build):
    return build.saved_method(build.customer("Bob", email="bob@example.org"))


@pytest.mark.parametrize("verb", ["primary", "removal"])
def test_somebody_elses_method_is_not_there(ada, build, verb):
    _customer, browser = ada
    method = foreign(build)
    assert browser.post(f"/my/payment-methods/{method.id}/{verb}").status_code == 404
    assert db.session.get(SavedMethod, method.id).state is MethodState.ACTIVE


def test_nobody_saves_a_method_for_somebody_else(ada, build):
    _customer, browser = ada
    bob = build.customer("Bob", email="bob@example.org")
    assert browser.get(f"/my/payment-methods/new?customer_id={bob.id}").status_code == 404
    assert agree(browser, bob).status_code == 404


def test_somebody_elses_visit_is_not_there(app, ada, build):
    bob = build.customer("Bob", email="bob@example.org")
    agree(payer_client(app, "bob@example.org"), bob)
    setup = db.session.scalars(sa.select(MethodSetup)).one()

    _customer, browser = ada
    assert browser.get(setup.return_url.removeprefix("http://localhost")).status_code == 404


def test_a_contact_who_may_only_look_sees_no_methods(app, build):
    customer = build.customer(email="ada@example.org")
    method = build.saved_method(customer)
    customer.contacts[0].billing_access = BillingAccess.VIEW
    db.session.commit()
    browser = payer_client(app, "ada@example.org")

    assert "4242" not in browser.get("/my/payment-methods").text
    assert browser.post(f"/my/payment-methods/{method.id}/removal").status_code == 404


def test_the_buttons_of_the_test_gateway_save_and_report(app, ada):
    customer, browser = ada
    reply = agree(browser, customer)
    path = reply.location.removeprefix("http://localhost")
    page = browser.get(path).text
    assert "Save a card that works" in page

    back = browser.post(f"{path}/bank")

    assert "Test Bank •••• 6789" in browser.get(back.location.removeprefix("http://localhost")).text


def test_the_test_gateways_pages_of_a_charge_and_a_method_have_their_buttons(client, build):
    method = build.saved_method(build.customer(), "bank")
    path = f"/test-gateway/method/{method.method_ref}"
    assert "Its mandate ends" in client.get(path).text

    after = client.post(f"{path}/end-mandate", follow_redirects=True).text

    assert "It is detached." in after
    assert client.get("/test-gateway/method/other").status_code == 404
    assert client.get("/test-gateway/charge/other").status_code == 404
