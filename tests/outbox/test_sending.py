"""Messages leave after commit, once; a dead server keeps them waiting."""

import socket
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from aiosmtpd.controller import Controller

from portal.db import db
from portal.invoices import send_invoice
from portal.kernel import clock
from portal.kernel.errors import InvalidFields
from portal.models import Message, MessageState, SentState
from portal.outbox import deliver, waiting_messages, write_message
from portal.tasks import run_waiting


class Box:
    """A mail server that keeps what it gets, or refuses."""

    def __init__(self, answer="250 OK"):
        self.mails, self.answer = [], answer

    async def handle_DATA(self, _server, _session, envelope):
        if self.answer.startswith("250"):
            self.mails.append(envelope.content.decode("utf-8", "replace"))
        return self.answer


@pytest.fixture
def smtp(app):
    """Start a server that answers so; the app sends through it."""
    running = []
    before = app.config["SETTINGS"]

    def start(answer="250 OK"):
        box = Box(answer)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        controller = Controller(box, hostname="127.0.0.1", port=port)
        controller.start()
        running.append(controller)
        app.config["SETTINGS"] = replace(before, smtp_url=f"smtp://127.0.0.1:{port}")
        return box

    yield start
    for controller in running:
        controller.stop()
    app.config["SETTINGS"] = before


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
