"""Mail that came back: from the server at once, from a provider later."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import db
from portal.invoices import send_invoice
from portal.kernel import clock
from portal.models import Message, MessageState, SentState
from portal.outbox import bounced_addresses, deliver, retry_message, waiting_messages
from portal.sendings import bounced_message, read_reports
from portal.tasks import run_waiting

SECRET = "a-long-secret"


@pytest.fixture
def hook(app):
    """Post a provider's report; the settings are put back afterwards."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, bounce_secret=SECRET)
    browser = app.test_client()

    def post(report, secret=SECRET):
        body = report if isinstance(report, bytes) else json.dumps(report).encode()
        return browser.post(f"/hooks/bounces/{secret}", data=body).status_code

    yield post
    app.config["SETTINGS"] = before


@pytest.fixture
def sent(build, smtp):
    smtp()
    invoice = build.posted("10", customer=build.customer("Ada", email="ada@example.org"))
    send_invoice(invoice)
    db.session.commit()
    run_waiting()
    return invoice


def the_message():
    query = sa.select(Message).execution_options(populate_existing=True)
    return db.session.scalars(query).one()


def all_messages():
    query = sa.select(Message).order_by(Message.id).execution_options(populate_existing=True)
    return db.session.scalars(query).all()


def ses(address):
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{"emailAddress": address, "diagnosticCode": "550 unknown"}],
        },
        "mail": {"headers": [{"name": "Subject", "value": "x"}]},
    }


def reports(address):
    sns = {"Type": "Notification", "TopicArn": "arn", "Message": json.dumps(ses(address))}
    mailgun = {
        "event": "failed", "severity": "permanent", "recipient": address,
        "delivery-status": {"message": "550 unknown"}, "message": {"headers": {}},
    }  # fmt: skip
    return {
        "plain": {"email": address, "reason": "550 unknown"},
        "ses": ses(address),
        "sns": sns,
        "mailgun": {"event-data": mailgun},
        "postmark": {"RecordType": "Bounce", "Type": "HardBounce", "Email": address,
                     "Description": "550 unknown"},
        "sendgrid": [{"event": "delivered", "email": address},
                     {"event": "bounce", "email": address, "reason": "550 unknown"}],
    }  # fmt: skip


@pytest.mark.parametrize("provider", list(reports("x")))
def test_every_providers_report_is_understood(hook, sent, provider):
    assert hook(reports("Ada@Example.org")[provider]) == 200

    assert the_message().bounced_because == "550 unknown"
    assert bounced_message(sent).id == the_message().id
    assert "came back: 550 unknown" in trail_of(sent)[0].sentence


def test_the_same_report_twice_is_noted_once(hook, sent):
    for _ in range(2):
        hook({"email": "ada@example.org", "reason": "550 unknown"})

    told = [one for one in trail_of(sent) if "came back" in one.sentence]
    assert len(told) == 1


def test_a_report_names_our_own_message(hook, sent):
    number = f"<message-{the_message().id}-20260302180000@acme.example>"

    hook({"email": "ada@example.org", "reason": "gone", "message_id": number})
    assert the_message().bounced_because == "gone"


def test_a_report_about_another_address_of_that_message_is_not_believed(hook, sent):
    number = f"<message-{the_message().id}-20260302180000@acme.example>"

    hook({"email": "mallory@example.org", "reason": "gone", "message_id": number})
    assert the_message().bounced_at is None


@pytest.mark.parametrize(
    "report",
    [
        {"email": "stranger@example.org", "reason": "x"},
        {"RecordType": "Bounce", "Type": "SoftBounce", "Email": "ada@example.org"},
        {"event-data": {"event": "failed", "severity": "temporary", "recipient": "ada@x.y"}},
        {"bounce": {"bounceType": "Transient", "bouncedRecipients": []}},
        [{"event": "open", "email": "ada@example.org"}],
        {"TopicArn": "arn", "Message": "not json"},
        {"bounce": 1, "mail": [1]},
        {"event-data": []},
        {"email": "\0\0", "reason": "\0"},
        [1, None, []],
        {},
    ],
)
def test_what_is_no_bounce_of_ours_is_answered_and_changes_nothing(hook, sent, report):
    assert hook(report) == 200

    assert the_message().bounced_at is None


def test_mail_of_long_ago_does_not_come_back(hook, sent, monday):
    with clock.frozen(monday + timedelta(days=31)):
        hook({"email": "ada@example.org", "reason": "x"})

    assert the_message().bounced_at is None


@pytest.mark.parametrize("secret", ["wrong", "", "ä", SECRET + "x"])
def test_a_wrong_secret_finds_nothing(hook, sent, secret):
    assert hook({"email": "ada@example.org"}, secret=secret) == 404
    assert the_message().bounced_at is None


def test_without_a_secret_there_is_no_door(client):
    assert client.post("/hooks/bounces/x", json={}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"no json", b'"text"', b"[" * 100_000])
def test_what_is_no_report_is_refused(hook, body):
    assert hook(body) == 400


def test_a_report_that_is_far_too_long_is_refused(hook):
    assert hook(b" " * (256 * 1024 + 1)) == 413


