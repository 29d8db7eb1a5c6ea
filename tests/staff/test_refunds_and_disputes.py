"""Refunds through the gateway, refunds of two people, and disputes, as the office sees them."""

import re

import pytest

from portal.access import sign_in_user
from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.models import RefundRequest
from portal.tasks import run_waiting
from tests.conftest import staff_client
from tests.payment_collection.money_back import (
    at_gateway,
    fresh,
    limit_refunds,
    only_dispute,
    only_refund,
    paid,
    told,
)
from tests.staff.test_money_back import press_yes, refund_form, source_key


def give_back(office, build, payment, invoice, amount, why="Wrong amount charged"):
    """Fill in the form; the page that asks."""
    address = f"/staff/refunds?payment_id={payment.id}&invoice_id={invoice.id}"
    form = office.get(address.replace("/refunds?", "/refunds/new?")).text
    sent = refund_form(build, amount, why, source=source_key(form), type_id="-1")
    return address, form, office.post(address, data=sent).text


def test_online_money_goes_back_to_the_card_by_default(office, build):
    payment, invoice = paid(build)

    address, form, asked = give_back(office, build, payment, invoice, "30")

    assert re.search(r'<option selected value="-1">Back to the', form)
    assert "It is on its way for some days" in asked
    shown = press_yes(office, address, asked).text
    assert "$30.00 are on their way back." in shown
    assert "waits on Refunds in Transit" in shown
    run_waiting()
    given = only_refund().refund_id
    page = office.get(f"/staff/refunds/{given}").text
    assert "Succeeded" in page
    assert page.count("2420 Refunds in Transit") == 2
    assert "TEST GATEWAY" in office.get(f"/staff/payments/{payment.id}").text


def test_money_of_the_desk_is_not_offered_that_way(office, build):
    payment = build.payment(build.customer(), "80")
    db.session.commit()

    assert "Back to" not in office.get(f"/staff/refunds/new?payment_id={payment.id}").text


def test_one_that_came_back_is_told_at_home_and_on_its_page(office, build):
    payment, invoice = paid(build)
    address, _form, asked = give_back(office, build, payment, invoice, "30")
    press_yes(office, address, asked)
    run_waiting()
    told(payment, "refund-fails", only_refund().refund_ref)
    given = only_refund().refund_id

    assert "One refund came back" in office.get("/staff/").text
    assert "the bank account was closed" in office.get("/staff/refunds-waiting").text
    assert "Give the money back another way" in office.get(f"/staff/refunds/{given}").text
    assert fresh(invoice).balance == ZERO


def test_a_button_asks_the_gateway_again(office, build):
    payment, invoice = paid(build, by="bank-debit")
    address, _form, asked = give_back(office, build, payment, invoice, "30")
    press_yes(office, address, asked)
    run_waiting()
    given, ref = only_refund().refund_id, only_refund().refund_ref
    assert "In transit" in office.get("/staff/refunds-waiting").text
    at_gateway(payment, "refund-settles", ref)

    shown = office.post(f"/staff/refunds/{given}/look", follow_redirects=True).text

    assert "The gateway says: succeeded." in shown


def test_refunds_made_at_the_gateway_are_found_by_a_button(office, build):
    payment, invoice = paid(build)
    at_gateway(payment, "refund-half")
    number = payment.id
    db.session.commit()

    shown = office.post(f"/staff/payments/{number}/comparison", follow_redirects=True).text

    assert "Made at the card processor" in shown
    assert fresh(invoice).balance == Money.of(40)


def test_above_the_limit_somebody_else_has_to_agree(app, office, build):
    payment, invoice = paid(build)
    limit_refunds("20")
    waiting = office.get("/staff/refunds-waiting").text
    assert 'href="/staff/settings/collection">Limit: $20.00' in waiting
    address, _form, asked = give_back(office, build, payment, invoice, "30")
    assert "somebody else approves" in asked
    assert "Ask for approval" in asked

    shown = press_yes(office, address, asked).text

    assert "You asked for it yourself" in shown
    request = db.session.query(RefundRequest).one().id
    here = f"/staff/refunds-waiting/{request}"
    assert office.post(f"{here}/approval").status_code == 403
    assert "wait for approval" in office.get(f"/staff/payments/{payment.id}").text
    clerk = staff_client(app, build, "Accountant")
    assert clerk.post(f"{here}/approval").status_code == 403  # may not approve
    other = somebody_else(app, build)
    assert "Approve" in other.get(here).text
    assert "One refund waits for approval" in other.get("/staff/").text
    assert "is declined" in other.post(f"{here}/refusal", data={"because": ""}).text
    shown = other.post(f"{here}/approval", follow_redirects=True).text
    assert "Approved: $30.00 go back." in shown
    assert "Nothing to approve" in other.get("/staff/refunds-waiting").text


def somebody_else(app, build):
    person = build.person("Second Boss", email="second@acme.example", role="Administrator")
    token = sign_in_user(person, ip="127.0.0.1", agent="pytest")
    db.session.commit()
    browser = app.test_client()
    browser.set_cookie("fieldledger_staff", token)
    return browser


