"""Charging a saved method from the invoice: asked first, told in words, once per press."""

import re
from datetime import date

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, Message, MethodState, Payment, PaymentAttempt, SavedMethod
from portal.tasks import run_waiting
from tests.conftest import count_statements, staff_client


@pytest.fixture
def owed(build):
    invoice = build.posted("80")
    return invoice.id, build.saved_method(invoice.customer).id


def hidden(page):
    """What the question sends back when somebody says yes."""
    return dict(re.findall(r'name="(seen|once|method_id|amount)"[^>]*?value="([^"]*)"', page)) | {
        name: value for value, name in re.findall(r'value="([^"]*)"[^>]*?name="(once)"', page)
    }


def ask(office, invoice_id, method_id, amount="80.00"):
    url = f"/staff/invoices/{invoice_id}/charge"
    return office.post(url, data={"method_id": method_id, "amount": amount, "once": "k1"})


def charge(office, invoice_id, method_id, amount="80.00"):
    typed = hidden(ask(office, invoice_id, method_id, amount).text)
    url = f"/staff/invoices/{invoice_id}/charge"
    return office.post(url, data=typed, follow_redirects=True)


def payments():
    return db.session.scalars(sa.select(Payment)).all()


def test_the_first_press_only_asks_and_names_method_amount_and_consent(office, owed):
    page = ask(office, *owed).text

    assert "Visa •••• 4242" in page
    assert "$80.00" in page
    assert "Consent to save and charge it" in page
    assert payments() == []


def test_yes_charges_and_says_so(office, owed):
    page = charge(office, *owed).text

    assert "Visa •••• 4242 was charged $80.00." in page
    assert [one.amount for one in payments()] == [Money.of(80)]
    assert db.session.get(Invoice, owed[0]).balance == ZERO


def test_a_paid_invoice_is_said_to_be_paid(office, build, owed):
    invoice = db.session.get(Invoice, owed[0])
    build.payment(invoice.customer, "80", invoice)
    db.session.commit()
    page = office.get(f"/staff/invoices/{owed[0]}/charge").text

    assert "This invoice is paid: there is nothing left to charge." in page
    assert "is due." not in page
    assert 'name="method_id"' not in page


def test_a_second_press_of_the_same_yes_charges_nothing(office, owed):
    invoice_id, method_id = owed
    typed = hidden(ask(office, invoice_id, method_id, "30.00").text)
    url = f"/staff/invoices/{invoice_id}/charge"

    office.post(url, data=typed)
    again = office.post(url, data=typed, follow_redirects=True)

    assert "already recorded" in again.text
    assert [one.amount for one in payments()] == [Money.of(30)]


def test_a_declined_card_is_told_in_words(office, build):
    invoice = build.posted("80")
    method = build.saved_method(invoice.customer, "declined-card")

    page = charge(office, invoice.id, method.id).text

    assert "Nothing was charged: The card was declined." in page
    assert payments() == []


def test_a_bank_debit_is_told_to_be_on_its_way(office, build):
    invoice = build.posted("80")
    method = build.saved_method(invoice.customer, "bank")

    assert "is on its way from Test Bank" in charge(office, invoice.id, method.id).text


@pytest.mark.parametrize(
    ("amount", "words"),
    [("80.01", "Only $80.00 is due"), ("0.99", "least"), ("-5", "least"), ("x", "Give an amount")],
)
def test_an_amount_out_of_bounds_is_refused_beside_the_field(office, owed, amount, words):
    reply = ask(office, *owed, amount)
    assert reply.status_code == 422
    assert words in reply.text


def test_another_customers_method_is_not_there(office, build, owed):
    other = build.saved_method(build.customer("Bob"))
    assert ask(office, owed[0], other.id).status_code == 404


def test_a_removed_method_is_refused_in_words(office, owed):
    method = db.session.get(SavedMethod, owed[1])
    method.state, method.is_primary = MethodState.REMOVED, False
    db.session.commit()

    reply = ask(office, *owed)

    assert reply.status_code == 422
    assert "was removed" in reply.text


def test_a_yes_to_an_older_balance_is_asked_again(office, build, owed):
    invoice_id, method_id = owed
    typed = hidden(ask(office, invoice_id, method_id, "30.00").text)
    build.payment(build.customer("Eve"), "1")
    invoice = db.session.get(Invoice, invoice_id)
    build.payment(invoice.customer, "20")
    db.session.commit()
    office.post(f"/staff/invoices/{invoice_id}/credit")
    assert db.session.get(Invoice, invoice_id).balance == Money.of(60)

    page = office.post(f"/staff/invoices/{invoice_id}/charge", data=typed).text

    assert "$30.00 of the $60.00 due" in page
    assert db.session.scalars(sa.select(PaymentAttempt)).all() == []


