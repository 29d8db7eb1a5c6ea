"""The office corrects what is final: menu, questions, refusals that keep what was typed."""

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import get_invoice, post_invoice, start_credit_note
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity
from portal.models import Invoice, InvoiceKind, InvoiceState
from tests.conftest import staff_client
from tests.staff.test_questions import yes


def url(invoice, what=""):
    return f"/staff/invoices/{invoice.id}{what}"


def only(kind):
    return db.session.scalars(sa.select(Invoice).where(Invoice.kind == kind)).one()


@pytest.fixture
def original(build):
    return build.posted("100", "20", location=build.location(zone=build.zone("10")))


def test_the_menu_offers_what_is_possible_and_says_why_not(office, build, original):
    page = office.get(url(original)).text
    for what in ("/adjustments", "/credit-notes", "/write-offs", "/unposting"):
        assert f'href="{url(original, what)}"' in page

    build.payment(original.customer, "132", original)
    page = office.get(url(original)).text
    assert f'href="{url(original, "/write-offs")}"' not in page
    assert f"Not now: Nothing is owed on invoice {original.number}." in page


def test_a_draft_has_no_menu(office, build):
    assert "/credit-notes" not in office.get(url(build.invoice("5"))).text


@pytest.mark.parametrize(
    ("role", "seen"),
    [
        ("Office", {"/adjustments", "/credit-notes"}),
        ("Accountant", {"/adjustments", "/credit-notes", "/write-offs", "/unposting"}),
        ("Read-only", set()),
    ],
)
def test_everybody_is_offered_what_they_may_do(app, build, original, role, seen):
    page = staff_client(app, build, role).get(url(original)).text
    every = {"/adjustments", "/credit-notes", "/write-offs", "/unposting"}
    assert {what for what in every if url(original, what) in page} == seen


def test_an_adjustment_is_begun_and_leads_to_its_draft(office, original):
    assert "dated today" in office.get(url(original, "/adjustments")).text
    reply = office.post(url(original, "/adjustments"), data={"because": "Wrong balance"})

    draft = only(InvoiceKind.ADJUSTMENT)
    assert reply.location.endswith(url(draft))
    page = office.get(url(draft)).text
    assert f"Adjustment {draft.number}" in page
    assert f'href="{url(original)}"' in page
    assert "Wrong balance" in page


def test_pressed_twice_one_draft_is_made(office, original):
    form = {"because": "Wrong balance", "once": "the same form"}
    first, second = (office.post(url(original, "/adjustments"), data=form) for _ in range(2))

    assert first.location == second.location
    only(InvoiceKind.ADJUSTMENT)


def test_ticked_lines_and_quantities_become_a_credit_note(office, original):
    labor = original.lines[0]
    page = office.get(url(original, "/credit-notes")).text
    assert "At most $132.00 can still be credited" in page
    office.post(
        url(original, "/credit-notes"),
        data={f"line-{labor.id}-take": "y", f"line-{labor.id}-quantity": "0.5"},
    )

    note = only(InvoiceKind.CREDIT_NOTE)
    assert (note.total, note.lines[0].quantity) == (Money.of(-55), Quantity.of("-0.5"))
    page = office.get(url(note)).text
    assert "$55.00" in page
    assert "-$55.00" not in page.partition('id="family"')[0]


def test_a_wrong_quantity_is_told_beside_its_line_and_kept(office, original):
    labor = original.lines[0]
    for typed, sentence in (("7", "Give a quantity up to 1."), ("many", "Give a number such as")):
        reply = office.post(
            url(original, "/credit-notes"),
            data={
                f"line-{labor.id}-take": "y",
                f"line-{labor.id}-quantity": typed,
                "because": "Bad work",
            },
        )
        assert reply.status_code == 422
        assert sentence in reply.text
        assert f'value="{typed}"' in reply.text
        assert 'value="Bad work"' in reply.text


def test_the_form_comes_with_nothing_ticked_and_one_tick_for_everything(office, original):
    page = office.get(url(original, "/credit-notes")).text
    assert " checked" not in page.partition("<main")[2]

    office.post(url(original, "/credit-notes"), data={"everything": "y", "because": "x"})

    assert only(InvoiceKind.CREDIT_NOTE).total == Money.of(-132)


def test_nothing_ticked_is_refused(office, original):
    reply = office.post(url(original, "/credit-notes"), data={"because": "x"})
    assert (reply.status_code, "Tick at least one line" in reply.text) == (422, True)


