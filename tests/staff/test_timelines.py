"""Timelines: who, when, old → new; a customer's tells also of all that is theirs."""

import re

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.models import Message
from portal.outbox import retry_message
from portal.reports import customer_timeline
from portal.web import PageRequest
from tests.conftest import count_statements, staff_client


def sentences(customer):
    page = customer_timeline(customer.id, PageRequest(size=200))
    return [entry.sentence for entry in page.rows]


def change(old, new):
    return f"<del>{old}</del> → <ins>{new}</ins>"


def text_of(page):
    return re.sub(r"<a [^>]*>|</a>", "", page)


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


def test_the_customer_s_timeline_tells_of_their_invoices_and_payments_newest_first(build, ada):
    invoice = build.posted("80", customer=ada)
    payment = build.payment(ada, "30", invoice)
    build.posted("5")  # somebody else's
    db.session.commit()

    told = sentences(ada)

    assert told.index(f"$30.00 were applied: invoice {invoice.number}.") == 0
    assert told[-2:] == ["Contact Ada was added.", "Ada was added."]
    assert f"Posted as {invoice.document_number}: $80.00." in told
    assert payment.id
    assert not any("$5.00" in one for one in told)


def test_each_entry_names_and_links_what_it_is_about(office, build, ada):
    invoice = build.posted("80", customer=ada)
    payment = build.payment(ada, "30")
    db.session.commit()

    page = office.get(f"/staff/customers/{ada.id}").text

    assert f'<a href="/staff/invoices/{invoice.id}">Invoice {invoice.number}</a>: Posted' in page
    assert f'<a href="/staff/payments/{payment.id}">Payment of $30.00</a>: $30.00 rec' in page


def test_who_may_not_look_at_payments_gets_no_link_to_them(app, build, ada):
    from portal.access import Ability, RoleWords, add_role

    add_role(RoleWords("Greeter", [Ability.VIEW_CUSTOMERS]))
    build.payment(ada, "30")
    db.session.commit()

    page = staff_client(app, build, "Greeter").get(f"/staff/customers/{ada.id}/timeline").text

    assert "Payment of $30.00: $30.00 received" in page
    assert "/staff/payments/" not in page


def test_messages_are_part_of_it(office, build, ada):
    invoice = build.posted("80", customer=ada)
    office.post(f"/staff/invoices/{invoice.id}/sending")
    message = db.session.scalars(sa.select(Message)).one()
    message.state = "failed"
    retry_message(message)
    db.session.commit()

    told = sentences(ada)

    assert any("is tried again" in one for one in told)
    assert any("ada@example.org" in one for one in told)


def test_it_is_paged_with_a_constant_number_of_statements(office, build, ada):
    def statements():
        with count_statements() as sent:
            page = office.get(f"/staff/customers/{ada.id}/timeline").text
        return len(sent), page

    build.posted("1", customer=ada)
    statements()
    few, _ = statements()
    for price in range(2, 20):
        build.posted(str(price), customer=ada)
    db.session.commit()

    many, page = statements()

    assert many == few
    assert "1–50 of " in page
    assert "Page 1 of 2" in page


def test_a_changed_customer_tells_old_and_new_by_name(office, build, ada):
    net30 = build.term("Net 30")
    data = {"version": ada.version, "name": "Ada King", "email": "ada@example.org",
            "delivery": "mail", "language": "en", "term_id": net30.id, "tax_exempt": "y",
            "exemption_certificate": "X-1", "exemption_expires_on": "2027-01-31",
            "active": "y"}  # fmt: skip

    assert office.post(f"/staff/customers/{ada.id}/edit", data=data).status_code == 303

    page = office.get(f"/staff/customers/{ada.id}").text
    for pair in (
        change("Ada", "Ada King"), change("email", "mail"), change("—", "Net 30"),
        change("no", "yes"), change("—", "Jan 31, 2027"),
    ):  # fmt: skip
        assert pair in page
    assert "Administrator ·" in page


def test_a_changed_contact_tells_old_and_new(office, ada):
    contact = ada.contacts[0]
    data = {"version": contact.version, "name": "Ada", "email": "king@example.org",
            "phone": "555 1234", "billing_access": "view", "active": "y"}  # fmt: skip

    office.post(f"/staff/customers/{ada.id}/contacts/{contact.id}", data=data)

    page = office.get(f"/staff/customers/{ada.id}").text
    assert "Contact Ada was changed." in page
    assert f"email: {change('ada@example.org', 'king@example.org')}" in page
    assert f"phone: {change('—', '555 1234')}" in page
    assert f"billing access: {change('pay', 'view')}" in page


def test_a_changed_location_tells_old_and_new(office, build, ada):
    old, new = build.zone("5", name="North"), build.zone("6", name="South")
    place = build.location(ada, zone=old)
    data = {"version": place.version, "street": "9 New St", "city": "Springfield", "region": "IL",
            "postal_code": "62701", "tax_zone_id": new.id, "active": "y"}  # fmt: skip
    before = place.one_line_address

    office.post(f"/staff/customers/{ada.id}/locations/{place.id}", data=data)

    page = office.get(f"/staff/customers/{ada.id}").text
    assert f"tax zone: {change('North', 'South')}" in page
    assert f"address: {change(before, '9 New St, Springfield, IL 62701')}" in page


def test_saving_without_a_change_tells_nothing(office, ada):
    contact = ada.contacts[0]
    data = {"version": contact.version, "name": "Ada", "email": "ada@example.org", "phone": "",
            "billing_access": "pay", "active": "y"}  # fmt: skip

    office.post(f"/staff/customers/{ada.id}/contacts/{contact.id}", data=data)

    assert "was changed" not in office.get(f"/staff/customers/{ada.id}").text


def test_invoices_and_payments_have_theirs(office, build, ada):
    invoice = build.posted("80", customer=ada)
    payment = build.payment(ada, "30", invoice)
    db.session.commit()

    of_invoice = text_of(office.get(f"/staff/invoices/{invoice.id}").text)
    of_payment = text_of(office.get(f"/staff/payments/{payment.id}").text)

    assert "$30.00 were applied from a payment." in of_invoice
    assert f"Posted as {invoice.document_number}" in of_invoice
    assert "$30.00 received by" in of_payment
    assert f"applied: invoice {invoice.number}" in of_payment
