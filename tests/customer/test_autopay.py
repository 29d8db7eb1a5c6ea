"""Autopay in the portal: read, agree, stop; only for customers I may pay for."""

import re
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.kernel.money import Money
from portal.models import Autopay, ChargeState, Consent, ConsentKind
from portal.payment_collection import start_charge_run
from tests.conftest import payer_client
from tests.payment_collection.planned import (
    after,
    autopay_row,
    balance_of,
    charges,
    with_autopay,
    work,
)


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


@pytest.fixture
def browser(app, ada):
    db.session.commit()
    return payer_client(app, "ada@example.org")


def terms_of(page):
    """The hidden fields of the page that shows the words."""
    return dict(
        re.findall(r'name="(agreed|method_id|moment|most|with_open)" value="([^"]*)"', page)
    )


def agree(browser, customer, **typed):
    fields = {"method_id": "", "moment": "due_date", "most": "", **typed}
    page = browser.post(f"/my/autopay/{customer.id}/terms", data=fields)
    assert page.status_code == 200, page.text
    return browser.post(f"/my/autopay/{customer.id}", data=terms_of(page.text)), page.text


def test_without_a_method_one_is_asked_for_first(browser, ada):
    page = browser.get("/my/autopay").text
    assert "Autopay is off" in page
    assert "Save a payment method" in page
    refused = browser.post(f"/my/autopay/{ada.id}/terms", data={"moment": "due_date"})
    assert refused.status_code == 422
    assert "Save a card or a bank account first" in refused.text


def test_the_words_are_read_before_they_are_agreed_to_and_kept(build, ada, browser):
    build.saved_method(ada)
    answer, page = agree(browser, ada, most="500")

    assert answer.status_code == 303
    autopay = autopay_row(ada)
    assert (autopay.active, autopay.most) == (True, Money.of(500))
    consent = autopay.consent
    assert consent.text.replace("’", "") in page.replace("&#39;", "'").replace("’", "")
    assert consent.kind is ConsentKind.AUTOPAY
    assert "ada@example.org" in consent.given_by
    assert consent.address == "127.0.0.1"
    assert "Werkzeug" in consent.agent
    assert "Autopay is on" in browser.get("/my/autopay").text


def test_other_words_than_were_read_are_not_agreed_to(build, ada, browser):
    build.saved_method(ada)
    page = browser.post(f"/my/autopay/{ada.id}/terms", data={"moment": "due_date", "most": "5"})
    mended = terms_of(page.text) | {"most": "5000"}
    refused = browser.post(f"/my/autopay/{ada.id}", data=mended)

    assert refused.status_code == 422
    assert "read it again" in refused.text
    assert db.session.scalars(sa.select(Autopay)).all() == []
    assert browser.post(f"/my/autopay/{ada.id}", data={"moment": "due_date"}).status_code == 422


def test_the_box_for_open_invoices_shows_what_is_so_and_can_be_taken_back(build, ada, browser):
    old = build.posted("80", customer=ada, on=date(2026, 2, 1), term="Net 15")
    build.saved_method(ada)
    agree(browser, ada)
    assert "checked" not in box_of(browser, ada)

    agree(browser, ada, with_open="y")
    work()
    assert "checked" in box_of(browser, ada)
    assert (autopay_row(ada).starts_on, len(charges(old))) == (date(2026, 2, 1), 1)

    agree(browser, ada, with_open="y", most="500")
    assert autopay_row(ada).starts_on == date(2026, 2, 1)

    agree(browser, ada, most="500")
    work()
    assert "checked" not in box_of(browser, ada)
    assert autopay_row(ada).starts_on == date(2026, 3, 2)
    assert [one.state for one in charges(old)][-1] is ChargeState.CANCELLED


def box_of(browser, customer):
    page = browser.get(f"/my/autopay/{customer.id}/terms").text
    return re.search(r'<input[^>]*name="with_open"[^>]*>', page)[0]


def test_changed_words_are_shown_again_and_can_be_agreed_to(build, ada, browser):
    build.saved_method(ada)
    page = browser.post(f"/my/autopay/{ada.id}/terms", data={"moment": "due_date", "most": "5"})
    refused = browser.post(f"/my/autopay/{ada.id}", data=terms_of(page.text) | {"most": "50"})
    assert "never more than $50.00 at once" in refused.text

    agreed = browser.post(f"/my/autopay/{ada.id}", data=terms_of(refused.text))

    assert agreed.status_code == 303
    assert autopay_row(ada).most == Money.of(50)


def test_refused_terms_are_sent_to_be_read_and_not_to_be_agreed_to(build, ada, browser):
    build.saved_method(ada)
    refused = browser.post(f"/my/autopay/{ada.id}", data={"moment": "due_date", "most": "0"})

    assert refused.status_code == 422
    assert f'action="/my/autopay/{ada.id}/terms"' in refused.text
    again = browser.get(f"/my/autopay/{ada.id}")
    assert (again.status_code, again.location) == (303, f"/my/autopay/{ada.id}/terms")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"most": "0"}, "above zero"),
        ({"most": "-3"}, "above zero"),
        ({"most": "much"}, "12.50"),
        ({"moment": "someday"}, "Not a valid choice"),
        ({"method_id": "999999"}, "Choose one from the list."),
    ],
)
def test_bad_terms_stay_with_their_reason(build, ada, browser, typed, sentence):
    build.saved_method(ada)
    fields = {"method_id": "", "moment": "due_date", "most": "", **typed}
    page = browser.post(f"/my/autopay/{ada.id}/terms", data=fields)

    assert page.status_code == 422
    assert sentence in page.text
    assert db.session.scalars(sa.select(Consent).where(Consent.kind == "autopay")).all() == []


