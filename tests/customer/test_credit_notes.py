"""What a customer sees of corrections: final credit, never anything to pay."""

import pytest

from portal.db import db
from portal.invoices import (
    invoice_pdf,
    is_visible_to_customer,
    pay_link_url,
    post_invoice,
    start_credit_note,
    unpost_invoice,
    write_off,
)
from portal.models import SentState
from tests.conftest import payer_client


@pytest.fixture
def original(build):
    return build.posted("100", customer=build.customer(email="ada@example.org"))


def test_a_posted_credit_note_is_shown_as_credit(app, original):
    note = start_credit_note(original)
    post_invoice(note)
    db.session.commit()
    ada = payer_client(app, "ada@example.org")

    assert "Credit note CN-2026-00001" in ada.get("/my/invoices").text
    page = ada.get(f"/my/invoices/{note.id}").text
    assert "$100.00 of credit" in page
    assert "There is nothing to pay." in page
    assert "Pay $" not in page
    assert ada.get(f"/my/invoices/{note.id}/invoice.pdf").data.startswith(b"%PDF")


def test_a_draft_credit_note_is_not_shown_even_when_sent(app, original):
    note = start_credit_note(original)
    note.sent_state = SentState.SENT
    db.session.commit()
    ada = payer_client(app, "ada@example.org")

    assert "Credit note" not in ada.get("/my/invoices").text
    assert ada.get(f"/my/invoices/{note.id}").status_code == 404


def test_a_write_off_stays_in_the_office(app, original):
    document = write_off(original, because="bankrupt")
    db.session.commit()
    ada = payer_client(app, "ada@example.org")

    assert not is_visible_to_customer(document)
    assert document.number not in ada.get("/my/invoices").text
    assert ada.get(f"/my/invoices/{document.id}").status_code == 404


def test_an_unposted_invoice_that_was_sent_stays_visible_as_not_final(app, original):
    original.sent_state = SentState.SENT
    unpost_invoice(original, because="wrong day")
    db.session.commit()
    page = payer_client(app, "ada@example.org").get(f"/my/invoices/{original.id}").text

    assert "INV-2026-00001" in page
    assert "not yet final" in page


def test_a_guest_with_a_link_sees_credit_and_no_way_to_pay(client, original):
    note = start_credit_note(original)
    post_invoice(note)
    path = pay_link_url(note).removeprefix("http://localhost")
    db.session.commit()

    page = client.get(path).text

    assert "of credit" in page
    assert "Pay $" not in page


def test_every_correction_has_a_paper(original):
    for document in (start_credit_note(original), write_off(original, because="bankrupt")):
        assert invoice_pdf(document.id).startswith(b"%PDF")
