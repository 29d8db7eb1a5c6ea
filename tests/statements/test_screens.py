"""The office's screens of statements."""

import re

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.models import Delivery, Message, Statement, StatementRun, StatementRunState
from portal.statements import look_at_share, waiting_shares
from portal.tasks import run_waiting
from tests.conftest import staff_client

HOUSE = {"street": "1 Main St", "city": "Springfield", "region": "IL", "postal_code": "62701"}


def sent(build, office, name="Ada Lovelace", **words):
    customer = build.customer(name, **words)
    build.posted("100.00", customer=customer)
    return customer


def hidden(page, name):
    return re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)[1]


def confirm(office, query=""):
    page = office.get(f"/staff/statements/runs/new{query}").text
    return office.post(f"/staff/statements/runs{query}", data={"seen": hidden(page, "seen")})


def one_statement():
    run_waiting()
    return db.session.scalars(sa.select(Statement)).one()


def test_a_run_is_looked_at_confirmed_and_followed(build, office):
    sent(build, office, "Ada & <Sons>")
    mute = sent(build, office, "Mute")
    mute.email = mute.contacts[0].email = ""

    page = office.get("/staff/statements/runs/new").text
    assert "Make one statement" in page
    assert "No email address" in page
    reply = confirm(office)
    run_waiting()

    shown = office.get(reply.location).text
    assert "2 of 2" in shown
    assert "There is no email address." in shown
    assert "Ada &amp; &lt;Sons&gt;" in shown
    assert db.session.scalars(sa.select(StatementRun)).one().state is StatementRunState.DONE
    for path in ("", "/runs", "/to-print", "?q=ada"):
        assert office.get(f"/staff/statements{path}").status_code == 200
    left_out = office.get(f"{reply.location}?state=left_out").text
    assert "Mute" in left_out
    assert "Ada" not in left_out.split('id="rows"')[1]


def test_who_fits_only_since_the_page_was_shown_is_asked_about_again(build, office):
    sent(build, office)
    page = office.get("/staff/statements/runs/new").text
    sent(build, office, "Newcomer")

    reply = office.post("/staff/statements/runs", data={"seen": hidden(page, "seen")})

    assert "Other customers fit by now" in reply.text
    assert db.session.scalar(sa.select(StatementRun.id)) is None


def test_words_of_the_run_with_a_hole_are_refused_beside_the_field(build, office):
    sent(build, office)
    page = office.get("/staff/statements/runs/new").text
    data = {"seen": hidden(page, "seen"), "subject": "Hello", "body": "{nonsense}"}

    reply = office.post("/staff/statements/runs", data=data)

    assert reply.status_code == 422
    assert "There is no {nonsense}" in reply.text
    assert db.session.scalar(sa.select(StatementRun.id)) is None


def test_a_running_run_can_be_stopped_from_its_page(build, office):
    sent(build, office)
    location = confirm(office).location

    office.post(f"{location}/stop")
    for share in list(waiting_shares()):
        look_at_share(share)

    assert db.session.scalars(sa.select(StatementRun)).one().state is StatementRunState.STOPPED
    assert db.session.scalar(sa.select(Statement.id)) is None
    assert office.post(f"{location}/stop").status_code == 422


def test_one_statement_is_previewed_and_sent_once_with_words_of_its_own(build, office):
    customer = sent(build, office)
    base = f"/staff/customers/{customer.id}/statements"
    page = office.get(f"{base}/new").text
    assert "Amount due" in page
    assert office.get(f"{base}/preview.pdf").data.startswith(b"%PDF")
    forward = f"{base}/new?kind=balance_forward&starts_on=2026-02-01&ends_on=2026-03-02"
    assert "Opening" in office.get(forward).text
    data = {
        "once": hidden(page, "once"), "to": [customer.email], "subject": "Your account",
        "body": "Dear {customer_name}, {balance} is open.",
    }  # fmt: skip

    looked = office.post(base, data={**data, "look": "yes"}).text
    assert "Dear Ada Lovelace" in looked
    first = office.post(base, data=data)
    again = office.post(base, data=data)
    statement = one_statement()

    assert first.location == again.location
    message = db.session.scalars(sa.select(Message).where(Message.kind == "statement")).one()
    assert message.recipient == customer.email
    assert message.body.startswith("Dear Ada Lovelace, $100.00 is open.")
    assert statement.sent_by.name == "Administrator"
    assert "Statement" in office.get(f"/staff/customers/{customer.id}").text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "Tick or type at least one address"),
        ({"more": "nonsense"}, "nonsense"),
        ({"prints": "y"}, "There is no postal address"),
        ({"more": "a@example.org", "subject": "", "body": "x"}, "Give the mail a subject."),
    ],
)
def test_what_is_wrong_with_a_letter_stands_beside_the_field(build, office, data, words):
    customer = sent(build, office)
    reply = office.post(
        f"/staff/customers/{customer.id}/statements",
        data={"subject": "S", "body": "B", **data},
    )
    assert reply.status_code == 422
    assert words in reply.text


def test_a_foreign_address_that_was_not_offered_gets_nothing(build, office):
    customer, other = sent(build, office), sent(build, office, "Other")
    data = {"to": [other.email], "subject": "S", "body": "B"}

    reply = office.post(f"/staff/customers/{customer.id}/statements", data=data)

    assert reply.status_code == 422
    run_waiting()
    assert db.session.scalar(sa.select(Message.id)) is None


def test_a_sent_statement_shows_its_pdf_its_link_and_can_lose_it(build, office, client):
    sent(build, office)
    confirm(office)
    statement = one_statement()
    page = office.get(f"/staff/statements/{statement.id}").text
    link = page.split('href="http://localhost')[1].split('"')[0]

    assert office.get(f"/staff/statements/{statement.id}/statement.pdf").data.startswith(b"%PDF")
    assert client.get(link).status_code == 200
    office.post(f"/staff/statements/{statement.id}/link/revoke")
    assert client.get(link).status_code == 404
    assert "no longer works" in office.get(f"/staff/statements/{statement.id}").text


def test_print_and_mark_as_sent_takes_them_off_the_list(build, office):
    sent(build, office, delivery=Delivery.MAIL, **HOUSE)
    confirm(office)
    one_statement()
    assert "Print and mark as sent" in office.get("/staff/statements/to-print").text

    reply = office.post("/staff/statements/to-print/print-runs", data={"mark": "yes"})
    run_waiting()

    assert office.get(reply.location).status_code == 200
    assert "Nothing to print" in office.get("/staff/statements/to-print").text
    assert db.session.scalars(sa.select(Statement)).one().printed_at is not None


def test_the_settings_are_kept_and_refused_in_words(build, office):
    good = {
        "version": "0", "monthly": "y", "day_of_month": "31", "kind": "balance_forward",
        "way": "email", "least": "25.00", "weeks_between": "3", "credit_only": "y",
    }  # fmt: skip
    assert office.post("/staff/statement-settings", data=good).status_code == 303
    page = office.get("/staff/statement-settings").text
    assert 'value="31"' in page
    assert 'value="25.00"' in page

    bad = office.post(
        "/staff/statement-settings", data={**good, "version": "1", "day_of_month": "40"}
    )
    assert bad.status_code == 422
    assert "between 1 and 31" in bad.text


def test_who_may_not_send_statements_sees_none(app, build):
    reader = staff_client(app, build, "Read-only")
    for path in ("", "/runs", "/runs/new", "/to-print"):
        assert reader.get(f"/staff/statements{path}").status_code == 403