def test_a_declined_request_says_why(app, office, build):
    payment, invoice = paid(build)
    limit_refunds("20")
    address, _form, asked = give_back(office, build, payment, invoice, "30")
    press_yes(office, address, asked)
    here = f"/staff/refunds-waiting/{db.session.query(RefundRequest).one().id}"

    other = somebody_else(app, build)
    other.post(f"{here}/refusal", data={"because": "Warranty covers it"})

    assert "Warranty covers it" in office.get(here).text
    assert fresh(invoice).balance == ZERO


@pytest.fixture
def dispute(build):
    payment, _invoice = paid(build)
    told(payment, "dispute")
    db.session.commit()
    return f"/staff/disputes/{only_dispute().id}"


def test_a_dispute_is_listed_with_its_day_and_what_moved(office, dispute):
    assert "One dispute is to be answered" in office.get("/staff/").text
    listed = office.get("/staff/disputes?state=open").text
    assert "Mar 11, 2026" in listed
    assert "No disputes" not in listed
    page = office.get(dispute).text
    assert "Held by the bank" in page
    assert "$15.00" in page
    assert "counts as paid until" in page
    payment = only_dispute().payment_id
    assert "Dispute of $80.00" in office.get(f"/staff/payments/{payment}").text


def test_it_is_answered_once_after_it_was_asked(office, dispute):
    form = office.get(f"{dispute}/answer").text
    assert "INV-2026-00001" in form
    words = {"explanation": "We did the work.", "what_was_sold": "A furnace"}

    assert office.post(f"{dispute}/answer", data={"explanation": " "}).status_code == 422
    paper = office.post(f"{dispute}/answer", data={**words, "paper": "yes"})
    assert paper.data.startswith(b"%PDF-")
    asked = office.post(f"{dispute}/answer", data=words).text
    assert "Send this answer?" in asked
    assert only_dispute().file_key == ""
    sent = office.post(f"{dispute}/answer", data={**words, "confirmed": "yes"},
                       follow_redirects=True).text  # fmt: skip
    assert "We did the work." in sent
    run_waiting()
    assert "Under review" in office.get(dispute).text
    assert office.get(f"{dispute}/evidence.pdf").data.startswith(b"%PDF-")


def test_pressed_twice_shows_what_was_sent(office, dispute):
    words = {"explanation": "We did the work.", "confirmed": "yes"}
    for _press in range(2):
        sent = office.post(f"{dispute}/answer", data=words, follow_redirects=True)
        assert sent.status_code == 200
        assert "The answer was kept and is being sent." in sent.text
    assert "on its way already" in office.get(f"{dispute}/answer", follow_redirects=True).text


def test_a_refusal_keeps_what_was_typed(office, dispute, monday):
    words = {"explanation": "We did every bit of it.", "messages": "y"}
    only_dispute().answer_by = monday
    db.session.commit()

    for more in ({}, {"confirmed": "yes"}):
        late = office.post(f"{dispute}/answer", data={**words, **more})
        assert late.status_code == 422
        assert "The day to answer by has passed." in late.text
        assert "We did every bit of it.</textarea>" in late.text
        assert re.search(r'<input checked [^>]*name="messages"', late.text)


def test_it_is_said_what_goes_along_and_our_notes_are_not_ticked(office, dispute):
    form = office.get(f"{dispute}/answer").text
    assert re.search(r'<input checked [^>]*name="receipt"', form)
    assert not re.search(r'<input checked [^>]*name="job_notes"', form)

    asked = office.post(f"{dispute}/answer", data={"explanation": "Done.", "receipt": "y"}).text

    assert "<li>Receipt of the payment</li>" in asked
    assert "Our own notes of the job" not in asked
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked))
    del sent["paper"], sent["back"]  # buttons
    shown = office.post(f"{dispute}/answer", data=sent, follow_redirects=True).text
    assert "was answered; enclosed: receipt." in shown


def test_who_may_not_answer_may_look(app, build, dispute):
    clerk = staff_client(app, build, "Read-only")

    assert "Answer …" not in clerk.get(dispute).text
    assert clerk.get(f"{dispute}/answer").status_code == 403


def test_the_test_page_has_a_button_for_everything(client, build):
    payment, invoice = paid(build)
    ref = payment.provider_ref
    here = f"/test-gateway/payments/{ref}"

    for button in ("slow-refunds", "refund-half", "inquire", "escalate", "dispute-lost"):
        assert client.post(f"{here}/{button}").status_code == 303, button
    page = client.get(here).text
    assert "Refund of $40.00: In transit" in page
    assert "Dispute of $40.00: Lost" in page
    assert client.post(f"{here}/dispute-won").status_code == 422
    run_waiting()
    assert fresh(invoice).balance == Money.of(80)
    assert client.get("/test-gateway/payments/tpi_unknown").status_code == 404