def test_crediting_too_much_is_refused_and_the_page_shows_what_is_saved(office, original):
    note = start_credit_note(original)
    db.session.commit()
    typed = {"item": "Copper pipe", "quantity": "1", "unit_price": "9"}

    reply = office.post(url(note, "/lines"), data=typed)

    assert reply.status_code == 422
    assert "of which only $132.00 is left" in reply.text
    assert 'value="Copper pipe"' in reply.text
    assert reply.text.count("<tr data-row>") >= 2
    assert get_invoice(note.id).total == Money.of(-132)


def test_the_form_of_a_credit_notes_line_shows_positive_numbers(office, original):
    note = start_credit_note(original)
    db.session.commit()
    line = note.lines[0]
    page = office.get(url(note, f"/lines/{line.id}")).text
    assert 'name="quantity" type="text" value="1"' in page or 'value="1"' in page
    office.post(
        url(note, f"/lines/{line.id}"),
        data={"version": note.version, "item": "Labor", "quantity": "0.5",
              "unit_price": "100", "taxable": "y"},
    )  # fmt: skip
    assert get_invoice(note.id).total == Money.of(-77)


def test_a_credit_note_is_posted_after_the_usual_question(office, original):
    note = start_credit_note(original)
    db.session.commit()

    page = office.get(url(note, "/posting")).text
    assert "Post it for $132.00" in page
    office.post(url(note, "/posting"), data=yes(note.id))

    assert get_invoice(original.id).balance == ZERO
    page = office.get(url(original)).text
    assert "Family balance" in page
    assert f'href="{url(note)}"' in page
    assert "Credit note CN-2026-00001 was posted: $132.00." in page


def test_a_write_off_proposes_the_balance_and_needs_a_reason(office, original):
    page = office.get(url(original, "/write-offs")).text
    assert 'value="132.00"' in page
    reply = office.post(url(original, "/write-offs"), data={"amount": "132"})
    assert (reply.status_code, "Say why" in reply.text) == (422, True)

    office.post(url(original, "/write-offs"), data={"amount": "132", "because": "Bankrupt"})

    assert get_invoice(original.id).balance == ZERO
    assert "Write-off WO-2026-00001" in office.get(url(only(InvoiceKind.WRITE_OFF))).text


def test_more_than_is_owed_is_not_written_off(office, original):
    reply = office.post(url(original, "/write-offs"), data={"amount": "200", "because": "Bankrupt"})
    assert "Only $132.00 is still owed." in reply.text
    assert 'value="Bankrupt"' in reply.text


def test_unposting_asks_first_and_needs_a_reason(office, original):
    page = office.get(url(original, "/unposting")).text
    assert "keeps its number" in page
    form = {"version": original.version}
    assert office.post(url(original, "/unposting"), data=form).status_code == 422
    assert get_invoice(original.id).state is InvoiceState.POSTED

    office.post(url(original, "/unposting"), data=form | {"because": "Wrong day"})

    assert get_invoice(original.id).state is InvoiceState.PENDING


def test_what_changed_since_the_question_is_asked_again(office, original):
    stale = {"version": original.version - 1, "because": "Wrong day"}
    reply = office.post(url(original, "/unposting"), data=stale)
    assert (reply.status_code, "Somebody else changed it" in reply.text) == (422, True)


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("/adjustments", "edit it instead"),
        ("/credit-notes", "edit it instead"),
        ("/write-offs", "edit it instead"),
        ("/unposting", "not on the books"),
    ],
)
def test_an_address_typed_by_hand_is_refused_in_words(office, build, what, sentence):
    draft = build.invoice("5")
    for method in ("GET", "POST"):
        reply = office.open(url(draft, what), method=method, data={"because": "x", "amount": "1"})
        assert (reply.status_code, sentence in reply.text) == (422, True)


def test_a_draft_correction_is_cancelled_with_its_reason(office, original):
    note = start_credit_note(original)
    db.session.commit()
    office.post(url(note, "/cancellation"), data={"because": "Not needed"})

    assert get_invoice(note.id).state is InvoiceState.CANCELLED
    assert "was cancelled: Not needed" in office.get(url(original)).text


def test_the_list_names_the_kind_and_filters_by_it(office, original):
    post_invoice(start_credit_note(original))
    db.session.commit()

    page = office.get("/staff/invoices?kind=credit_note").text
    assert "CN-2026-00001" in page
    assert f">{original.number}<" not in page
    assert "Credited" in page
    assert "CN-2026-00001" in office.get("/staff/invoices?paid=credited").text
    assert "CN-2026-00001" not in office.get("/staff/invoices?paid=paid").text
