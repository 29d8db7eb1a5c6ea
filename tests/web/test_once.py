"""A form sent twice is carried out once."""

import re

import sqlalchemy as sa

from portal.db import db
from portal.models import Customer, Invoice, Job, Payment

TWICE = {"name": "Twice", "delivery": "email", "language": "en"}


def key_in(page):
    return re.search(r'name="once"[^>]*value="([^"]+)"', page.text)[1]


def count(table):
    return db.session.scalar(sa.select(sa.func.count()).select_from(table))


def test_two_presses_record_one_payment_and_lead_to_it(build, office):
    invoice = build.posted("80.00")
    db.session.commit()
    address = f"/staff/payments?customer_id={invoice.customer_id}"
    key = key_in(office.get(f"/staff/payments/new?customer_id={invoice.customer_id}"))
    form = {"amount": "80", "type_id": "1", "received_on": "2026-03-02", "once": key}

    first, second = (office.post(address, data=form) for _ in range(2))

    assert count(Payment) == 1
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    assert "already recorded" in office.get(second.location).text


def test_another_form_is_another_payment(build, office):
    invoice = build.posted("80.00")
    db.session.commit()
    address = f"/staff/payments?customer_id={invoice.customer_id}"
    for _ in range(2):
        key = key_in(office.get(f"/staff/payments/new?customer_id={invoice.customer_id}"))
        office.post(address, data={"amount": "40", "type_id": "1",
                                   "received_on": "2026-03-02", "once": key})  # fmt: skip

    assert count(Payment) == 2


def test_the_same_key_with_other_content_is_another_payment(build, office):
    invoice, other = build.posted("80.00"), build.posted("70.00")
    db.session.commit()
    key = key_in(office.get(f"/staff/payments/new?customer_id={invoice.customer_id}"))
    check = {"amount": "80", "type_id": "1", "received_on": "2026-03-02", "once": key}
    sent = [
        (invoice.customer_id, check),
        (invoice.customer_id, {**check, "amount": "55", "reference": "check 2"}),
        (other.customer_id, check),
    ]

    for customer_id, form in sent:
        office.post(f"/staff/payments?customer_id={customer_id}", data=form)

    assert count(Payment) == 3


def test_a_form_without_a_key_counts_as_new(build, office):
    invoice = build.posted("80.00")
    db.session.commit()
    form = {"amount": "40", "type_id": "1", "received_on": "2026-03-02", "once": ""}

    for _ in range(2):
        office.post(f"/staff/payments?customer_id={invoice.customer_id}", data=form)

    assert count(Payment) == 2


def test_a_refused_form_may_be_sent_again(build, office):
    invoice = build.posted("80.00")
    db.session.commit()
    address = f"/staff/payments?customer_id={invoice.customer_id}"
    key = key_in(office.get(f"/staff/payments/new?customer_id={invoice.customer_id}"))
    form = {"amount": "-1", "type_id": "1", "received_on": "2026-03-02", "once": key}

    refused = office.post(address, data=form)
    assert (refused.status_code, key_in(refused)) == (422, key)
    office.post(address, data={**form, "amount": "80"})

    assert count(Payment) == 1


def test_a_line_sent_twice_is_added_once(build, office):
    invoice = build.invoice("10.00")
    db.session.commit()
    key = key_in(office.get(f"/staff/invoices/{invoice.id}"))
    line = {"item": "Labor", "quantity": "1", "unit_price": "5", "taxable": "y", "once": key}

    pages = [
        office.post(
            f"/staff/invoices/{invoice.id}/lines", data=line, headers={"HX-Request": "true"}
        )
        for _ in range(2)
    ]

    assert [page.status_code for page in pages] == [200, 200]
    assert "$15.00" in pages[1].text
    db.session.expire_all()
    assert len(db.session.get(Invoice, invoice.id).lines) == 2


def test_going_back_and_saving_again_leads_to_the_first_customer(office):
    form = {**TWICE, "email": "twice@example.org"}
    first = office.post(
        "/staff/customers", data={**form, "once": key_in(office.get("/staff/customers/new"))}
    )

    kept = office.post("/staff/customers", data={**form, "once": "another page, the same words"})
    again = office.post("/staff/customers", data={**form, "once": "another page, the same words"})

    assert kept.location == again.location == first.location
    assert count(Customer) == 1
    assert "This form was saved before" in office.get(first.location).text


def test_mending_a_word_after_going_back_makes_no_second_customer(office):
    key = key_in(office.get("/staff/customers/new"))
    first = office.post("/staff/customers", data={**TWICE, "once": key})

    second = office.post("/staff/customers", data={**TWICE, "name": "Twyce", "once": key})
    third = office.post("/staff/customers", data={**TWICE, "name": "Other", "once": "new"})

    assert second.location == first.location != third.location
    assert count(Customer) == 2


def test_jobs_invoices_and_customers_are_begun_once(build, office):
    location = build.location()
    db.session.commit()
    begun = {
        "/staff/invoices/new": ("/staff/invoices", {"customer_id": location.customer_id}, Invoice),
        "/staff/customers/new": ("/staff/customers", TWICE, Customer),
        f"/staff/jobs/new?customer_id={location.customer_id}": (
            f"/staff/jobs?customer_id={location.customer_id}",
            {"location_id": location.id, "summary": "Once"},
            Job,
        ),
    }
    for page, (address, data, table) in begun.items():
        before, key = count(table), key_in(office.get(page))
        answers = [office.post(address, data={**data, "once": key}) for _ in range(2)]
        assert [one.status_code for one in answers] == [303, 303], answers[0].text[:2000]
        assert answers[0].location == answers[1].location
        assert count(table) == before + 1
