"""The customer portal: only what is mine, only what may be paid, nothing typed is lost."""

import re

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.invoices import cancel_invoice, hand_out_link, pay_link_url, revoke_pay_links
from portal.kernel.money import Money
from portal.models import BillingAccess, Invoice, Message, PaymentAttempt, SentState
from portal.outbox import with_links
from portal.payment_collection import settle
from portal.payments import apply_payment
from tests.conftest import payer_client
from tests.payment_collection.test_settling import begin, press

BOSS = "boss@example.org"


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


@pytest.fixture
def browser(app, ada):
    db.session.commit()
    return payer_client(app, "ada@example.org")


def boss_of(*customers, access=BillingAccess.PAY):
    for customer in customers:
        add_contact(customer, ContactWords("Boss", email=BOSS, billing_access=access))
    db.session.commit()


def path_of(invoice):
    return pay_link_url(invoice).removeprefix("http://localhost")


def test_home_says_what_is_owed_and_ticks_all_of_it(build, ada, browser):
    build.posted("80", customer=ada)
    build.posted("20", customer=ada)
    db.session.commit()

    page = browser.get("/my/").text

    assert "$100.00" in page
    assert page.count("checked") == 2
    assert "Pay what is ticked" in page


def test_home_without_debts_says_so(browser):
    page = browser.get("/my/").text

    assert "All paid" in page
    assert "Pay what is ticked" not in page


def test_what_is_on_its_way_is_not_offered_again(build, ada, browser):
    busy = build.posted("80", customer=ada)
    build.posted("20", customer=ada)
    attempt_id, checkout = begin(busy)
    press(checkout, "bank-debit")
    settle(attempt_id)
    db.session.commit()

    page = browser.get("/my/").text

    assert (page.count("checked"), page.count("disabled")) == (1, 1)
    assert "payment on its way" in page


def test_each_customer_of_one_payer_has_a_bill_of_its_own(app, build):
    customers = [build.customer(name) for name in ("Ada", "Bob")]
    invoices = [build.posted("80", customer=one) for one in customers]
    boss_of(*customers)
    browser = payer_client(app, BOSS)

    page = browser.get("/my/").text

    assert page.count("Pay what is ticked") == 2
    answer = browser.post("/my/pay", data={"ids": [invoices[0].id]})
    assert "/test-gateway/checkout/" in answer.location


def test_who_may_only_look_is_offered_no_way_to_pay_and_has_none(app, build, ada):
    invoice = build.posted("80", customer=ada)
    boss_of(ada, access=BillingAccess.VIEW)
    browser = payer_client(app, BOSS)

    assert "Pay what is ticked" not in browser.get("/my/").text
    assert 'name="which"' not in browser.get(f"/my/invoices/{invoice.id}").text
    assert browser.post(f"/my/pay/{invoice.id}", data={"which": "all"}).status_code == 422
    assert browser.post("/my/pay", data={"ids": [invoice.id]}).status_code == 422
    assert db.session.scalars(sa.select(PaymentAttempt)).all() == []


def test_without_a_gateway_there_is_no_button(app, build, ada, browser, monkeypatch):
    build.posted("80", customer=ada)
    db.session.commit()
    monkeypatch.setitem(app.extensions, "gateway", None)

    assert "Pay what is ticked" not in browser.get("/my/").text


@pytest.mark.parametrize(
    "path",
    ["/my/invoices/{i}", "/my/invoices/{i}/invoice.pdf", "/my/payments/{p}/receipt.pdf",
     "/my/pay/back/{a}"],
)  # fmt: skip
def test_what_belongs_to_another_does_not_exist(build, browser, path):
    invoice = build.posted("80")
    attempt_id, _page = begin(build.posted("50"))
    payment = build.payment(invoice.customer, "10", invoice)
    public_id = db.session.get(PaymentAttempt, attempt_id).public_id
    address = path.format(i=invoice.id, p=payment.id, a=public_id)
    db.session.commit()

    assert browser.get(address).status_code == 404
    assert browser.post(f"/my/pay/{invoice.id}", data={"which": "all"}).status_code == 404


