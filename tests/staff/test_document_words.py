"""Every kind of document is called by its own word, wherever it is named."""

from portal.audit import trail_of
from portal.db import db
from portal.invoices import (
    hand_out_link,
    post_invoice,
    review_invoice,
    start_credit_note,
    unposting_problem,
)
from portal.models import InvoiceKind, ReviewState
from tests.staff.test_corrections import url


def test_an_import_is_spelled_as_the_field_spells_it(office):
    page = office.get("/staff/invoices").text

    assert "A/R import" in page
    assert "Ar import" not in page


def test_a_credit_note_is_no_invoice_in_trail_refusals_and_history(office, build):
    note = start_credit_note(build.posted("100"))
    review_invoice(note, ReviewState.REVIEWED)
    post_invoice(note)
    hand_out_link(note)
    db.session.commit()

    told = [one.sentence for one in trail_of(note)]
    history = office.get(f"/staff/customers/{note.customer_id}/timeline").text
    record = office.get(url(note)).text

    assert note.kind is InvoiceKind.CREDIT_NOTE
    assert f"The pay link of credit note {note.number} was handed out." in told
    assert f"Credit note {note.number} is posted and cannot be edited." in record
    assert f"Credit note {note.number}" in history
    assert f"nvoice {note.number}" not in history + record + " ".join(told)
    assert unposting_problem(note) is None
