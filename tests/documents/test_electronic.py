"""Factur-X: the official rules pass, the sums are the document's, nothing needed is missing."""

import io
import re
from decimal import Decimal

import pypdf
import pytest

from portal.company import company
from portal.db import db
from portal.invoices import (
    ElectronicDataMissing,
    LineWords,
    add_line,
    invoice_pdf,
    post_invoice,
    send_invoice,
    sending_problem,
)
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import InvoiceKind, InvoiceState, ItemKind
from tests.documents.schematron import broken_rules

ADDRESS = {"street": "12 Analytical Way", "city": "Springfield", "postal_code": "62701"}


@pytest.fixture
def seller(app):
    """A company that has told all it must."""
    row = company()
    row.street, row.city, row.postal_code, row.country = "1 Foundry St", "Duluth", "55802", "US"
    row.vat_id, row.iban, row.bic = "US123456789", "DE89370400440532013000", "COBADEFFXXX"
    db.session.flush()
    return row


@pytest.fixture
def place(build, seller):
    """A location with two authorities, of a customer who wants electronic invoices."""
    customer = build.customer("Ada Lovelace", **ADDRESS, electronic_invoice=True)
    return build.location(customer, zone=build.zone("6.875", "1.5"))


def embedded(invoice):
    files = pypdf.PdfReader(io.BytesIO(invoice_pdf(invoice.id))).attachments
    assert list(files) == ["factur-x.xml"]
    return files["factur-x.xml"][0]


def value(xml, tag):
    return re.search(rf"<ram:{tag}[^>]*>([^<]*)<", xml.decode()).group(1)


def assert_adds_up(xml, invoice):
    """The embedded sums are the document's to the cent."""
    sign = -1 if invoice.total < Money(0) else 1
    taxes = re.findall(r"<ram:CalculatedAmount>([^<]*)<", xml.decode())
    assert sum(map(Decimal, taxes)) == invoice.tax_total.amount * sign
    assert Decimal(value(xml, "TaxBasisTotalAmount")) == invoice.subtotal.amount * sign
    assert Decimal(value(xml, "GrandTotalAmount")) == invoice.total.amount * sign


def test_a_plain_invoice_passes_every_rule(build, place):
    invoice = build.invoice("129.00", "145.50", location=place, term="Net 30")
    invoice.purchase_order = "PO 7731"
    post_invoice(invoice)
    build.payment(place.customer, "100", invoice)

    xml = embedded(invoice)

    assert broken_rules(xml) == []
    assert_adds_up(xml, invoice)
    assert value(xml, "TypeCode") == "380"
    assert value(xml, "BuyerReference") == "PO 7731"
    assert value(xml, "IBANID") == "DE89370400440532013000"
    assert Decimal(value(xml, "TotalPrepaidAmount")) == 100
    assert Decimal(value(xml, "DuePayableAmount")) == invoice.balance.amount


def test_the_official_rules_notice_a_wrong_sum(build, place):
    xml = embedded(build.posted("10", location=place))

    wrong = xml.replace(b"GrandTotalAmount>10.84<", b"GrandTotalAmount>10.85<")

    assert wrong != xml
    assert any("BR-CO-15" in one for one in broken_rules(wrong))


def line(price, quantity="1", **words):
    return LineWords(description="Work", quantity=Quantity.of(quantity),
                     unit_price=UnitPrice.of(price), **words)  # fmt: skip


def test_a_discount_becomes_an_allowance_in_each_tax_group(build, place):
    invoice = build.invoice("99.99", location=place)
    add_line(invoice, line("33.33", "1.5", taxable=False))
    add_line(invoice, line("-10.01", kind=ItemKind.DISCOUNT))
    post_invoice(invoice)

    xml = embedded(invoice)

    assert broken_rules(xml) == []
    assert_adds_up(xml, invoice)
    assert Decimal(value(xml, "AllowanceTotalAmount")) == Decimal("10.01")
    assert re.findall(r"<ram:CategoryCode>(\w)<", xml.decode()).count("Z") == 3


def test_rates_on_labor_only_make_two_groups(build, place):
    place.tax_zone.rates[1].base = "labor"
    db.session.flush()
    invoice = build.invoice("77.77", location=place)
    invoice.lines[0].tax_class = "labor"
    add_line(invoice, line("0.4999", "3"))
    post_invoice(invoice)

    xml = embedded(invoice)

    assert broken_rules(xml) == []
    assert_adds_up(xml, invoice)
    assert set(re.findall(r"<ram:RateApplicablePercent>([^<]*)<", xml.decode())) == {
        "8.375",
        "6.875",
    }


