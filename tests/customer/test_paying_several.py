"""Several invoices, or a part of each, in one payment; and money that is on its way."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.company import company
from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.invoices import pay_link_url
from portal.kernel import clock
from portal.kernel.calendar import add_business_days
from portal.kernel.money import ZERO, Money
from portal.models import AttemptState, Invoice, Payment, PaymentAttempt
from portal.payment_collection import is_on_its_way, on_its_way, settle
from tests.conftest import payer_client
from tests.payment_collection.test_settling import press


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


@pytest.fixture
def browser(app, ada):
    db.session.commit()
    return payer_client(app, "ada@example.org")


@pytest.fixture
def two(build, ada):
    invoices = build.posted("80", customer=ada), build.posted("20", customer=ada)
    db.session.commit()
    return invoices


def pay(browser, *pairs):
    data = {"ids": [one.id for one, _ in pairs]}
    return browser.post("/my/pay", data=data | {f"amount-{one.id}": a for one, a in pairs})


def newest():
    query = sa.select(PaymentAttempt).order_by(PaymentAttempt.id.desc()).limit(1)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def page_of(answer):
    return answer.location.rsplit("/", 1)[1]


def balance_of(invoice):
    return db.session.get_one(Invoice, invoice.id, populate_existing=True).balance


def take_days(page):
    """The payer chooses a bank debit; it is processing afterwards."""
    press(page, "bank-debit")
    settle(newest().id)
    db.session.commit()


def test_the_summary_names_every_invoice_with_its_amount_and_the_sum(browser, two):
    page = browser.get("/my/pay", query_string={"ids": [one.id for one in two]}).text

    for one in two:
        assert one.number in page
        assert f'name="amount-{one.id}"' in page
    assert 'value="80.00"' in page
    assert "$100.00" in page


def test_the_button_says_just_what_it_pays(build, ada, browser):
    late = build.posted("80", customer=ada, on=date(2026, 1, 2), term="Net 15")
    later = build.posted("20", customer=ada, on=date(2026, 3, 1), term="Net 30")
    db.session.commit()
    home = browser.get("/my/").text
    assert "Pay all due · $80.00" in home
    ticked = [str(one.id) for one in (late, later)
              if re.search(rf'value="{one.id}"[^>]*checked', home)]  # fmt: skip
    assert ticked == [str(late.id)]
    build.payment(ada, "80", late)
    db.session.commit()
    assert "Pay everything · $20.00" in browser.get("/my/").text


def test_home_and_list_lead_to_the_summary(browser, two):
    home = browser.get("/my/").text
    assert "Pay all due · $100.00" in home
    link = re.search(r'href="(/my/pay\?[^"]+)"', home)[1].replace("&amp;", "&")
    assert browser.get(link).text.count("data-amount") == 2
    assert browser.get("/my/invoices").text.count('name="ids"') == 2


def test_several_invoices_are_one_payment_with_an_application_each(browser, two):
    first, second = two
    answer = pay(browser, (first, "50"), (second, "20.00"))
    press(page_of(answer), "succeed")
    settle(newest().id)
    db.session.commit()

    payment = db.session.scalars(sa.select(Payment)).one()
    assert payment.amount == Money.of(70)
    assert sorted(one.amount for one in payment.applications) == [Money.of(20), Money.of(50)]
    assert (balance_of(first), balance_of(second)) == (Money.of(30), ZERO)


def test_an_amount_left_empty_leaves_its_invoice_out(browser, two):
    first, second = two
    pay(browser, (first, ""), (second, "20"))

    assert [one.invoice_id for one in newest().shares] == [second.id]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("0.99", "The least you can pay is $1.00."),
        ("80.01", "Only $80.00 is due"),
        ("-5", "The least you can pay is $1.00."),
        ("0", "The least you can pay is $1.00."),
        ("1.005", "at most two decimals"),
        ("lots", "Give an amount such as 12.50"),
    ],
)
def test_a_bad_amount_is_told_beside_its_own_invoice(browser, two, typed, sentence):
    first, second = two
    answer = pay(browser, (first, typed), (second, "7.50"))

    assert answer.status_code == 422
    beside = re.search(rf'id="amount-{first.id}-refused"[^>]*>([^<]*)', answer.text)[1]
    assert sentence in beside
    assert f'id="amount-{second.id}-refused"' not in answer.text
    assert f'value="{typed}"' in answer.text
    assert 'value="7.50"' in answer.text
    assert db.session.scalars(sa.select(PaymentAttempt)).all() == []


def test_nothing_left_to_pay_is_told(browser, two):
    answer = pay(browser, (two[0], ""), (two[1], " "))

    assert answer.status_code == 422
    assert "Choose at least one invoice" in answer.text


def test_anothers_invoice_does_not_exist_even_among_mine(build, browser, two):
    foreign = build.posted("10")
    db.session.commit()

    ids = [two[0].id, foreign.id]
    assert browser.get("/my/pay", query_string={"ids": ids}).status_code == 404
    assert pay(browser, (two[0], "80"), (foreign, "10")).status_code == 404
    assert db.session.scalars(sa.select(PaymentAttempt)).all() == []


def test_what_was_paid_meanwhile_is_named_and_the_rest_can_go(build, ada, browser, two):
    build.payment(ada, "80", two[0])
    db.session.commit()

    answer = pay(browser, (two[0], "80"), (two[1], "20"))

    assert answer.status_code == 422
    assert "is not open for payment any more" in answer.text
    assert "already paid" in answer.text
    assert answer.text.count("data-amount") == 1


def test_an_amount_that_changed_after_the_page_was_made_becomes_credit(build, ada, browser, two):
    answer = pay(browser, (two[0], "80"), (two[1], "20"))
    press(page_of(answer), "succeed")  # paid in the very moment in which a check is recorded
    build.payment(ada, "50", two[0])
    db.session.commit()
    settle(newest().id)
    db.session.commit()

    online = db.session.scalars(sa.select(Payment).order_by(Payment.id.desc())).first()
    assert (online.amount, online.unapplied) == (Money.of(100), Money.of(50))
    assert (balance_of(two[0]), balance_of(two[1])) == (ZERO, ZERO)


def test_who_may_only_look_cannot_pay_several(app, build, ada, two):
    add_contact(ada, ContactWords("Boss", email="boss@example.org", billing_access="view"))
    db.session.commit()
    browser = payer_client(app, "boss@example.org")

    assert pay(browser, (two[0], "80")).status_code == 422
    assert browser.get("/my/pay", query_string={"ids": two[0].id}).status_code == 422
    assert 'name="ids"' not in browser.get("/my/invoices").text


def test_bills_of_two_customers_are_two_payments(app, build, ada, two):
    bob = build.customer("Bob")
    his = build.posted("5", customer=bob)
    for customer in (ada, bob):
        add_contact(customer, ContactWords("Boss", email="boss@example.org"))
    db.session.commit()
    browser = payer_client(app, "boss@example.org")

    page = browser.get("/my/pay", query_string={"ids": [two[0].id, his.id]}).text
    assert page.count("Go on to pay") == 2
    mixed = pay(browser, (two[0], "80"), (his, "5"))
    assert "different customers cannot be paid together" in mixed.text


def test_a_debit_reserves_the_balance_with_the_day_it_should_arrive(browser, two, client):
    first, second = two
    take_days(page_of(pay(browser, (first, "80"), (second, "12"))))

    assert balance_of(first) == Money.of(80)  # reserved, not reduced
    ways = on_its_way([first.id, second.id])
    assert (ways[first.id].amount, ways[second.id].amount) == (Money.of(80), Money.of(12))
    assert ways[first.id].expected_on == date(2026, 3, 6)  # Monday and four business days
    assert is_on_its_way(db.session.get_one(Invoice, first.id))
    for page in (
        browser.get("/my/").text,
        browser.get(f"/my/invoices/{second.id}").text,
        browser.get("/my/invoices").text,
        client.get(pay_link_url(second).removeprefix("http://localhost")).text,
    ):
        assert "on its way" in page
        assert "Mar 6" in page or "March 6" in page
        assert not re.search("Pay (all due|everything|the rest)", page)
    summary = browser.get("/my/pay", query_string={"ids": [first.id]}).text
    assert "There is nothing to pay here now" in summary
    refused = pay(browser, (second, "8"))
    assert "already on its way" in refused.text


def test_sepa_takes_a_day_longer(browser, two):
    company().currency = "EUR"
    db.session.commit()
    take_days(page_of(pay(browser, (two[0], "80"))))

    assert on_its_way([two[0].id])[two[0].id].expected_on == date(2026, 3, 9)


def test_a_debit_that_came_back_can_be_paid_again(browser, two, monday):
    page = page_of(pay(browser, (two[0], "80")))
    take_days(page)
    press(page, "debit-fails")

    assert settle(newest().id) is AttemptState.FAILED
    db.session.commit()
    assert on_its_way([two[0].id]) == {}
    assert page_of(pay(browser, (two[0], "80")))


def test_a_late_debit_is_said_to_be_late(app, browser, two, monday):
    take_days(page_of(pay(browser, (two[0], "80"))))
    with clock.frozen(monday + timedelta(days=9)):
        assert "longer than usual" in browser.get("/my/").text


def test_the_office_sees_what_is_on_its_way(office, browser, two):
    take_days(page_of(pay(browser, (two[0], "80"), (two[1], "12"))))

    invoice = office.get(f"/staff/invoices/{two[1].id}").text
    assert "$12.00 is on its way" in invoice
    assert "Mar 6" in invoice
    rows = office.get("/staff/receivables").text
    assert "$92.00 on its way" in rows
    one = office.get(f"/staff/receivables/{two[0].customer_id}").text
    assert "$80.00 on its way" in one
    assert "on its way" in office.get(f"/staff/payments/new?customer_id={two[0].customer_id}").text


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        (date(2026, 3, 2), 4, date(2026, 3, 6)),
        (date(2026, 3, 5), 4, date(2026, 3, 11)),
        (date(2026, 3, 7), 4, date(2026, 3, 12)),  # Saturday counts as Friday
        (date(2026, 3, 6), 5, date(2026, 3, 13)),
        (date(2026, 3, 6), 0, date(2026, 3, 6)),
    ],
)
def test_business_days_leave_weekends_out(start, days, end):
    assert add_business_days(start, days) == end
