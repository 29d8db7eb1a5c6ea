"""Invoice types: the office's own labels, chosen while an invoice is Pending."""

import pytest

from portal.company import add_business_unit
from portal.db import db
from portal.invoices import (
    InvoiceFilter,
    add_invoice_type,
    find_invoices,
    get_invoice,
    invoice_types,
)
from portal.kernel.errors import InvalidFields
from portal.web import PageRequest


@pytest.fixture
def warranty(app):
    row = add_invoice_type("Warranty")
    db.session.flush()
    return row


def facts(invoice, **words):
    return {
        "version": invoice.version,
        "reference_number": invoice.reference_number,
        "invoice_date": invoice.invoice_date.isoformat(),
        "term_id": invoice.term_id,
    } | words


def test_the_office_adds_renames_and_retires_its_types(office, warranty):
    office.post("/staff/labels/invoice-types", data={"name": "Callback"})
    address = f"/staff/labels/invoice-types/{warranty.id}"
    office.post(address, data={"version": warranty.version, "name": "Guarantee"})

    assert [one.name for one in invoice_types()] == ["Callback"]
    assert [one.name for one in invoice_types(all_of_them=True)] == ["Callback", "Guarantee"]


@pytest.mark.parametrize("name", ["", "  ", "warranty"])
def test_a_type_needs_a_name_of_its_own(warranty, name):
    with pytest.raises(InvalidFields):
        add_invoice_type(name)


def test_a_type_is_chosen_for_a_new_invoice_and_shown_as_a_badge(office, build, warranty):
    customer = build.customer("Ada")
    data = {"customer": "Ada", "customer_id": customer.id, "type_id": warranty.id}

    page = office.post("/staff/invoices", data=data, follow_redirects=True).text

    assert '<span class="badge bg-blue-lt">Warranty</span>' in page


def test_the_facts_change_the_type_and_tell_old_and_new(office, build, warranty):
    invoice = build.invoice("10")
    unit = add_business_unit("HVAC")
    db.session.flush()
    address = f"/staff/invoices/{invoice.id}/facts"
    data = facts(invoice, type_id=warranty.id, business_unit_id=unit.id)

    office.post(address, data=data)

    assert get_invoice(invoice.id).type.name == "Warranty"
    page = office.get(f"/staff/invoices/{invoice.id}").text
    assert "type: <del>—</del> → <ins>Warranty</ins>" in page
    assert "business unit: <del>—</del> → <ins>HVAC</ins>" in page


def test_a_posted_invoice_keeps_its_type(office, build, warranty):
    invoice = build.posted("10")

    reply = office.post(
        f"/staff/invoices/{invoice.id}/facts", data=facts(invoice, type_id=warranty.id)
    )

    assert reply.status_code == 422
    assert get_invoice(invoice.id).type is None


def test_a_type_that_is_no_longer_offered_cannot_be_chosen_anew(office, build, warranty):
    warranty.active = False
    invoice, kept = build.invoice("10"), build.invoice("20")
    kept.type = warranty
    db.session.flush()

    new = office.post(
        f"/staff/invoices/{invoice.id}/facts", data=facts(invoice, type_id=warranty.id)
    )
    old = office.post(f"/staff/invoices/{kept.id}/facts", data=facts(kept, type_id=warranty.id))

    assert (new.status_code, old.status_code) == (422, 303)
    assert "Choose one from the list." in new.text


def test_the_list_is_narrowed_to_a_type(office, build, warranty):
    build.invoice("10")
    invoice = build.invoice("20")
    invoice.type = warranty
    db.session.flush()

    found = find_invoices(InvoiceFilter(type_id=warranty.id), PageRequest(), on=build.today)

    assert [one.id for one in found.rows] == [invoice.id]
    page = office.get(f"/staff/invoices?type_id={warranty.id}").text
    assert invoice.number in page
    assert "All 1" in page
