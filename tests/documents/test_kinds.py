"""What each kind of document calls itself and says, made of rows as the services leave them."""

import io
from dataclasses import replace

import pypdf
import pytest

from portal.db import db
from portal.documents import render_pdf
from portal.invoices import invoice_paper, invoice_pdf, pdf_name
from portal.kernel.money import ZERO, Money
from portal.models import InvoiceKind, InvoiceState, ItemKind, Payment, PaymentApplication
from portal.models.payment import PaymentOrigin
from portal.payments import payment_types, receipt_pdf
from tests.documents.papers import invoice_paper as believable
from tests.documents.papers import receipt_paper


@pytest.fixture
def rows(app):
    """Rows without their journal, rolled back before anybody looks at the books."""
    db.session.commit()
    with db.session.no_autoflush:
        yield
        db.session.rollback()


def words(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def document(build, of, kind, amount="40", **changes):
    """A posted document of a kind that lowers `of`, its amounts stored negative."""
    one = build.invoice(amount, customer=of.customer)
    line = one.lines[0]
    line.quantity, line.total = -line.quantity, -line.total
    one.kind, one.adjusts = kind, of
    one.subtotal = one.total = line.total
    one.state, one.document_number = InvoiceState.POSTED, f"DOC-{kind.value[:3].upper()}-00001"
    one.balance = ZERO
    for name, value in changes.items():
        setattr(one, name, value)
    db.session.flush()
    return one


def credit_of(document, *applied):
    """The credit a posted document gave, and where it went."""
    amount = -document.total
    used = Money.total(part for _invoice, part in applied)
    credit = Payment(
        customer_id=document.customer_id, type_id=payment_types()[0].id, amount=amount,
        unapplied=amount - used, received_on=document.invoice_date,
        origin=PaymentOrigin.DOCUMENT, document_id=document.id,
    )  # fmt: skip
    db.session.add(credit)
    db.session.flush()
    for invoice, part in applied:
        db.session.add(
            PaymentApplication(
                payment_id=credit.id,
                invoice_id=invoice.id,
                amount=part,
                applied_on=document.invoice_date,
            )
        )
    db.session.flush()
    return credit


def test_a_credit_note_is_positive_and_says_what_became_of_it(build, rows):
    original = build.posted("100")
    note = document(build, original, InvoiceKind.CREDIT_NOTE)
    credit_of(note, (original, Money.of(30)))

    text = words(invoice_pdf(note.id))

    for said in ("Credit note", f"Credits invoice {original.number}", "not a request for payment",
                 f"Applied to invoice {original.number}", "-$30.00",
                 "Left as credit $10.00"):  # fmt: skip
        assert said in text
    assert "-$40.00" not in text
    assert "Amount due" not in text.replace("AMOUNT DUE", "")
    assert pdf_name(note) == "credit-note-DOC-CRE-00001.pdf"


def test_an_adjustment_groups_what_it_takes_back_beside_its_family(build, rows):
    original = build.posted("100")
    adjustment = document(build, original, InvoiceKind.ADJUSTMENT)

    paper = invoice_paper(adjustment, link=False)

    assert [group.title for group in paper.groups] == ["Adjustments"]
    assert paper.total == Money.of(-40)
    assert [(one.what, one.amount) for one in paper.family] == [
        (f"Invoice {original.number}", Money.of(100)),
        (f"Adjustment {adjustment.number}", Money.of(-40)),
        ("Together", Money.of(60)),
        ("Still owed", Money.of(100)),
    ]
    assert f"Adjusts invoice {original.number}" in words(invoice_pdf(adjustment.id))


@pytest.mark.parametrize(
    ("kind", "said", "name"),
    [
        (InvoiceKind.REFUND, ("Refund", "Refunds invoice", "not a request"), "refund-"),
        (InvoiceKind.WRITE_OFF, ("Balance write-off", "Internal notice", "Reason: gone away"),
         "write-off-"),
    ],
)  # fmt: skip
def test_a_refund_and_a_write_off_say_what_they_are(build, rows, kind, said, name):
    one = document(build, build.posted("100"), kind, reason="gone away")

    text = words(invoice_pdf(one.id))

    assert all(word in text for word in said), text
    assert "$40.00" in text
    assert pdf_name(one).startswith(name)


def test_a_sale_paid_at_the_counter_is_invoice_and_receipt(build):
    sale = build.posted("25")
    sale.kind = InvoiceKind.POINT_OF_SALE
    build.payment(sale.customer, "25", sale)

    text = words(invoice_pdf(sale.id))

    for said in ("Invoice and receipt", "PAID", "Paid in full. Thank you.", "$25.00"):
        assert said in text
    assert "Send checks to" not in text


def test_interest_says_so(build, rows):
    invoice = build.posted("3")
    invoice.kind, invoice.lines[0].kind = InvoiceKind.INTEREST, ItemKind.FEE

    assert "Interest invoice" in words(invoice_pdf(invoice.id))


def test_a_receipt_says_what_was_given_back_and_that_it_was_returned(app):
    paper = receipt_paper()
    returned = replace(
        paper, returned_on=paper.received_on, returned_because="Bounced check.", stamp="RETURNED",
        given_back=[(paper.received_on, "R-000300", Money.of(10))],
    )  # fmt: skip

    text = words(render_pdf("documents/receipt.html", language="en", head=paper.head,
                            receipt=returned))  # fmt: skip

    for said in ("RETURNED", "was returned on Nov 20, 2026 and pays nothing. Bounced check.",
                 "Paid back on Nov 20, 2026, R-000300 $10.00",
                 "Kept as your credit $27.50"):  # fmt: skip
        assert said in text


def test_a_refund_has_a_receipt_of_its_own(build, rows):
    payment = build.payment(build.customer(), "80")
    refund = Payment(
        customer_id=payment.customer_id, type_id=payment.type_id, amount=Money.of(-30),
        unapplied=ZERO, received_on=payment.received_on, refunds_id=payment.id,
        gives_back_id=payment.id, reference="4711",
    )  # fmt: skip
    payment.unapplied = Money.of(50)
    db.session.add(refund)
    db.session.flush()

    text = words(receipt_pdf(refund.id))

    for said in ("Refund", "AMOUNT PAID BACK", "$30.00", "4711", f"receipt R-{payment.id:06}"):
        assert said in text
    assert f"R-{refund.id:06} $30.00" in words(receipt_pdf(payment.id))


def printed(**changes):
    paper = believable(**changes)
    return render_pdf("documents/invoice.html", language="en", head=paper.head, invoice=paper)


def test_every_document_is_tagged_titled_and_accessible(app):
    reader = pypdf.PdfReader(io.BytesIO(printed()))
    root = reader.trailer["/Root"]

    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata.title == "Invoice INV-2026-00417 – Northwind Heating & Air"
    assert 'pdfuaid:part="1"' in root["/Metadata"].get_data().decode()
    kinds, alts = structure(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/Table", "/TR", "/TH", "/TD", "/P", "/Figure", "/Link"} <= kinds
    assert "QR code of the payment page" in alts


def structure(node, kinds=None, alts=None):
    kinds, alts = (set(), set()) if kinds is None else (kinds, alts)
    node = node.get_object() if hasattr(node, "get_object") else node
    if isinstance(node, list):
        for one in node:
            structure(one, kinds, alts)
    elif isinstance(node, dict):
        kinds.add(node.get("/S"))
        alts.add(node.get("/Alt"))
        structure(node.get("/K", []), kinds, alts)
    return kinds, alts


def test_two_hundred_lines_repeat_the_head_and_never_orphan_the_total(app):
    pages = pypdf.PdfReader(io.BytesIO(printed(lines=200))).pages
    texts = [" ".join(page.extract_text().split()) for page in pages]

    assert all("QUANTITY × PRICE" in text for text in texts)
    assert all(f"Page {n} of {len(pages)}" in text for n, text in enumerate(texts, 1))
    assert "Subtotal" in texts[-1]
    assert texts[-1].count(" × ") > 1  # a line stands above the sums, not the head alone


def test_a_typical_invoice_is_one_light_page(app):
    pdf = printed()
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 1
    assert len(pdf) < 40_000


@pytest.mark.parametrize("name", ["مؤسسة الشمال للتدفئة", "株式会社フィールド工業", "Ada 🙂",
                                  "W" * 300])  # fmt: skip
def test_any_name_makes_a_paper_without_summary_or_due_date(app, name):
    pdf = printed(bill_to=[name], summary="", due_on=None, terms="", service_at=[])
    assert pdf.startswith(b"%PDF")
    assert "Due on" not in words(pdf)