def test_without_a_method_the_way_to_one_is_shown(office, build):
    invoice = build.posted("80")
    page = office.get(f"/staff/invoices/{invoice.id}/charge").text
    assert "saved no payment method yet" in page


def test_only_who_may_charge_may(app, build, owed):
    reader = staff_client(app, build, "Read-only")
    assert reader.get(f"/staff/invoices/{owed[0]}/charge").status_code == 403
    assert ask(reader, *owed).status_code == 403


def test_the_invoice_leads_to_the_charge(office, owed):
    page = office.get(f"/staff/invoices/{owed[0]}").text
    assert f"/staff/invoices/{owed[0]}/charge" in page


# --- the customer's methods


def test_the_office_sees_each_method_with_the_consent_behind_it(office, build, owed):
    customer_id = db.session.get(SavedMethod, owed[1]).customer_id

    page = office.get(f"/staff/customers/{customer_id}/payment-methods").text

    assert "Keep my card." in page
    assert "Visa •••• 4242" in office.get(f"/staff/customers/{customer_id}").text


def test_the_office_mails_a_link_once_per_press(office, build):
    customer = build.customer(email="ada@example.org")
    url = f"/staff/customers/{customer.id}/payment-methods/link"

    office.post(url, data={"once": "k1"})
    office.post(url, data={"once": "k1"})

    (mail,) = db.session.scalars(sa.select(Message).where(Message.kind == "payment method"))
    assert mail.recipient == "ada@example.org"
    assert f"/my/payment-methods?customer_id={customer.id}" in mail.body


def test_the_office_removes_a_method_after_asking(office, owed):
    method = db.session.get(SavedMethod, owed[1])
    url = f"/staff/customers/{method.customer_id}/payment-methods/{method.id}/removal"

    assert "Remove Visa" in office.get(url).text
    office.post(url)

    assert db.session.get(SavedMethod, owed[1]).state is MethodState.REMOVED


def test_a_method_under_another_customers_address_is_not_there(office, build, owed):
    other = build.customer("Bob")
    url = f"/staff/customers/{other.id}/payment-methods/{owed[1]}"
    assert office.get(f"{url}/removal").status_code == 404
    assert office.post(f"{url}/removal").status_code == 404
    assert office.post(f"{url}/primary").status_code == 404


def test_the_office_finds_methods_that_expire_have_expired_or_ended(office, build):
    names = {"expiring-card": "Eva Expiring", "card": "Gus Good", "bank": "Bea Bank"}
    kept = {one: build.saved_method(build.customer(name), one) for one, name in names.items()}
    kept["bank"].state, kept["bank"].is_primary = MethodState.GONE, False
    old = build.saved_method(build.customer("Otto Old"))
    old.expires_on = date(2026, 2, 28)
    db.session.commit()

    found = {worry: office.get(f"/staff/payment-methods?worry={worry}").text
             for worry in ("", "expiring", "expired", "ended")}  # fmt: skip

    everybody = {*names.values(), "Otto Old"}
    shown = {worry: {name for name in everybody if name in page} for worry, page in found.items()}
    assert shown == {
        "": everybody, "expiring": {"Eva Expiring"}, "expired": {"Otto Old"},
        "ended": {"Bea Bank"},
    }  # fmt: skip


def test_the_list_of_methods_costs_the_same_however_long_it_is(office, build):
    build.saved_method(build.customer())
    office.get("/staff/payment-methods")
    with count_statements() as few:
        office.get("/staff/payment-methods")
    for _one in range(5):
        build.saved_method(build.customer())
    with count_statements() as many:
        office.get("/staff/payment-methods")
    assert len(many) == len(few)


def test_what_was_charged_and_what_was_refused_is_in_the_invoices_timeline(office, build):
    invoice = build.posted("80")
    method = build.saved_method(invoice.customer, "declined-card")
    charge(office, invoice.id, method.id)

    page = office.get(f"/staff/invoices/{invoice.id}").text

    assert "$80.00 is charged to Visa •••• 0002" in page
    assert "Nothing was charged: The card was declined." in page


def test_a_debit_can_be_settled_by_the_test_gateways_buttons(office, build):
    invoice = build.posted("80")
    page = charge(office, invoice.id, build.saved_method(invoice.customer, "bank").id).text
    path = re.search(r'href="(/test-gateway/charge/[^"]+)"', page)[1]

    office.post(f"{path}/debit-settles")
    run_waiting()

    assert [one.amount for one in payments()] == [Money.of(80)]


def test_bank_accounts_come_after_cards_that_expire_on_both_engines(office, build):
    build.saved_method(build.customer("Bea Bank"), "bank")
    build.saved_method(build.customer("Gus Good"))

    page = office.get("/staff/payment-methods").text

    assert page.index("Gus Good") < page.index("Bea Bank")
