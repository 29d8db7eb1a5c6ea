"""Malformed and forged webhooks are 400 and write nothing."""

import io
import json

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.models import GatewayEvent
from portal.settings import read_settings
from wsgi import make_app

EVENT = {
    "id": "e1",
    "type": "payment_intent.succeeded",
    "reference": "",
    "session": "",
    "payment": "",
}


def signed(body):
    return {"Test-Gateway-Signature": current_app.extensions["gateway"].sign(body)}


def kept():
    return db.session.scalar(sa.select(sa.func.count()).select_from(GatewayEvent))


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"not json", b'"x"', b"\xff\xfe", b'{"id":"e1"}', b"null"], ids=repr
)
def test_what_is_no_event_is_refused_even_when_signed(client, body):
    assert client.post("/webhooks/test", data=body, headers=signed(body)).status_code == 400
    assert kept() == 0


@pytest.mark.parametrize("signature", ["", "0" * 64, "é"])
def test_a_wrong_signature_writes_nothing(client, signature):
    headers = {"Test-Gateway-Signature": signature.encode().decode("latin-1")}
    reply = client.post("/webhooks/test", data=json.dumps(EVENT), headers=headers)
    assert reply.status_code == 400
    assert kept() == 0


def test_the_same_event_is_kept_once_with_its_raw_body(client):
    body = json.dumps(EVENT).encode()
    for _ in range(3):
        assert client.post("/webhooks/test", data=body, headers=signed(body)).status_code == 200
    assert db.session.scalars(sa.select(GatewayEvent)).one().body == body


def test_a_body_that_is_too_large_is_refused(client):
    assert client.post("/webhooks/test", data=b"x" * 300_000).status_code == 413


def test_another_gateways_address_does_not_exist(client):
    assert client.post("/webhooks/stripe", data=b"{}").status_code == 404


def test_a_burst_of_webhooks_is_not_throttled_as_people_are(tmp_path):
    live = {
        "DATA_DIR": str(tmp_path), "SECRET_KEY": "x" * 40, "APP_ENV": "production",
        "BASE_URL": "https://bills.example", "STRIPE_SECRET_KEY": "sk_live_x",
        "STRIPE_WEBHOOK_SECRET": "whsec_x",
    }  # fmt: skip
    client = make_app(settings=read_settings(live), TESTING=True).test_client()

    answers = {client.post("/webhooks/stripe", data=b"{}").status_code for _ in range(610)}

    assert answers == {400}


def test_a_body_in_chunks_is_measured_too(client):
    reply = client.post(
        "/webhooks/test",
        input_stream=io.BytesIO(b"x" * 300_000),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert reply.status_code == 413