def test_another_customers_autopay_does_not_exist(build, browser, app, ada):
    bob = build.customer("Bob")
    with_autopay(build, bob)
    invoice = build.posted("80", customer=bob, term="Net 15")
    work()
    charge = charges(invoice)[0]

    for path in ("/terms", ""):
        assert browser.post(f"/my/autopay/{bob.id}{path}", data={}).status_code == 404
    assert browser.get(f"/my/autopay/{bob.id}/terms").status_code == 404
    assert browser.post(f"/my/autopay/{bob.id}/off").status_code == 404
    assert browser.post(f"/my/autopay/charges/{charge.id}/cancellation").status_code == 404
    assert autopay_row(bob).active


def test_who_may_only_look_cannot_turn_it_on(app, build, ada):
    add_contact(ada, ContactWords("Boss", email="boss@example.org", billing_access="view"))
    build.saved_method(ada)
    browser = payer_client(app, "boss@example.org")

    assert "not pay them" in browser.get("/my/autopay").text
    assert browser.get(f"/my/autopay/{ada.id}/terms").status_code == 404


def test_it_is_turned_off_with_one_press(build, ada, browser):
    with_autopay(build, ada)
    invoice = build.posted("80", customer=ada, term="Net 15")
    work()
    assert "What will be charged" in browser.get("/my/autopay").text

    browser.post(f"/my/autopay/{ada.id}/off")

    assert not autopay_row(ada).active
    assert charges(invoice)[0].state is ChargeState.CANCELLED
    assert "Autopay is off" in browser.get("/my/autopay").text


def test_one_charge_can_be_left_out(build, ada, browser):
    with_autopay(build, ada)
    invoice = build.posted("80", customer=ada, term="Net 15")
    work()
    charge = charges(invoice)[0]

    browser.post(f"/my/autopay/charges/{charge.id}/cancellation", data={"version": charge.version})

    assert charges(invoice)[0].state is ChargeState.CANCELLED
    assert autopay_row(ada).active


def test_leaving_one_out_twice_is_the_same(build, ada, browser):
    with_autopay(build, ada)
    invoice = build.posted("80", customer=ada, term="Net 15")
    work()
    charge = charges(invoice)[0]
    address, typed = f"/my/autopay/charges/{charge.id}/cancellation", {"version": charge.version}
    browser.post(address, data=typed)

    for version in (charge.version, charge.version + 1):
        again = browser.post(address, data={"version": version}, follow_redirects=True)
        assert "It is not charged by itself any more." in again.text


def test_what_ended_otherwise_is_not_said_to_be_left_out(build, ada, browser):
    """Its invoice may wait to be charged by another row."""
    with_autopay(build, ada)
    invoice = build.posted("80", customer=ada, term="Net 15")
    work()
    charge = charges(invoice)[0]
    browser.post(f"/my/autopay/{ada.id}/off")
    late = browser.post(f"/my/autopay/charges/{charge.id}/cancellation", data={"version": 1})
    assert late.status_code in (409, 422)


def test_what_is_not_autopays_is_not_the_customers_to_cancel(build, ada, browser):
    invoice = build.posted("80", customer=ada)
    with_autopay(build, ada)
    run = start_charge_run([ada.id], seal="1-8000", by=None)
    db.session.commit()
    (charge,) = charges()

    answer = browser.post(
        f"/my/autopay/charges/{charge.id}/cancellation", data={"version": charge.version}
    )

    assert (answer.status_code, charge.run_id) == (404, run.id)
    assert charges()[0].state is ChargeState.WAITING
    assert balance_of(invoice) == Money.of(80)


def test_a_failed_charge_is_told_with_its_next_day(app, build, ada):
    with_autopay(build, ada, "declined-card")
    build.posted("80", customer=ada, term="Net 15")
    work()
    for day in (12, 15):
        with after(day):
            work()
    with after(15):
        page = payer_client(app, "ada@example.org").get("/my/autopay").text
    assert "The card was declined." in page
    assert "We try again on Mar 20" in page


def test_why_a_charge_waits_is_said_to_the_customer_and_not_about_them(app, build, ada):
    with_autopay(build, ada)
    build.posted("80", customer=ada, term="Net 15")
    work()
    with after(12):
        work()
    build.payment(ada, "10")
    with after(15):
        work()
        assert "The customer has $10.00 in credit" in charges()[0].outcome
        page = payer_client(app, "ada@example.org").get("/my/autopay").text
    assert "You have $10.00 in credit with us, which is used first." in page
    assert "The customer" not in page


def test_no_page_of_a_customer_prints_what_was_noted_for_the_office():
    pages = {str(one): one.read_text() for one in Path("templates/customer").rglob("*.html")}
    assert pages
    assert [name for name, text in pages.items() if ".outcome }}" in text] == []
