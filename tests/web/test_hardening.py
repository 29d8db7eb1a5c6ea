"""Headers, forgery, hostile text."""

import logging
from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.access import customer_link
from portal.db import db
from portal.models import Message

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        "frame-ancestors 'self'; form-action 'self' https://checkout.stripe.com"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@pytest.mark.parametrize("path", ["/staff/", "/staff/sign-in", "/my/sign-in", "/staff/nowhere"])
def test_the_policy_is_exact(office, path):
    """Written out here: a policy compared with its own constant could say anything."""
    headers = office.get(path).headers

    assert {name: headers[name] for name in HEADERS} == HEADERS
    assert len(headers.getlist("Content-Security-Policy")) == 1
    assert "Strict-Transport-Security" not in headers


def test_pages_that_carry_their_key_in_the_address_send_no_referrer(client, build):
    path = build.pay_path(build.posted("10"))
    assert client.get(path).headers["Referrer-Policy"] == "no-referrer"


@pytest.fixture
def https(app):
    """The app as it runs behind HTTPS."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, base_url="https://pay.acme.example")
    yield
    app.config["SETTINGS"] = before


def cookies(reply):
    """Name and attributes of each cookie set, its value left out."""
    found = {}
    for header in reply.headers.getlist("Set-Cookie"):
        pair, *words = header.split("; ")
        found[pair.partition("=")[0]] = words
    return found


def sign_in(browser, build):
    build.person(email="olive@acme.example", password="a long password")
    sent = {"email": "olive@acme.example", "password": "a long password"}
    return cookies(browser.post("/staff/sign-in", data=sent))


def test_the_office_cookie_over_https_is_exact(https, client, build):
    expected = ["Secure", "HttpOnly", "Path=/", "SameSite=Lax"]
    assert sign_in(client, build)["__Host-fieldledger_staff"] == expected


def test_the_office_cookie_without_https_is_exact(client, build):
    expected = ["HttpOnly", "Path=/", "SameSite=Lax"]
    assert sign_in(client, build)["fieldledger_staff"] == expected


def test_the_customers_cookie_over_https_is_exact_and_lives_sixty_days(https, client, build):
    build.customer(email="ada@example.org")
    token = customer_link("ada@example.org")

    words = cookies(client.post(f"/my/sign-in/link/{token}"))["__Host-fieldledger_customer"]

    kept = [one for one in words if not one.startswith("Expires=")]
    assert kept == ["Max-Age=5184000", "Secure", "HttpOnly", "Path=/", "SameSite=Lax"]


def test_signing_out_takes_the_same_cookie_away(https, client, build):
    sign_in(client, build)
    words = cookies(client.post("/staff/sign-in/out"))["__Host-fieldledger_staff"]
    assert {"Secure", "Max-Age=0", "Path=/"} <= set(words)


def test_browsers_that_came_by_https_are_told_to_stay_there(https, client):
    told = client.get("/staff/sign-in").headers["Strict-Transport-Security"]
    assert told == "max-age=31536000; includeSubDomains"


def test_a_mailed_link_names_our_address_whatever_the_browser_says(https, client, build):
    build.customer(email="ada@example.org")

    sent = {"email": "ada@example.org"}
    client.post("/my/sign-in", data=sent, headers={"Host": "evil.example"})

    body = db.session.scalars(sa.select(Message.body)).one()
    assert "https://pay.acme.example/my/sign-in/link/" in body
    assert "evil.example" not in body


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


def test_a_live_key_of_an_address_is_not_in_the_log(app, client, build, monkeypatch, caplog):
    path = build.pay_path(build.posted("10"))
    monkeypatch.setattr("customer.guest.invoice_paper", lambda *_words, **_more: 1 / 0)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    with caplog.at_level(logging.ERROR, "fieldledger.web"):
        client.get(path)

    assert "at GET /pay/<token>" in caplog.messages[0]
    assert path.rpartition("/")[2] not in caplog.messages[0]


@pytest.mark.parametrize("name", ["Nan", "sNaN", "inf", "-Infinity", "1e999999", "1_0", "٣٣"])
def test_a_word_that_python_takes_for_a_number_is_searched_as_a_word(office, build, name):
    build.customer(f"{name} Smith")

    page = office.get("/staff/search", query_string={"q": name})

    assert page.status_code == 200
    assert f"{name} Smith" in page.text


@pytest.mark.parametrize("name", ["endpoint", "_external", "_anchor", "_scheme", "_method"])
@pytest.mark.parametrize("page", ["invoices", "sendings/new", "customers"])
def test_a_parameter_named_as_our_own_never_bends_an_address(office, build, page, name):
    build.posted("10")

    answer = office.get(f"/staff/{page}?{name}=evil")

    assert answer.status_code == 200
    assert "evil" not in answer.text
