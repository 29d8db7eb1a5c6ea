"""The invoice's page and list: conflicts on lines, credit, disputes, stable pull-downs."""

import re

import pytest

from portal.db import db
from portal.invoices import get_invoice
from portal.kernel.money import ZERO, Money
from portal.models import Payment
from portal.payments import credit_of, credits_of, disputed_invoices, payment_types


@pytest.fixture
def invoice(build):
    invoice = build.invoice("80")
    db.session.commit()
    return invoice


def version_in(page):
    return re.search(r'name="version"[^>]*value="(\d*)"', page)[1]


def test_the_second_to_save_a_line_sees_what_is_saved_and_may_overwrite_it(office, invoice):
    address = f"/staff/invoices/{invoice.id}/lines/{invoice.lines[0].id}"
    old = version_in(office.get(address).text)
    first = {"version": old, "item": "Copper pipe", "quantity": "2", "unit_price": "7"}
    second = {"version": old, "item": "Steel pipe", "quantity": "3", "unit_price": "7"}
    office.post(address, data=first)

    conflict = office.post(address, data=second)

    assert conflict.status_code == 422
    assert "Saved now: Copper pipe" in conflict.text
    assert "Saved now: 2" in conflict.text
    assert 'value="Steel pipe"' in conflict.text
    again = office.post(address, data=second | {"version": version_in(conflict.text)})
    assert again.status_code == 303
    assert get_invoice(invoice.id).lines[0].description == "Steel pipe"
    assert get_invoice(invoice.id).total == Money.of(21)


def test_a_payment_from_an_invoice_comes_filled_in(office, build):
    older = build.posted("10")
    invoice = build.posted("80.50", customer=older.customer)
    db.session.commit()
    page = office.get(f"/staff/invoices/{invoice.id}").text
    address = f"/staff/payments/new?customer_id={invoice.customer_id}&amp;invoice_id={invoice.id}"
    assert address in page

    form = office.get(address.replace("&amp;", "&")).text

    assert re.search(r'name="amount"[^>]*value="80.50"', form)
    assert f"to pay invoice {invoice.number} first" in form
    data = {"amount": "30", "type_id": payment_types()[0].id, "received_on": "2026-03-02"}
    here = f"/staff/payments?customer_id={invoice.customer_id}&invoice_id={invoice.id}"
    office.post(here, data=data)

    balances = [get_invoice(one.id).balance for one in (older, invoice)]
    assert balances == [Money.of(10), Money.of("50.50")]


def test_credit_is_shown_on_the_invoice_and_used_for_it(office, build):
    older = build.posted("10")
    invoice = build.posted("80", customer=older.customer)
    build.payment(invoice.customer, "30")
    db.session.commit()

    page = office.get(f"/staff/invoices/{invoice.id}").text
    assert "has $30.00 in credit" in page
    assert "Use $30.00 for this invoice" in page
    office.post(f"/staff/invoices/{invoice.id}/credit")

    assert get_invoice(invoice.id).balance == Money.of(50)
    assert get_invoice(older.id).balance == Money.of(10)
    assert credit_of(invoice.customer_id) == ZERO


def test_using_credit_that_is_gone_says_so(office, build):
    invoice = build.posted("80")

    page = office.post(f"/staff/invoices/{invoice.id}/credit", follow_redirects=True).text

    assert "There was no credit left to use." in page


def test_receivables_show_who_has_credit(office, build):
    invoice, other = build.posted("80"), build.posted("5")
    build.payment(invoice.customer, "30.25")
    spent = build.payment(other.customer, "4", other)
    db.session.commit()

    assert "$30.25" in office.get("/staff/receivables").text
    ids = [invoice.customer_id, other.customer_id]
    assert credits_of(ids, on=build.today) == {invoice.customer_id: Money.of("30.25")}
    assert credit_of(spent.customer_id, on=build.today) == ZERO


def test_a_disputed_payment_is_seen_on_its_invoice_and_in_the_list(office, build):
    invoice, other = build.posted("80"), build.posted("80")
    payment = build.payment(invoice.customer, "80", invoice)
    db.session.get_one(Payment, payment.id).disputed = True
    db.session.commit()

    assert 'data-state="disputed"' in office.get(f"/staff/invoices/{invoice.id}").text
    assert office.get("/staff/invoices").text.count('data-state="disputed"') == 1
    assert 'data-state="disputed"' not in office.get(f"/staff/invoices/{other.id}").text
    assert disputed_invoices([invoice.id, other.id]) == {invoice.id}


def test_pull_downs_keep_their_order(office, build, invoice):
    for n in range(12):
        build.zone("1", name=f"Zone {n:02}")
    db.session.commit()
    page = office.get(f"/staff/invoices/{invoice.id}/facts").text

    zones = re.findall(r">(Zone \d\d)</option>", page)

    assert zones == sorted(zones)
    assert len(zones) == 12


def test_a_list_narrowed_to_nothing_is_not_an_empty_company(office, build):
    assert "No invoices here" in office.get("/staff/invoices").text
    build.invoice("5")

    page = office.get("/staff/invoices?q=giraffe").text

    assert "Nothing fits" in page
    assert "No invoices here" not in page
    assert 'href="/staff/invoices">Clear the filters</a>' in page


def test_one_customers_invoices_stay_one_customers_while_filtering(office, build):
    invoice = build.invoice("5", customer=build.customer("Grace Hopper"))
    db.session.commit()

    page = office.get(f"/staff/invoices?customer_id={invoice.customer_id}").text

    assert f'name="customer_id" value="{invoice.customer_id}"' in page
    assert "Remove this filter" in page


def test_the_trail_is_told_in_words(office, build, invoice):
    address = f"/staff/invoices/{invoice.id}"
    line = {"version": invoice.version, "item": "Pipe", "quantity": "2", "unit_price": "7"}
    office.post(f"{address}/lines/{invoice.lines[0].id}", data=line)
    build.payment(invoice.customer, "3", get_invoice(invoice.id))
    facts = {"version": get_invoice(invoice.id).version, "invoice_date": "2026-03-01",
             "reference_number": "R-1", "term_id": invoice.term_id}  # fmt: skip
    office.post(f"{address}/facts", data=facts)

    page = office.get(address).text

    assert "description: <del>Labor</del> → <ins>Pipe</ins>" in page
    assert "Mar 1, 2026</ins>" in page
    assert "[&#39;" not in page
    assert "(staff " not in page
    assert re.search(r'from <a href="/staff/payments/\d+">a payment</a>', page)


def test_words_alone_are_a_conflict_too(office, invoice):
    address = f"/staff/invoices/{invoice.id}/lines/{invoice.lines[0].id}"
    same = {"version": invoice.version, "quantity": "1", "unit_price": "80"}
    office.post(address, data=same | {"item": "Copper pipe"})

    conflict = office.post(address, data=same | {"item": "Steel pipe"})

    assert conflict.status_code == 422
    assert get_invoice(invoice.id).lines[0].description == "Copper pipe"


def test_words_of_ours_in_a_line_make_no_link(office, invoice):
    line = {"item": "payment 12 of 24", "quantity": "1", "unit_price": "7"}
    office.post(f"/staff/invoices/{invoice.id}/lines", data=line)

    assert "/staff/payments/12" not in office.get(f"/staff/invoices/{invoice.id}").text