def test_drafts_and_free_work_are_not_shown(build, ada, browser):
    draft, free = build.invoice("80", customer=ada), build.posted("0", customer=ada)
    db.session.commit()

    assert "There are no invoices yet" in browser.get("/my/invoices").text
    for invoice in (draft, free):
        assert browser.get(f"/my/invoices/{invoice.id}").status_code == 404


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("81.23", "Only $80.00 is due"),
        ("0.99", "The least you can pay is $1.00"),
        ("12,50", "Give an amount such as 12.50"),
        ("1.005", "at most two decimals"),
        ("-5", "The least you can pay"),
    ],
)
@pytest.mark.parametrize("who", ["signed in", "guest"])
def test_a_refused_amount_stays_beside_its_reason(
    build, ada, browser, client, who, typed, sentence
):
    invoice = build.posted("80", customer=ada)
    mine = (browser, f"/my/pay/{invoice.id}")
    person, address = mine if who == "signed in" else (client, path_of(invoice))
    db.session.commit()

    page = person.post(address, data={"amount": typed, "which": "part"})

    assert page.status_code == 422
    assert sentence in page.text
    assert f'value="{typed}"' in page.text
    assert "<details" in page.text
    assert " open>" in page.text


def test_a_part_can_be_paid_and_then_the_rest(build, ada, browser):
    invoice = build.posted("80", customer=ada)
    db.session.commit()
    for amount, which in (("30", "part"), ("", "all")):
        answer = browser.post(f"/my/pay/{invoice.id}", data={"amount": amount, "which": which})
        press(answer.location.rsplit("/", 1)[1], "succeed")
        newest = sa.select(sa.func.max(PaymentAttempt.id))
        settle(db.session.scalar(newest))
        db.session.commit()

    assert "All paid" in browser.get("/my/").text


def test_a_cancelled_invoice_asks_for_nothing(build, client):
    invoice = build.invoice("80")
    path = hand_out_link(invoice).removeprefix("http://localhost")
    cancel_invoice(invoice, because="a mistake")
    db.session.commit()

    page = client.get(path).text

    assert "This invoice was cancelled. You owe nothing for it." in page
    assert 'name="which"' not in page
    assert '<h1 class="owed">$80.00' not in page
    assert "Still due" not in page


def test_a_sent_draft_says_that_it_is_not_final(build, client):
    invoice = build.invoice("80")
    path = hand_out_link(invoice).removeprefix("http://localhost")
    db.session.commit()

    pages = [client.get(path).text for _ in range(2)]

    assert "not yet final" in pages[0]
    assert all('name="which"' in page for page in pages)


def test_looking_at_what_was_never_sent_opens_nothing(build, client):
    invoice = build.posted("80")
    path = path_of(invoice)
    db.session.commit()

    client.get(path)

    db.session.expire_all()
    assert db.session.get(Invoice, invoice.id).sent_state is SentState.NOT_SENT


def test_a_revoked_link_is_worth_nothing(build, client):
    invoice = build.posted("80")
    path = path_of(invoice)
    revoke_pay_links(invoice)
    db.session.commit()

    assert client.get(path).status_code == 404
    assert client.post(path, data={"which": "all"}).status_code == 404
    assert client.get(f"{path}/invoice.pdf").status_code == 404


def test_payments_are_paged(build, ada, browser):
    for _ in range(27):
        build.payment(ada, "1")
    db.session.commit()

    assert browser.get("/my/payments").text.count("Receipt") == 25
    assert browser.get("/my/payments?page=2").text.count("Receipt") == 2


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/my/invoices/17", "/my/invoices/17"),
        ("//evil.example/", "/my/"),
        ("/my//evil.example", "/my/"),
        ("https://evil.example/my/", "/my/"),
        ("/staff/", "/my/"),
    ],
)
def test_signing_in_leads_where_one_wanted_to_go_but_never_elsewhere(client, ada, wanted, reached):
    db.session.commit()
    client.post("/my/sign-in", query_string={"next": wanted}, data={"email": "ada@example.org"})
    message = db.session.scalars(sa.select(Message).where(Message.kind == "sign-in")).one()
    mailed = with_links(message, message.body)
    link = re.search(r"http://localhost(/my/sign-in/link/\S+)", mailed)[1]
    db.session.commit()

    assert client.post(link).location == reached


