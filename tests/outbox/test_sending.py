"""Messages leave after commit, once; a dead server keeps them waiting."""

import email
import re
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import send_invoice
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.models import Message, MessageState, SentState
from portal.outbox import Attachment, deliver, retry_message, waiting_messages, write_message
from portal.tasks import run_waiting


def the_message():
    query = sa.select(Message).execution_options(populate_existing=True)
    return db.session.scalars(query).one()


def mail(**more):
    words = {"kind": "test", "recipient": "ada@example.org", "subject": "Hello", "body": "Hi",
             "dedupe_key": "k", **more}  # fmt: skip
    written = write_message(**words)
    db.session.commit()
    return written


def test_an_invoice_goes_out_with_its_pdf_and_counts_as_sent(build, smtp):
    box = smtp()
    invoice = build.posted("10")
    send_invoice(invoice)
    db.session.commit()
    run_waiting()

    (sent,) = box.mails
    assert "Content-Type: application/pdf" in sent
    assert "INV-2026-00001.pdf" in sent
    assert the_message().state is MessageState.SENT
    db.session.refresh(invoice)
    assert invoice.sent_state is SentState.SENT


def test_without_a_server_it_is_kept(app):
    mail()
    run_waiting()
    assert the_message().state is MessageState.KEPT


def test_the_same_key_is_written_once(app):
    assert mail() is not None
    assert mail() is None


def test_delivering_twice_sends_once(app, smtp):
    box = smtp()
    message = mail()
    for _ in range(3):
        deliver(message.id)
    assert len(box.mails) == 1


def test_a_dead_server_keeps_it_waiting_and_later_sends_it(app, smtp, monday):
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], smtp_url="smtp://127.0.0.1:9")
    mail()
    run_waiting()
    waiting = the_message()
    assert waiting.state is MessageState.WAITING
    assert "could not be reached" in waiting.last_error
    assert list(waiting_messages()) == []
    db.session.commit()

    box = smtp()
    with clock.frozen(monday + timedelta(minutes=2)):
        (due,) = waiting_messages()
        deliver(due)
    assert len(box.mails) == 1


def test_a_permanent_refusal_stops_with_the_reason(app, smtp):
    smtp("550 no such mailbox")
    mail()
    run_waiting()
    refused = the_message()
    assert refused.state is MessageState.FAILED
    assert "no such mailbox" in refused.last_error


def test_a_worker_that_died_is_taken_over_after_its_lease(app, smtp, monday):
    box = smtp()
    message = mail()
    message.claimed_until = monday + timedelta(seconds=100)  # another worker holds it
    db.session.commit()
    deliver(message.id)
    assert box.mails == []

    with clock.frozen(monday + timedelta(seconds=101)):
        deliver(message.id)
    assert len(box.mails) == 1


@pytest.mark.parametrize("field", ["recipient", "subject"])
def test_a_header_cannot_be_smuggled_in(app, field):
    with pytest.raises(InvalidFields, match="line breaks"):
        mail(**{field: "x@example.org\r\nBcc: everybody@example.org"})


def a_week_of_sweeps(monday):
    """Every hour a worker looks at what waits; how often it looked."""
    looks = 0
    for hour in range(24 * 7):
        with clock.frozen(monday + timedelta(hours=hour)):
            for one in waiting_messages():
                looks += 1
                with suppress(Exception):
                    deliver(one)
                db.session.rollback()
    return looks


def test_what_cannot_be_printed_is_given_up_with_the_reason(app, smtp, monday):
    box = smtp()
    mail(attachments=[Attachment("no such document", 1, "gone.pdf")])

    looks = a_week_of_sweeps(monday)

    given_up = the_message()
    assert (given_up.state, box.mails) == (MessageState.FAILED, [])
    assert "could not be made ready" in given_up.last_error
    assert looks == given_up.attempts == 8


def test_a_failure_of_ours_is_still_raised_for_the_log(app, smtp):
    smtp()
    message = mail(attachments=[Attachment("no such document", 1, "gone.pdf")])

    with pytest.raises(KeyError):
        deliver(message.id)

    assert (the_message().attempts, the_message().claimed_until) == (1, None)


@pytest.mark.parametrize("recipient", ["@", "ada@", "a@[", "a b@c.d", "a@b,c@d.e", "<>@x.y"])
def test_an_address_no_server_takes_is_kept_as_failed_and_refuses_nothing(app, smtp, recipient):
    box = smtp()
    mail(recipient=recipient)
    run_waiting()

    assert the_message().state is MessageState.FAILED
    assert "does not look like an email address" in the_message().last_error
    assert (list(waiting_messages()), box.mails) == ([], [])


def test_pressing_try_now_while_it_is_being_sent_sends_it_once(app, smtp, office, monkeypatch):
    message = mail()
    smtp()
    sent = []

    def slow_server(_url, words):
        sent.append(words)
        reply = office.post(f"/staff/outbox/{message.id}/retry")
        assert "is being sent right now" in reply.text
        if len(sent) < 3:
            deliver(message.id)
        return {}

    monkeypatch.setattr("portal.outbox.sending.send_mail", slow_server)
    deliver(message.id)

    assert len(sent) == 1


def test_a_link_that_expired_is_not_mailed(app, smtp, build, client, monday):
    box = smtp()
    build.customer(email="ada@example.org")
    client.post("/my/sign-in", data={"email": "ada@example.org"})

    with clock.frozen(monday + timedelta(minutes=10)):
        run_waiting()
        late = the_message()
        with pytest.raises(DomainError, match="has expired"):
            retry_message(late)

    assert (late.state, box.mails) == (MessageState.FAILED, [])
    assert "has expired" in late.last_error


def test_the_mail_that_leaves_holds_the_link_that_opens_the_portal(app, smtp, build, client):
    box = smtp()
    build.customer(email="ada@example.org")
    client.post("/my/sign-in", data={"email": "ada@example.org"})
    run_waiting()

    words = email.message_from_string(box.mails[0]).get_payload()[0].get_payload(decode=True)
    link = re.search(r"/my/sign-in/link/[\w-]+", words.decode())[0]
    assert client.post(link).location == "/my/"
