"""Long statements come in parts: every line once, pages numbered through, one head, one slip."""

import io
from datetime import timedelta

from pypdf import PdfReader

from portal.db import db
from portal.models import StatementKind
from portal.statements import StatementWanted, account_of, printing, statement_pdf

LINK = "http://localhost/pay/statement/abc"


def text_of(pdf):
    return [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]


def test_a_long_statement_has_every_line_once_and_pages_numbered_through(build, monkeypatch):
    monkeypatch.setattr(printing, "ROWS_AT_ONCE", 3)
    customer = build.customer("Ada (Lovelace) & Co", language="es")
    invoices = [
        build.posted("10.00", customer=customer, on=build.today - timedelta(days=n))
        for n in range(8)
    ]
    db.session.flush()
    account = account_of(customer, StatementWanted(StatementKind.OPEN_ITEM, build.today))

    pages = text_of(statement_pdf(account, pay_url=LINK))

    whole = "\n".join(pages)
    assert len(pages) == 3
    assert [whole.count(one.document_number) for one in invoices] == [1] * 8
    for number, page in enumerate(pages, 1):
        assert page.rstrip().splitlines()[-1].endswith(f" {number} de 3") or (
            f"{number} of 3" in page
        )
    assert whole.count("Ada (Lovelace) & Co") >= 1
    assert whole.count("$80.00") + whole.count("80,00") >= 1


def test_a_short_statement_is_one_tagged_paper_with_a_slip_when_something_is_due(build):
    invoice = build.posted("10.00")
    wanted = StatementWanted(StatementKind.OPEN_ITEM, build.today)

    pdf = statement_pdf(account_of(invoice.customer, wanted), pay_url=LINK)
    (page,) = text_of(pdf)

    assert PdfReader(io.BytesIO(pdf)).root_object["/MarkInfo"]["/Marked"]
    assert "Amount enclosed" in page
    assert "Page 1 of 1" in page
    build.payment(invoice.customer, "10.00", invoice)
    db.session.flush()
    (paid,) = text_of(statement_pdf(account_of(invoice.customer, wanted), pay_url=LINK))
    assert "Amount enclosed" not in paid
    assert "everything is paid" in paid
