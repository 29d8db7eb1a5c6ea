"""Texts: STOP obeyed at once, receipts kept, every report signed; reminders by text."""

import base64
import hashlib
import hmac
from dataclasses import replace

import pytest

from portal.db import db
from portal.dunning import opt_outs_of
from portal.models import ContactAttempt, InboundText, Message, MessageState, OptOut, StepState
from portal.outbox import signed_by_twilio
from tests.dunning.cases import case_of, hour_passes, overdue, reminders, set_rules

TOKEN = "shared secret of the tests"
MOBILE = "+13125550142"


@pytest.fixture
def gateway(app):
    """A text gateway is named in the settings; nothing is sent to it."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(
        before, twilio_account_sid="AC1", twilio_auth_token=TOKEN, twilio_from="+13125550100"
    )
    yield
    app.config["SETTINGS"] = before


@pytest.fixture
def ada(build):
    who = build.customer("Ada Lovelace", region="IL")
    who.contacts[0].phone, who.contacts[0].is_mobile = "(312) 555-0142", True
    db.session.commit()
    return who


def signature(path, form, token=TOKEN):
    said = f"http://localhost{path}" + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), said.encode(), hashlib.sha1).digest()).decode()


def tell(client, what, **form):
    path = f"/hooks/texts/{what}"
    return client.post(path, data=form, headers={"X-Twilio-Signature": signature(path, form)})


def comes_in(client, words, sid="SM1", sender=MOBILE):
    return tell(client, "incoming", MessageSid=sid, From=sender, Body=words)


def test_the_signature_is_the_one_of_twilios_own_example():
    """From their documentation of validating requests by hand."""
    form = {"CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234",
            "From": "+14158675309", "To": "+18005551212"}  # fmt: skip
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert signed_by_twilio(url, form, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", token="12345")
    assert not signed_by_twilio(
        url, {**form, "Digits": "1235"}, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", token="12345"
    )
    assert not signed_by_twilio(url, form, "", token="")


@pytest.mark.parametrize("what", ["incoming", "receipts"])
def test_an_unsigned_report_is_refused_and_none_is_taken_without_a_gateway(
    client, app, gateway, what
):
    path = f"/hooks/texts/{what}"
    form = {"MessageSid": "SM1", "From": MOBILE, "Body": "STOP"}

    assert client.post(path, data=form).status_code == 403
    forged = signature(path, form, "another secret")
    assert client.post(path, data=form, headers={"X-Twilio-Signature": forged}).status_code == 403
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], twilio_account_sid="")
    assert tell(client, what, **form).status_code == 404
    assert db.session.query(InboundText).count() == 0


@pytest.mark.parametrize(
    "words", ["STOP", "stop", " Stop please ", "UNSUBSCRIBE", "Arrêt", "baja."]
)
def test_stop_is_obeyed_at_once_and_start_takes_it_back(client, gateway, ada, words):
    assert comes_in(client, words).status_code == 200

    (opt,) = opt_outs_of(ada)
    assert (opt.address, opt.because) == (MOBILE, "answered STOP")
    comes_in(client, words, sid="SM1")  # the gateway repeats itself
    comes_in(client, words, sid="SM2")  # and people do
    assert db.session.query(OptOut).count() == 1
    comes_in(client, "START", sid="SM3")

    db.session.expire_all()
    assert opt_outs_of(ada) == []


def test_a_sentence_with_stop_in_it_is_an_answer_and_no_wish(client, gateway, ada):
    comes_in(client, "Please tell your man to stop by on Friday")

    assert opt_outs_of(ada) == []
    (row,) = db.session.query(ContactAttempt).all()
    assert (row.inbound, row.customer_id) == (True, ada.id)


def test_help_says_who_we_are(client, gateway, ada):
    reply = comes_in(client, "HELP").get_data(as_text=True)

    assert "<Message>Acme Home Services: reminders" in reply


def test_a_stranger_and_a_short_code_bind_nobody_but_their_number(client, gateway):
    comes_in(client, "STOP", sender="+447700900123")
    comes_in(client, "STOP", sid="SM2", sender="72645")

    rows = {one.address: one.customer_id for one in db.session.query(OptOut)}
    assert rows == {"+447700900123": None, "72645": None}


def test_stop_of_a_shared_number_holds_for_every_customer_who_has_it(client, gateway, ada, build):
    set_rules()
    bob = overdue(build, 8, name="Bob")
    bob.contacts[0].phone, bob.contacts[0].is_mobile = "312-555-0142", True
    db.session.commit()
    comes_in(client, "STOP")

    hour_passes()

    (step,) = case_of(bob).steps
    assert (step.state, step.sentence) == (
        StepState.REFUSED,
        "The customer does not want text messages.",
    )


def test_a_text_reminder_has_the_link_and_the_way_out(build, ada):
    set_rules()
    overdue(build, 8, customer=ada)

    hour_passes()

    (message,) = reminders()
    assert (message.channel, message.recipient) == ("sms", MOBILE)
    assert "http://localhost/pay/" in message.body
    assert message.body.rstrip().endswith("Reply STOP to opt out.")
    assert len(message.body) < 320


def test_a_phone_that_cannot_be_read_is_listed_with_the_reason(build, ada):
    set_rules()
    overdue(build, 8, customer=ada)
    ada.contacts[0].phone = "ask for Ada"
    db.session.commit()

    hour_passes()

    (step,) = case_of(ada).steps
    assert step.state is StepState.REFUSED
    assert "“ask for Ada” cannot be used" in step.sentence


@pytest.fixture
def sent(ada, build):
    set_rules()
    overdue(build, 8, customer=ada)
    hour_passes()
    (message,) = reminders()
    message.state, message.outside_ref = MessageState.SENT, "SM9"
    db.session.commit()
    return message


def test_a_receipt_says_that_it_arrived_whatever_comes_after(sent, client, gateway):
    for status in ("sent", "delivered", "undelivered", "delivered"):
        assert tell(client, "receipts", MessageSid="SM9", MessageStatus=status).status_code == 204

    row = db.session.get(Message, sent.id)
    assert row.delivered_at is not None
    assert row.bounced_at is None


def test_a_text_that_did_not_arrive_says_why(sent, client, gateway):
    tell(client, "receipts", MessageSid="SM9", MessageStatus="undelivered", ErrorCode="30003")

    assert "30003" in db.session.get(Message, sent.id).bounced_because


def test_a_receipt_of_somebody_elses_text_changes_nothing(sent, client, gateway):
    assert (
        tell(client, "receipts", MessageSid="SM-other", MessageStatus="failed").status_code == 204
    )
    assert tell(client, "receipts", MessageSid="", MessageStatus="failed").status_code == 204

    assert db.session.get(Message, sent.id).bounced_at is None