def test_long_names_and_hostile_text_are_only_text(build, app):
    name = "<script>alert(1)</script>" + "Ä" * 200
    customer = build.customer(name, email="long@example.org")
    build.posted("80", customer=customer)
    db.session.commit()

    page = payer_client(app, "long@example.org").get("/my/invoices").text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_part_is_typed_and_never_taken_for_the_whole(build, ada, browser):
    invoice = build.posted("354.38", customer=ada)
    db.session.commit()
    page = browser.get(f"/my/invoices/{invoice.id}").text
    whole, part = re.findall(r'<form method="post" action="/my/pay/\d+".*?</form>', page, re.S)
    assert 'value="all"' in whole
    assert 'name="amount"' not in whole
    assert 'value="part"' in part
    assert 'name="amount"' in part

    browser.post(f"/my/pay/{invoice.id}", data={"which": "part", "amount": "100"})
    refused = browser.post(f"/my/pay/{invoice.id}", data={"which": "part", "amount": ""})

    assert [str(one.amount) for one in db.session.scalars(sa.select(PaymentAttempt))] == ["$100.00"]
    assert refused.status_code == 422
    assert "Type the amount you want to pay." in refused.text


def test_credit_is_used_for_an_invoice(build, ada, browser):
    invoice = build.posted("220.20", customer=ada)
    build.payment(ada, "50.00")
    build.payment(ada, "700.00")
    db.session.commit()

    page = browser.get(f"/my/invoices/{invoice.id}").text
    assert "You have a credit of $750.00" in page
    assert "Use $220.20 of it for this invoice" in page
    done = browser.post(f"/my/invoices/{invoice.id}/credit".replace("invoices", "pay"))

    assert done.status_code == 303
    assert "$220.20 of your credit were used" in browser.get(done.location).text
    assert not db.session.get_one(Invoice, invoice.id).balance
    assert "You have a credit of $529.80" in browser.get("/my/").text


def test_another_customers_credit_is_not_mine_to_use(build, browser):
    other = build.posted("10", customer=build.customer("Bob"))
    build.payment(other.customer, "10.00")
    db.session.commit()

    assert browser.post(f"/my/pay/{other.id}/credit").status_code == 404
    assert db.session.get_one(Invoice, other.id).balance


def test_who_may_only_look_cannot_use_the_credit(app, build):
    customer = build.customer("Cyd")
    invoice = build.posted("10", customer=customer)
    build.payment(customer, "10.00")
    boss_of(customer, access=BillingAccess.VIEW)

    page = payer_client(app, BOSS).post(f"/my/pay/{invoice.id}/credit")

    assert "not pay it" in page.text
    assert db.session.get_one(Invoice, invoice.id).balance


def test_a_declined_card_is_named_and_may_be_tried_again(build, ada, browser):
    attempt_id, checkout = begin(build.posted("80", customer=ada))
    press(checkout, "decline")
    public_id = db.session.get_one(PaymentAttempt, attempt_id).public_id

    page = browser.get(f"/my/pay/back/{public_id}").text

    assert "The card was declined." in page
    assert "Try again" in page
    press(checkout, "succeed")
    assert "Thank you" in browser.get(f"/my/pay/back/{public_id}").text
    assert db.session.get_one(PaymentAttempt, attempt_id).failure == ""


def test_a_guest_is_not_told_whose_address_the_receipt_goes_to(app, build, ada):
    invoice = build.posted("80", customer=ada)
    path, guest = build.pay_path(invoice), app.test_client()
    guest.post(path, data={"which": "all"})
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    press(attempt.session_ref, "succeed")

    page = guest.get(f"{path}/back/{attempt.public_id}").text

    assert "Your payment arrived." in page
    assert "ada@example.org" not in page


def test_what_is_partly_paid_says_what_is_still_due(build, ada, browser):
    invoice = build.posted("100.00", customer=ada)
    apply_payment(build.payment(ada, "40.00"), invoice, Money.of(40), on=build.today)
    db.session.commit()

    assert "$60.00 of $100.00 still due" in browser.get("/my/invoices").text
