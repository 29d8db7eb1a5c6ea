"""Two tabs on one invoice: the second is told what changed and by whom, and keeps what it typed."""

import re

import pytest

from portal.audit import acting_as
from portal.db import db
from portal.invoices import get_invoice, post_invoice, review_invoice
from portal.models import ReviewState
from tests.conftest import staff_client


@pytest.fixture
def invoice(build):
    invoice = build.invoice("80")
    db.session.commit()
    return invoice


@pytest.fixture
def accountant(app, build):
    return staff_client(app, build, "Accountant")


def hidden(page):
    """The version and the end of the trail that the form carries."""
    return {
        name: re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)[1]
        for name in ("version", "seen_trail")
    }


def typed_facts(invoice, **words):
    return {"reference_number": invoice.reference_number, "invoice_date": "2026-03-02",
            "term_id": invoice.term_id} | words  # fmt: skip


def test_facts_name_each_changed_field_old_new_and_who(office, accountant, invoice):
    address = f"/staff/invoices/{invoice.id}/facts"
    mine, theirs = hidden(office.get(address).text), hidden(accountant.get(address).text)
    office.post(address, data=mine | typed_facts(invoice, purchase_order="PO-1"))

    late = accountant.post(address, data=theirs | typed_facts(invoice, purchase_order="PO-2"))

    assert late.status_code == 422
    assert "Changed meanwhile" in late.text
    assert "purchase order: <del>—</del> → <ins>PO-1</ins>" in late.text
    assert ">Administrator ·" in late.text
    assert 'value="PO-2"' in late.text
    assert "Labor" not in late.text  # older happenings are no news
    again = hidden(late.text) | typed_facts(invoice, purchase_order="PO-2")
    assert accountant.post(address, data=again).status_code == 303
    assert get_invoice(invoice.id).purchase_order == "PO-2"


def test_a_line_names_what_was_changed_on_it(office, accountant, invoice):
    address = f"/staff/invoices/{invoice.id}/lines/{invoice.lines[0].id}"
    mine, theirs = hidden(office.get(address).text), hidden(accountant.get(address).text)
    office.post(address, data=mine | {"item": "Copper", "quantity": "2", "unit_price": "7"})

    late = accountant.post(
        address, data=theirs | {"item": "Steel", "quantity": "3", "unit_price": "7"}
    )

    assert late.status_code == 422
    assert "description: <del>Labor</del> → <ins>Copper</ins>" in late.text
    assert "quantity: <del>1</del> → <ins>2</ins>" in late.text
    assert 'value="Steel"' in late.text


def test_a_summary_keeps_its_text_and_names_the_other(office, accountant, invoice):
    page = f"/staff/invoices/{invoice.id}"
    mine, theirs = hidden(office.get(page).text), hidden(accountant.get(page).text)
    office.post(f"{page}/summary", data=mine | {"summary": "Cleaned"})

    late = accountant.post(f"{page}/summary", data=theirs | {"summary": "Cleaned the filter"})

    assert late.status_code == 409
    assert "summary: <del>—</del> → <ins>Cleaned</ins>" in late.text
    assert ">Cleaned the filter</textarea>" in late.text


def test_a_line_removed_meanwhile_waits_to_be_added_again(office, accountant, invoice):
    address = f"/staff/invoices/{invoice.id}/lines/{invoice.lines[0].id}"
    theirs = hidden(accountant.get(address).text)
    office.post(f"{address}/removal")

    late = accountant.post(
        address, data=theirs | {"item": "Steel", "quantity": "3", "unit_price": "7"}
    )

    assert late.status_code == 409
    assert "Somebody removed this line meanwhile" in late.text
    assert "was removed: $80.00" in late.text
    assert 'value="Steel"' in late.text


@pytest.mark.parametrize("path", ["/facts", "/lines"])
def test_what_was_posted_meanwhile_loses_nothing_typed(office, build, invoice, path):
    with acting_as("Bea (staff 2)"):
        post_invoice(invoice)
    db.session.commit()
    typed = typed_facts(invoice, purchase_order="PO-2") | {
        "item": "Steel pipe", "quantity": "3", "unit_price": "7", "version": "1",
    }  # fmt: skip

    late = office.post(f"/staff/invoices/{invoice.id}{path}", data=typed)

    assert late.status_code == 422
    assert "is posted and cannot be edited" in late.text
    assert ("PO-2" if path == "/facts" else "Steel pipe") in late.text


def test_a_review_counts_as_a_change(office, invoice):
    address = f"/staff/invoices/{invoice.id}/facts"
    mine = hidden(office.get(address).text)
    with acting_as("Bea (staff 2)"):
        review_invoice(get_invoice(invoice.id), ReviewState.ON_HOLD, note="Parts")

    late = office.post(address, data=mine | typed_facts(invoice, purchase_order="PO-2"))

    assert "review: <del>needs review</del> → <ins>on hold</ins>" in late.text


def test_ones_own_line_just_added_is_no_news(office, invoice):
    htmx = {"HX-Request": "true"}
    line = {"item": "Pipe", "quantity": "1", "unit_price": "7"}
    part = office.post(f"/staff/invoices/{invoice.id}/lines", data=line, headers=htmx).text
    mine = hidden(part[part.index("/summary") :])
    with acting_as("Bea (staff 2)"):
        review_invoice(get_invoice(invoice.id), ReviewState.ON_HOLD, note="Parts")

    late = office.post(f"/staff/invoices/{invoice.id}/summary", data=mine | {"summary": "Done"})

    news = late.text[late.text.index("Changed meanwhile") : late.text.index("What you typed")]
    assert "on hold: Parts" in news
    assert "Pipe" not in news
