"""A refusal leads back to where one was; a lost visit says so; an address of a form has a page."""

import pytest

from portal.web.coming_back import page_at
from tests.conftest import staff_client

HOME = "http://localhost"
SIGNED_OUT = "You were signed out meanwhile, so nothing was saved."


def press(browser, address, *, on, **more):
    """Press a button of a page, as a browser without htmx sends it."""
    return browser.post(address, headers={"Referer": HOME + on, **more})


@pytest.fixture
def refused_posting(build):
    """Posting an invoice that has no line, and the page the button stands on."""
    invoice = build.invoice()
    return f"/staff/invoices/{invoice.id}/posting", f"/staff/invoices/{invoice.id}"


def test_a_refused_button_tells_its_sentence_on_the_page_it_stands_on(office, refused_posting):
    address, page = refused_posting

    reply = press(office, address, on=f"{page}?tab=lines")

    assert (reply.status_code, reply.location) == (303, f"{page}?tab=lines")
    notices = office.get(reply.location).text.partition('<div id="notices"')[2][:400]
    assert 'class="alert alert-danger" role="alert"' in notices


@pytest.mark.parametrize(
    "referrer",
    [
        "",
        "https://evil.example/staff/invoices",
        "http://localhost.evil.example/staff/invoices",
        "http://localhost@evil.example/staff/invoices",
        "http://localhost//evil.example/",
        "http://localhost/static/css/app.css",
        "nonsense",
        "http://[",
    ],
)
def test_without_a_page_of_ours_the_refusal_is_a_page_of_its_own(office, refused_posting, referrer):
    reply = office.post(refused_posting[0], headers={"Referer": referrer} if referrer else {})

    assert reply.status_code == 422
    assert "This was not done" in reply.text
    assert "evil.example" not in reply.text


def test_htmx_gets_the_sentence_itself(office, refused_posting):
    reply = press(office, refused_posting[0], on=refused_posting[1], **{"HX-Request": "true"})

    assert reply.status_code == 422
    assert reply.headers["HX-Retarget"] == "#notices"


def test_what_is_not_allowed_stays_what_it_is(app, build, refused_posting):
    clerk = staff_client(app, build, "Read-only")
    assert press(clerk, refused_posting[0], on=refused_posting[1]).status_code == 403


def test_saving_after_the_visit_ended_says_so_and_leads_back_to_the_page(client, refused_posting):
    address, page = refused_posting

    reply = press(client, address, on=page)

    assert (reply.status_code, reply.location) == (303, f"/staff/sign-in?next={page}")
    assert SIGNED_OUT in client.get(reply.location).text


def test_without_a_page_before_it_leads_to_what_the_form_belongs_to(client):
    reply = client.post("/staff/people/1/second-factor/reset")
    assert reply.location == "/staff/sign-in?next=/staff/people/1"


def test_a_customer_is_told_too(client):
    reply = client.post("/my/pay/1")
    assert SIGNED_OUT in client.get(reply.location).text


def test_looking_without_a_visit_needs_no_excuse(client):
    page = client.get(client.get("/staff/invoices").location).text
    assert SIGNED_OUT not in page


@pytest.fixture
def guarded_forms(app):
    app.config["WTF_CSRF_ENABLED"] = True
    yield
    app.config["WTF_CSRF_ENABLED"] = False


def test_a_lost_visit_is_told_before_a_lost_key(client, guarded_forms):
    reply = client.post("/staff/people/1/second-factor/reset")
    assert reply.location == "/staff/sign-in?next=/staff/people/1"


def test_a_page_open_too_long_gives_back_what_was_typed(office, guarded_forms):
    typed = {"name": "Ada <b>Lovelace</b>", "password": "a secret", "csrf_token": "old", "x": " "}

    reply = office.post("/staff/customers", data=typed)

    assert reply.status_code == 400
    assert "Nothing was saved." in reply.text
    assert '<dt>Name</dt><dd class="text-wrap-any">Ada &lt;b&gt;Lovelace' in reply.text
    assert "a secret" not in reply.text


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/staff/people/1/second-factor/reset", "/staff/people/1"),
        ("/staff/account/password", "/staff/account"),
        ("/staff/invoices/7/lines/3/removal", "/staff/invoices/7/lines/3"),
        ("/staff/customers/5/contacts", "/staff/customers/5/contacts/new"),
        ("/staff/account/second-factor", "/staff/account"),
    ],
)
def test_loading_the_address_of_a_form_gives_the_page_it_belongs_to(office, address, page):
    reply = office.get(address)
    assert (reply.status_code, reply.location) == (303, page)


def test_only_pages_for_people_are_led_to(app, client):
    with app.test_request_context():
        assert page_at("/webhooks/stripe") == ""
        assert page_at("/staff/people") == "/staff/people"
