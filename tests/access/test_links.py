"""Customers sign in by an emailed link: short-lived, used once, silent about who exists."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.models import AuditEntry, BillingAccess, Contact, Message, SignIn
from portal.outbox import with_links
from tests.conftest import MONDAY, payer_client

ADA = "ada@example.org"


@pytest.fixture
def ada(build):
    return build.customer(email=ADA)


def ask(client, email=ADA):
    return client.post("/my/sign-in", data={"email": email})


def messages():
    return db.session.scalars(sa.select(Message).where(Message.kind == "sign-in")).all()


def token_mailed():
    body = with_links(messages()[-1], messages()[-1].body)
    return body.split("/my/sign-in/link/")[1].split()[0]


def test_the_mailed_link_opens_the_portal(client, ada):
    assert ask(client, " Ada@Example.org ").status_code == 200

    reply = client.post(f"/my/sign-in/link/{token_mailed()}")

    assert reply.status_code == 303
    assert client.get(reply.location).status_code == 200


def test_a_contact_without_billing_access_gets_no_link(client, ada):
    contact = db.session.scalars(sa.select(Contact)).one()
    contact.billing_access = BillingAccess.NONE

    ask(client)

    assert messages() == []


def test_a_link_works_once(client, app, ada):
    ask(client)
    token = token_mailed()
    client.post(f"/my/sign-in/link/{token}")

    second = app.test_client().post(f"/my/sign-in/link/{token}")

    assert second.status_code == 422
    assert "Ask for a new one" in second.text


def test_a_link_dies_after_ten_minutes(client, ada):
    ask(client)
    token = token_mailed()
    with clock.frozen(MONDAY + timedelta(minutes=10, seconds=1)):
        assert client.post(f"/my/sign-in/link/{token}").status_code == 422
        assert client.get("/my/sign-in/browsers").status_code == 303


def test_a_sixth_request_within_a_quarter_hour_is_calmed(client, ada):
    for _ in range(5):
        assert ask(client).status_code == 200

    assert ask(client).status_code == 429
    assert len(messages()) == 5


def test_a_stranger_elsewhere_cannot_keep_a_customer_from_a_link(app, client, ada):
    for _ in range(6):
        ask(client)

    elsewhere = app.test_client().post(
        "/my/sign-in", data={"email": ADA}, environ_overrides={"REMOTE_ADDR": "198.51.100.7"}
    )

    assert elsewhere.status_code == 200


def test_neither_the_message_nor_its_key_holds_what_opens_the_portal(app, client, ada):
    ask(client)
    (message,) = messages()
    token = token_mailed()

    kept = message.body + message.html + message.dedupe_key
    assert token not in kept
    for seed in set(re.findall(r"/sign-in/link/([\w-]+)", kept)):
        assert client.post(f"/my/sign-in/link/{seed}").status_code == 422


def test_the_link_is_mailed_in_the_language_of_the_contact(client, ada):
    ada.contacts[0].language = "es"

    ask(client)

    assert messages()[0].language == "es"


def test_a_customer_coming_and_going_is_in_the_trail(client, ada):
    ask(client)
    client.post(f"/my/sign-in/link/{token_mailed()}")
    client.post("/my/sign-in/out")

    kept = db.session.scalars(
        sa.select(AuditEntry).where(AuditEntry.subject_kind == "contact").order_by(AuditEntry.id)
    ).all()
    assert [(one.verb, one.actor) for one in kept[-2:]] == [
        ("signed in", f"{ADA} (customer)"),
        ("signed out", f"{ADA} (customer)"),
    ]


@pytest.mark.parametrize("email", ["", "ada", "   "])
def test_what_is_no_address_is_told_beside_the_field(client, email):
    reply = ask(client, email)

    assert reply.status_code == 422
    assert "Give the email address we write to." in reply.text


def test_losing_billing_access_ends_the_visit_at_once(app, ada):
    browser = payer_client(app, ADA)
    assert browser.get("/my/sign-in/browsers").status_code == 200
    db.session.scalars(sa.select(Contact)).one().active = False

    assert browser.get("/my/sign-in/browsers").status_code == 303


@pytest.mark.parametrize(("days", "status"), [(13, 200), (15, 303)])
def test_a_customer_is_remembered_for_two_weeks(app, ada, days, status):
    browser = payer_client(app, ADA)
    with clock.frozen(MONDAY + timedelta(days=days)):
        assert browser.get("/my/sign-in/browsers").status_code == status


def test_a_customer_can_sign_out_and_end_another_browser(app, build, ada):
    build.customer("Bob", email="bob@example.org")
    here, there = payer_client(app, ADA), payer_client(app, ADA)
    bob = payer_client(app, "bob@example.org")

    first = db.session.scalar(sa.select(sa.func.min(SignIn.id)))
    for sign_in_id in (first + 1, first + 2):
        here.post(f"/my/sign-in/browsers/{sign_in_id}/end")

    assert there.get("/my/sign-in/browsers").status_code == 303
    assert bob.get("/my/sign-in/browsers").status_code == 200  # not mine to end
    here.post("/my/sign-in/out")
    assert here.get("/my/sign-in/browsers").status_code == 303
