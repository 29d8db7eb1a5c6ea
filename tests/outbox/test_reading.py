"""Who may read what in the outbox: the key of a customer is nobody's in the office."""

import re
from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.access import ROLES
from portal.db import db
from portal.models import Message, MessageState
from portal.tasks import run_waiting
from tests.conftest import staff_client

LINK = r"/my/sign-in/link/[\w-]+"


@pytest.fixture
def asked(client, build):
    """A customer asked for a sign-in link; there is no mail server, so the mail is kept."""
    build.customer("Ada", email="ada@example.org")
    client.post("/my/sign-in", data={"email": "ada@example.org"})
    run_waiting()
    return db.session.scalars(sa.select(Message)).one()


@pytest.fixture
def settings(app):
    """Change the settings for one test."""
    before = app.config["SETTINGS"]

    def change(**words):
        app.config["SETTINGS"] = replace(before, **words)

    yield change
    app.config["SETTINGS"] = before


def read(browser, message):
    address = f"/staff/outbox/{message.id}"
    return browser.get(address).text + browser.get(f"{address}/html").text


READERS = [role for role, abilities in ROLES.items() if "view outbox" in abilities]


@pytest.mark.parametrize("role", [one for one in READERS if one != "Administrator"])
def test_no_clerk_sees_a_sign_in_link(app, build, asked, role):
    text = read(staff_client(app, build, role), asked)

    assert "/my/sign-in/link/…" in text
    assert re.findall(LINK, text) == []
    assert "The sign-in link is left out here" in text


def test_who_tries_the_app_out_without_a_mail_server_gets_in_by_the_outbox(client, office, asked):
    links = set(re.findall(LINK, read(office, asked)))

    assert len(links) == 1
    assert client.post(links.pop()).location == "/my/"


def test_in_production_not_even_an_administrator_sees_it(office, asked, settings):
    settings(app_env="production")
    assert re.findall(LINK, read(office, asked)) == []


@pytest.mark.parametrize("state", [one for one in MessageState if one is not MessageState.KEPT])
def test_a_link_that_went_to_its_customer_is_shown_to_nobody(office, asked, state):
    asked.state = state
    assert re.findall(LINK, read(office, asked)) == []


def test_with_a_mail_server_a_kept_message_hides_its_link_too(office, asked, settings):
    settings(smtp_url="smtp://127.0.0.1:9")
    assert re.findall(LINK, read(office, asked)) == []


def test_other_mail_is_read_as_it_was_written(office, build):
    invoice = build.posted("10", customer=build.customer(email="ada@example.org"))
    office.post(f"/staff/invoices/{invoice.id}/sending")
    message = db.session.scalars(sa.select(Message)).one()
    message.body += " http://localhost/my/sign-in/link/made-up-by-somebody"

    assert "/my/sign-in/link/made-up-by-somebody" in office.get(f"/staff/outbox/{message.id}").text


def test_without_a_mail_server_the_page_says_kept_and_not_sent(office, asked):
    page = office.get(f"/staff/outbox/{asked.id}").text
    assert "Kept, not sent: no mail server is set up" in page
    assert "No, kept here" in page
    assert asked.sent_at is None

    again = office.post(f"/staff/outbox/{asked.id}/retry", follow_redirects=True).text
    assert "Kept, not sent" in again
    assert "Sending is tried again" not in again
