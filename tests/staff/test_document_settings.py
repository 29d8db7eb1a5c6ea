"""Settings › Documents: what is typed can be looked at before it is saved, and is checked."""

import io

import pypdf
import pytest

from portal.audit import trail_of
from portal.company import company
from portal.db import db
from portal.models import Paper
from tests.conftest import staff_client


def text(response):
    return response.get_data(as_text=True)


@pytest.fixture
def office(app, build):
    return staff_client(app, build, "Administrator")


def typed(**changes):
    row = company()
    return {"version": row.version, "brand_color": "#0b5c8a", "text_color": "#1d2433",
            "paper": "letter", **changes}  # fmt: skip


def test_saving_keeps_everything_and_tells(office):
    answer = office.post("/staff/settings/documents", data=typed(
        paper="a4", phone="555-0144", website="acme.example", invoice_message="Danke!",
        remit_to="PO Box 1", vat_id="de 136 695 976", iban="DE89 3704 0044 0532 0130 00",
        bic="cobadeffxxx", registration_number="HRB 1",
    ))  # fmt: skip

    db.session.expire_all()
    row = company()
    assert answer.status_code == 303
    assert (row.vat_id, row.iban, row.bic) == (
        "DE136695976", "DE89370400440532013000", "COBADEFFXXX",
    )  # fmt: skip
    assert row.paper is Paper.A4
    assert row.name == "Acme Home Services"  # what is not on this page stays
    assert "iban" in trail_of(row)[0].changes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"brand_color": "blue"}, "Choose a colour such as"),
        ({"text_color": "#9aa0a6"}, "contrast 2.4 to 1, at least 4.5"),
        ({"iban": "DE89370400440532013001"}, "This IBAN is not right"),
        ({"bic": "NOPE"}, "A BIC has 8 or 11 characters"),
        ({"vat_id": "12345"}, "starts with the country"),
        ({"vat_id": "DE136695970"}, "digit wrong"),
        ({"invoice_message": "x" * 601}, "longer than 600"),
    ],
)
def test_a_wrong_word_is_refused_beside_its_field_and_nothing_is_lost(office, changes, sentence):
    answer = office.post("/staff/settings/documents", data=typed(phone="555-7", **changes))

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert "555-7" in text(answer)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_preview_shows_what_is_typed_and_saves_nothing(office, headers):
    before = company().version

    answer = office.post("/staff/settings/documents/preview", headers=headers, data=typed(
        invoice_message="Half <b>typed", brand_color="#123456", iban="wrong",
    ))  # fmt: skip

    db.session.expire_all()
    assert answer.status_code == 200
    assert "Half &amp;lt;b&amp;gt;typed" in text(answer)
    assert "colours.css?brand_color=%23123456" in text(answer)
    assert ("<html" in text(answer).split("srcdoc")[0]) is not bool(headers)
    assert (company().version, company().invoice_message) == (before, "")


def test_the_preview_opens_as_a_pdf_of_the_typed_size(office):
    answer = office.post(
        "/staff/settings/documents/sample.pdf", data=typed(paper="a4", phone="555-UNSAVED")
    )

    page = pypdf.PdfReader(io.BytesIO(answer.data)).pages[0]
    assert "555-UNSAVED" in page.extract_text()
    assert round(page.mediabox.height) == 842
    assert company().phone == ""


@pytest.mark.parametrize("colour", ["red", "#fff", "#000000;} body{display:none", ""])
def test_only_colours_become_styles(office, colour):
    url = "/staff/settings/documents/colours.css"
    assert office.get(url, query_string={"brand_color": colour, "text_color": "#000000"}
                      ).status_code == 404  # fmt: skip


def test_the_page_shows_the_saved_letterhead(office):
    company().invoice_message = "Thank you for your trust."
    db.session.commit()

    assert "Thank you for your trust." in text(office.get("/staff/settings/documents"))


@pytest.mark.parametrize("path", ["documents", "documents/colours.css"])
def test_documents_are_not_everybodys(app, build, path):
    assert staff_client(app, build, "Collector").get(f"/staff/settings/{path}").status_code == 403