def test_reasons_are_cut_and_kept_on_one_line():
    (report,) = read_reports(json.dumps({"email": "a@b.c", "reason": "x\n" * 900}).encode())

    assert len(report.because) <= 500
    assert "\n" not in report.because


def test_an_address_the_server_refuses_at_once_counts_as_come_back(build, smtp):
    smtp(strangers=["ada@example.org"])
    invoice = build.posted("10", customer=build.customer("Ada", email="ada@example.org"))
    send_invoice(invoice)
    db.session.commit()
    run_waiting()

    assert the_message().state is MessageState.FAILED
    assert "no such mailbox" in the_message().bounced_because
    db.session.refresh(invoice)
    assert invoice.sent_state is SentState.NOT_SENT


def test_a_copy_the_server_refuses_does_not_hold_up_the_mail(build, smtp):
    box = smtp(strangers=["boss@example.org"])
    send_invoice(build.posted("10", customer=build.customer(cc_emails="boss@example.org")))
    db.session.commit()
    run_waiting()

    assert len(box.mails) == 1
    assert (the_message().state, the_message().bounced_at) == (MessageState.SENT, None)
    assert "The copy was refused. boss@example.org: 550" in the_message().last_error


def test_a_recipient_the_server_refuses_while_it_takes_the_copy_has_bounced(build, smtp):
    smtp(strangers=["ada@example.org"])
    customer = build.customer("Ada", email="ada@example.org", cc_emails="boss@example.org")
    invoice = build.posted("10", customer=customer)
    send_invoice(invoice)
    db.session.commit()
    run_waiting()

    assert "no such mailbox" in the_message().bounced_because
    db.session.refresh(invoice)
    assert invoice.sent_state is SentState.NOT_SENT


def test_a_server_that_does_not_relay_for_us_says_nothing_about_the_address(build, smtp):
    box = smtp(strangers=["ada@example.org"])
    box.unknown = "554 5.7.1 Relay access denied"
    send_invoice(build.posted("10", customer=build.customer("Ada", email="ada@example.org")))
    db.session.commit()
    run_waiting()

    assert (the_message().state, the_message().bounced_at) == (MessageState.FAILED, None)
    assert "Relay access denied" in the_message().last_error


def test_an_address_that_was_refused_at_once_may_be_tried_again(build, smtp):
    box = smtp(strangers=["ada@example.org"])
    send_invoice(build.posted("10", customer=build.customer("Ada", email="ada@example.org")))
    db.session.commit()
    run_waiting()
    box.strangers = ()

    retry_message(the_message())
    db.session.commit()
    run_waiting()

    assert (the_message().state, the_message().bounced_at) == (MessageState.SENT, None)


def test_a_recipient_refused_for_now_beside_a_copy_is_tried_again_alone(build, smtp, monday):
    box = smtp(strangers=["ada@example.org"])
    box.unknown = "450 4.2.1 try again later"
    customer = build.customer("Ada", email="ada@example.org", cc_emails="boss@example.org")
    send_invoice(build.posted("10", customer=customer))
    db.session.commit()
    run_waiting()

    first, alone = all_messages()
    assert (first.state, first.bounced_at) == (MessageState.SENT, None)
    assert "450 4.2.1 try again later" in first.last_error
    assert (alone.recipient, alone.cc, alone.subject) == ("ada@example.org", "", first.subject)
    assert len(alone.attachments) == 1
    assert (alone.subject_kind, alone.subject_id) == (first.subject_kind, first.subject_id)
    box.strangers = []
    db.session.commit()
    with clock.frozen(monday + timedelta(minutes=10)):
        run_waiting()
        for one in list(waiting_messages()):
            deliver(one)
    assert len(box.mails) == 2
    assert {one.state for one in all_messages()} == {MessageState.SENT}


def test_a_refusal_about_us_condemns_no_address(build, smtp):
    box = smtp(strangers=["ada@example.org"])
    box.unknown = "554 5.7.1 relaying denied"
    customer = build.customer("Ada", email="ada@example.org", cc_emails="boss@example.org")
    send_invoice(build.posted("10", customer=customer))
    db.session.commit()
    run_waiting()

    assert the_message().bounced_at is None
    assert "relaying denied" in the_message().last_error


def test_a_copy_that_comes_back_does_not_condemn_the_recipient(hook, build, smtp):
    smtp()
    customer = build.customer("Ada", email="ada@example.org", cc_emails="boss@example.org")
    invoice = build.posted("10", customer=customer)
    send_invoice(invoice)
    db.session.commit()
    run_waiting()
    number = f"<message-{the_message().id}-20260302180000@acme.example>"

    for _ in range(2):
        hook({"email": "Boss@example.org", "reason": "550 gone", "message_id": number})

    assert the_message().bounced_at is None
    assert the_message().last_error == "The copy to Boss@example.org came back: 550 gone"
    assert bounced_addresses([customer.id]) == {}
    assert len([one for one in trail_of(invoice) if "came back" in one.sentence]) == 1
    hook({"email": "ada@example.org", "reason": "550 gone too", "message_id": number})
    assert the_message().bounced_because == "550 gone too"
