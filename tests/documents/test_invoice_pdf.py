"""The words of the paper, its tags and size, and that nothing is fetched for it."""

import io
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pypdf
import pytest

from portal.documents import rendering
from portal.documents.rendering import _engine
from portal.invoices import invoice_pdf
from portal.payments import receipt_pdf


def words(pdf):
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_the_invoice_says_what_is_owed_by_whom_and_how_to_pay(build):
    location = build.location(build.customer("Ada Lovelace"), zone=build.zone("6.5", "3.85"))
    invoice = build.posted("100", location=location)
    build.payment(location.customer, "40", invoice)

    pdf = invoice_pdf(invoice.id)

    text = words(pdf)
    for said in ("INV-2026-00001", "Ada Lovelace", "$100.00", "6.5%", "$6.50", "3.85%", "$70.35"):
        assert said in text
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert "INV-2026-00001" in reader.metadata.title
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert len(pdf) < 40_000


def test_two_hundred_lines_and_hostile_words_still_make_a_paper(build):
    invoice = build.invoice(*["1"] * 200)
    invoice.summary = "<script>alert(1)</script> \u202e reversed " + "long" * 200

    pdf = invoice_pdf(invoice.id)

    assert "<script>alert(1)</script>" in words(pdf).replace("\u202e", "")
    assert len(pypdf.PdfReader(io.BytesIO(pdf)).pages) > 3


def test_a_receipt_of_test_money_says_so(build):
    invoice = build.posted("30")
    payment = build.payment(invoice.customer, "50", invoice, livemode=False)

    text = words(receipt_pdf(payment.id))

    assert "TEST" in text
    assert "$50.00" in text
    assert "$20.00" in text


@pytest.fixture
def listener():
    """A web server that must not hear anything."""
    heard = []

    class Ear(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", heard
    server.shutdown()
    thread.join()
    server.server_close()


def test_hostile_html_fetches_nothing_and_takes_no_file_along(app, listener, tmp_path):
    address, heard = listener
    secret = tmp_path / "secret.txt"
    secret.write_text("the company's secret")
    html = f"""<link rel="stylesheet" href="{address}/css"><style>@import url({address}/import);
        body {{ background: url({address}/background) }}</style><img src="{address}/img">
        <object data="{address}/object"></object><link rel="attachment" href="file://{secret}">"""
    weasyprint, fonts, fetcher = _engine()

    pdf = weasyprint.HTML(string=html, url_fetcher=fetcher).write_pdf(font_config=fonts)

    assert heard == []
    assert pypdf.PdfReader(io.BytesIO(pdf)).attachments == {}
    assert b"secret" not in pdf


def test_both_parsers_make_the_same_paper(build, monkeypatch):
    invoice = build.posted("135")
    quick = invoice_pdf(invoice.id)

    def refuse(_html):
        raise rendering.ElementTree.ParseError

    monkeypatch.setattr(rendering.ElementTree, "fromstring", refuse)

    assert words(invoice_pdf(invoice.id)) == words(quick)


def test_a_character_that_xml_forbids_is_no_obstacle(build):
    invoice = build.posted("135", customer=build.customer("Bell\x07 & Sons"))

    assert "& Sons" in words(invoice_pdf(invoice.id)).replace("\0", "")
