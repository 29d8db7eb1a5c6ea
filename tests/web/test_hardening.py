"""Headers, forgery, hostile text."""

import pytest

from portal.db import db
from portal.web.headers import POLICY


def test_the_policy_is_exact(office):
    headers = office.get("/staff/").headers
    assert headers["Content-Security-Policy"] == POLICY
    assert "unsafe" not in POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_has_inline_script_or_style(office, build):
    invoice = build.posted("10")
    for path in (
        "/staff/",
        f"/staff/invoices/{invoice.id}",
        "/staff/invoices",
        build.pay_path(invoice),
    ):
        text = office.get(path).text
        assert "<script>" not in text
        assert " style=" not in text
        assert " onclick=" not in text


def test_a_form_of_another_site_is_refused(office, build):
    invoice = build.invoice("10")
    reply = office.post(
        f"/staff/invoices/{invoice.id}/posting", headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert reply.status_code == 400
    assert db.session.get(type(invoice), invoice.id).document_number is None


def test_a_form_without_its_token_is_refused(app, office, build):
    invoice = build.invoice("10")
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        reply = office.post(f"/staff/invoices/{invoice.id}/posting")
    finally:
        app.config["WTF_CSRF_ENABLED"] = False
    assert reply.status_code == 400
    assert "Please try again" in reply.text


HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'


def test_hostile_text_is_shown_as_text_everywhere(office, build):
    customer = build.customer(HOSTILE)
    invoice = build.invoice("10", customer=customer)
    invoice.summary = HOSTILE
    for path in (
        f"/staff/customers/{customer.id}",
        f"/staff/invoices/{invoice.id}",
        "/staff/invoices",
        "/staff/search?q=script",
        build.pay_path(invoice),
    ):
        text = office.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path


@pytest.mark.parametrize("path", ["/staff/invoices/999", "/staff/jobs/999", "/staff/nowhere",
                                  "/pay/unknown", "/my/sign-in/link/unknown"])  # fmt: skip
def test_unknown_addresses_answer_kindly(office, path):
    reply = office.get(path)
    assert reply.status_code in (404, 200)
    assert "Traceback" not in reply.text


def test_a_crash_is_told_with_an_incident_code(app, office, monkeypatch):
    def broken(*_args, **_more):
        raise RuntimeError("boom")

    monkeypatch.setattr("staff.customers.find_customers", broken)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    reply = office.get("/staff/customers")
    assert reply.status_code == 500
    assert "Incident" in reply.text
    assert "boom" not in reply.text