@pytest.mark.parametrize("vat_id", ["US123456789", ""])
def test_an_exempt_customer_and_one_outside_the_tax(build, seller, vat_id):
    seller.vat_id, seller.registration_number = vat_id, "MN 88123"
    customer = build.customer("St. Mary's School", **ADDRESS, electronic_invoice=True,
                              tax_exempt=True, exemption_certificate="E-99")  # fmt: skip
    invoice = build.posted("50", location=build.location(customer, zone=build.zone("7")))

    xml = embedded(invoice)

    assert broken_rules(xml) == []
    assert_adds_up(xml, invoice)
    assert value(xml, "CategoryCode") == ("E" if vat_id else "O")


def credit_note(build, of, *prices):
    """A posted credit note as its rows lie in the database, all amounts negative."""
    note = build.invoice(*prices, location=of.location)
    note.kind, note.adjusts = InvoiceKind.CREDIT_NOTE, of
    for one in note.lines:
        one.quantity, one.total = -one.quantity, -one.total
    for tax in note.taxes:
        tax.amount, tax.taxable_amount = -tax.amount, -tax.taxable_amount
    note.subtotal, note.tax_total = -note.subtotal, -note.tax_total
    note.total = note.subtotal + note.tax_total
    note.balance = note.total
    db.session.flush()
    return note


def on_paper(note):
    """As if posted, for this test's eyes only: the books are not asked."""
    note.state, note.document_number = InvoiceState.POSTED, "CN-2026-00001"
    return note


def test_a_credit_note_is_positive_and_names_its_original(build, place):
    original = build.posted("100", location=place)
    note = credit_note(build, original, "40")

    with db.session.no_autoflush:
        xml = embedded(on_paper(note))
        assert broken_rules(xml) == []
        assert_adds_up(xml, note)
        assert value(xml, "TypeCode") == "381"
        assert original.number in xml.decode()
        db.session.expire(note)


def test_hostile_words_reach_the_data_as_text(build, place):
    place.customer.name = "Ada <b>& \x0b Söhne \u202e 株式会社 🙂"
    invoice = build.posted("1", location=place)

    xml = embedded(invoice)

    assert broken_rules(xml) == []
    assert "株式会社 🙂" in xml.decode()


def test_the_file_is_a_pdf_a_3_that_says_what_it_carries(build, place):
    invoice = build.posted("10", location=place)

    reader = pypdf.PdfReader(io.BytesIO(invoice_pdf(invoice.id)))
    root = reader.trailer["/Root"]
    file = root["/AF"][0].get_object()

    assert file["/AFRelationship"] == "/Alternative"
    assert file["/EF"]["/F"]["/Subtype"] == "/text/xml"
    assert root["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
    assert root["/StructTreeRoot"]
    assert root["/MarkInfo"]["/Marked"]
    xmp = root["/Metadata"].get_data().decode()
    for said in ('pdfaid:part="3"', 'pdfaid:conformance="A"', "<pdfuaid:part>1<",
                 "<fx:ConformanceLevel>EN 16931<", "<fx:DocumentFileName>factur-x.xml<",
                 "<fx:DocumentType>INVOICE<", "<fx:Version>1.0<",
                 "<pdfaSchema:prefix>fx<"):  # fmt: skip
        assert said in xmp, xmp


def test_without_a_vat_id_the_pdf_is_refused_by_name(build, place, seller):
    invoice = build.posted("10", location=place)
    seller.vat_id = ""

    with pytest.raises(ElectronicDataMissing, match="company's VAT ID is missing"):
        invoice_pdf(invoice.id)


def test_what_can_never_be_made_is_not_said_to_be_on_its_way(build, place, seller, client):
    invoice = build.posted("10", location=place)
    link = build.pay_path(invoice)
    assert sending_problem(invoice) is None
    seller.vat_id = ""
    db.session.commit()

    with pytest.raises(DomainError, match="company's VAT ID is missing"):
        send_invoice(invoice)

    page = client.get(f"{link}/invoice.pdf")
    assert page.status_code == 422
    assert "not ready yet" in page.text
    assert "VAT ID" not in page.text


def test_the_option_is_refused_beside_the_fields_that_are_missing(build, app):
    with pytest.raises(InvalidFields) as refusal:
        build.customer("Ada", electronic_invoice=True, country="")

    assert set(refusal.value.errors) == {
        "electronic_invoice", "street", "city", "postal_code", "country",
    }  # fmt: skip
    assert "VAT ID or registration number" in refusal.value.errors["electronic_invoice"]


def test_a_draft_carries_no_data_and_says_so(build, place):
    invoice = build.invoice("10", location=place)

    reader = pypdf.PdfReader(io.BytesIO(invoice_pdf(invoice.id)))

    assert reader.attachments == {}
    assert "made when this document is final" in " ".join(reader.pages[0].extract_text().split())
