"""Text messages: one contract for every gateway, and none is ever sent twice."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.kernel.addresses import normal_mobile
from portal.kernel.errors import OutsideFailure
from portal.models import Channel, Message, MessageState
from portal.outbox import deliver_text, retry_message, waiting_texts, write_message
from portal.outbox.text_gateway import KeptTexts
from portal.outbox.text_records import OutcomeUnknown, Text
from portal.outbox.twilio import TwilioTexts
from portal.settings import BadSettings, read_settings
from portal.tasks import run_waiting
from tests.servers.launching import free_port
from tests.servers.twilio_world import ACCOUNT, SENDER, TOKEN, twilio

HELLO = Text("+15550100123", "Hello ñ", "message-1")


@pytest.fixture
def world():
    with twilio() as world:
        yield world


def texts_of(world):
    return TwilioTexts(ACCOUNT, TOKEN, SENDER, api=world.address, patience=0.3)


@pytest.fixture
def through_twilio(app, world, monkeypatch):
    monkeypatch.setattr("portal.outbox.texting.text_gateway", lambda: texts_of(world))
    return world


def text(**more):
    words = {"kind": "test", "channel": Channel.SMS, "recipient": "+15550100123", "subject": "",
             "body": "Hi", "dedupe_key": "k", **more}  # fmt: skip
    written = write_message(**words)
    db.session.commit()
    return written


def the_message():
    query = sa.select(Message).execution_options(populate_existing=True)
    return db.session.scalars(query).one()


@pytest.mark.parametrize("name", ["kept", "twilio"])
class TestEveryGateway:
    @pytest.fixture
    def gateway(self, name, world):
        return KeptTexts() if name == "kept" else texts_of(world)

    def test_takes_a_text_and_says_what_became_of_it(self, gateway):
        taken = gateway.send(HELLO)

        assert taken.status
        assert bool(taken.reference) is not gateway.keeps

    def test_refuses_empty_words_for_good(self, gateway):
        with pytest.raises(OutsideFailure, match="needs words") as refused:
            gateway.send(Text("+15550100123", " ", "message-1"))
        assert refused.value.permanent


def test_twilio_gets_number_sender_and_words(world):
    texts_of(world).send(HELLO)

    assert world.taken == [{"To": "+15550100123", "From": SENDER, "Body": "Hello ñ"}]


def test_a_wrong_number_is_refused_for_good_a_busy_gateway_is_not(world):
    gateway = texts_of(world)

    with pytest.raises(OutsideFailure, match="not a valid phone") as wrong:
        gateway.send(Text("+15005550001", "Hi", "message-1"))
    world.weather = "busy"
    with pytest.raises(OutsideFailure, match="Too Many") as busy:
        gateway.send(HELLO)

    assert (wrong.value.permanent, busy.value.permanent) == (True, False)


def test_a_gateway_that_cannot_be_reached_took_nothing():
    nobody = TwilioTexts(ACCOUNT, TOKEN, SENDER, api=f"http://127.0.0.1:{free_port()}")

    with pytest.raises(OutsideFailure, match="could not be reached") as away:
        nobody.send(HELLO)
    assert not away.value.permanent


@pytest.mark.parametrize("weather", ["silent", "hangs up", "breaks"])
def test_an_answer_that_is_lost_leaves_it_unknown(world, weather):
    world.weather = weather

    with pytest.raises(OutcomeUnknown):
        texts_of(world).send(HELLO)


def test_without_a_gateway_a_text_is_kept(app):
    text()
    run_waiting()

    assert the_message().state is MessageState.KEPT


def test_a_text_leaves_once_with_its_reference(through_twilio):
    message = text()
    for _ in range(3):
        deliver_text(message.id)

    assert len(through_twilio.taken) == 1
    assert (the_message().state, the_message().outside_ref) == (MessageState.SENT, "SM1")


@pytest.mark.parametrize("weather", ["silent", "hangs up", "breaks"])
def test_a_text_whose_fate_is_unknown_waits_for_a_person(through_twilio, monday, weather):
    through_twilio.weather = weather
    message = text()
    deliver_text(message.id)
    through_twilio.weather = "fair"
    for days in range(8):
        with clock.frozen(monday + timedelta(days=days)):
            assert list(waiting_texts()) == []
            db.session.rollback()
            deliver_text(message.id)

    unknown = the_message()
    assert unknown.state is MessageState.FAILED
    assert "It is not known whether this text left" in unknown.last_error
    assert len(through_twilio.taken) == 1

    retry_message(unknown)
    db.session.commit()
    run_waiting()
    assert the_message().state is MessageState.SENT


def test_a_worker_that_died_while_talking_sends_nothing_a_second_time(
    through_twilio, monkeypatch, monday
):
    message = text()

    class Dying:
        keeps = False

        def send(self, words):
            raise KeyboardInterrupt  # a kill: nothing is tidied up

    with monkeypatch.context() as dying:
        dying.setattr("portal.outbox.texting.text_gateway", lambda: Dying())
        with pytest.raises(KeyboardInterrupt):
            deliver_text(message.id)
    db.session.rollback()

    with clock.frozen(monday + timedelta(minutes=5)):
        assert list(waiting_texts()) == [message.id]
        db.session.rollback()
        deliver_text(message.id)

    assert the_message().state is MessageState.FAILED
    assert "the worker stopped in the middle" in the_message().last_error
    assert through_twilio.taken == []


def test_a_busy_gateway_is_tried_again(through_twilio, monday):
    through_twilio.weather = "busy"
    message = text()
    deliver_text(message.id)
    assert the_message().state is MessageState.WAITING

    through_twilio.weather = "fair"
    with clock.frozen(monday + timedelta(minutes=2)):
        deliver_text(message.id)

    assert the_message().state is MessageState.SENT
    assert len(through_twilio.taken) == 1


def test_a_number_no_gateway_takes_is_kept_as_failed(app):
    text(recipient="call me")

    assert the_message().state is MessageState.FAILED
    assert "country code" in the_message().last_error


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("(555) 010-0123", "+15550100123"),
        ("1 555 010 0123", "+15550100123"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_mobile_numbers_in_one_form(typed, number):
    assert normal_mobile(typed) == number


@pytest.mark.parametrize("typed", ["", "12345", "0049 151 1", "+0 123 456 789", "call 5550100123"])
def test_what_is_no_number_is_refused_in_words(typed):
    with pytest.raises(ValueError, match="country code"):
        normal_mobile(typed)


def test_half_a_gateway_does_not_start(tmp_path):
    with pytest.raises(BadSettings, match="TWILIO_AUTH_TOKEN, TWILIO_FROM too"):
        read_settings({"DATA_DIR": str(tmp_path), "TWILIO_ACCOUNT_SID": "AC1"})
