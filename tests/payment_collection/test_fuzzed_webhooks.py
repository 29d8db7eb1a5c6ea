"""Thousands of made-up webhooks: no 500, and nothing is written without a valid signature.

`--fuzz=10000` sends in as many as the figure says; `--seed=N` makes the same ones again.
"""

from __future__ import annotations

import json
from random import Random

import pytest
import sqlalchemy as sa
import stripe

from portal.db import db
from portal.kernel import clock
from portal.models import GatewayEvent
from portal.payment_collection.gateways.stripe import API_VERSION, StripeGateway
from portal.tasks import run_waiting
from tests.payment_collection.made_up_webhooks import HEADERS, bodies

SECRET = "whsec_test"
LARGEST = 256 * 1024


def stripe_event(kind="payment_intent.succeeded", **thing):
    about = {"id": "pi_1", "object": "payment_intent", "amount": 80, "payment_intent": "pi_1",
             "metadata": {"attempt": "att_1"}, "status": "needs_response", **thing}  # fmt: skip
    return {"id": "evt_1", "object": "event", "type": kind, "api_version": API_VERSION,
            "data": {"object": about}, "livemode": False}  # fmt: skip


def house_event(kind="payment_intent.succeeded", **more):
    return {"id": "e1", "type": kind, "reference": "a", "session": "s", "payment": "p", **more}


GATEWAYS = {
    "stripe": [stripe_event(), stripe_event("charge.dispute.created", amount=80),
               stripe_event("payout.paid", id="po_1"), stripe_event("checkout.session.completed")],
    "test": [house_event(), house_event("payout.paid", object="tpo_1"),
             house_event("charge.dispute.created",
                         dispute={"id": "d", "amount": 80, "outcome": "open"})],
}  # fmt: skip
NAMES = {"stripe": "Stripe-Signature", "test": "Test-Gateway-Signature"}


@pytest.fixture(params=list(GATEWAYS))
def gate(request, app, monkeypatch):
    """Each gateway in turn is the installation's own."""
    if request.param == "stripe":
        monkeypatch.setitem(app.extensions, "gateway", StripeGateway("sk_test_1", SECRET))
    return app.extensions["gateway"]


def signed(gate, body):
    if gate.name == "test":
        return gate.sign(body)
    at = int(clock.now().timestamp())
    mac = stripe.WebhookSignature._compute_signature
    return f"t={at},v1={mac(f'{at}.{body.decode()}', SECRET)}"


def kept():
    count = db.session.scalar(sa.select(sa.func.count()).select_from(GatewayEvent))
    db.session.rollback()
    return count


def can_be_signed(body):
    """Stripe signs text; what is no UTF-8 has no signature of its."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_made_up_webhooks_break_nothing(gate, client, request, seed, figure):
    wanted = request.config.getoption("--fuzz") // len(GATEWAYS)
    random = Random(f"{seed} {gate.name}")
    made = bodies(random, GATEWAYS[gate.name])
    answers = {"forged": {}, "signed": {}}
    for n in range(wanted):
        body = next(made)
        forged = n % 2 == 0 or (gate.name == "stripe" and not can_be_signed(body))
        header = random.choice(HEADERS) if forged else signed(gate, body)
        headers = {NAMES[gate.name]: header.encode().decode("latin-1")}
        before = kept() if forged else 0
        status = client.post(f"/webhooks/{gate.name}", data=body, headers=headers).status_code
        how = answers["forged" if forged else "signed"]
        how[status] = how.get(status, 0) + 1
        again = f"body {n} of {gate.name}: --seed={seed} --fuzz={wanted * 2}"
        assert status in ((400, 413) if forged else (200, 400, 413)), f"{status} for {again}"
        assert not forged or kept() == before, f"a forged one was written: {again}"
    figure(f"{gate.name}, forged", answers["forged"])
    figure(f"{gate.name}, signed", answers["signed"])
    figure(f"{gate.name}, events kept", kept())
    assert set(answers["forged"]) <= {400, 413}
    assert 200 in answers["signed"]
    handled_or_parked(gate)


def handled_or_parked(gate):
    """What was kept is handed to the worker: odd hints end with a person, never in a crash."""
    if gate.name == "test":
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("portal.tasks.queue.log.exception", lambda *_words: None)
            run_waiting()


def header_of(body, *, secret=SECRET, at=0, scheme="v1"):
    at = int(clock.now().timestamp()) + at
    mac = stripe.WebhookSignature._compute_signature(f"{at}.{body.decode()}", secret)
    return f"t={at},{scheme}={mac}"


BODY = json.dumps(stripe_event()).encode()
CASES = {  # payments-reliability-security §1.1, and a time far in the future
    "good": (lambda: header_of(BODY), BODY, 200),
    "two secrets while one is rolled": (
        lambda: f"{header_of(BODY, secret='whsec_old')},{header_of(BODY)[13:]}", BODY, 200),
    "four minutes old": (lambda: header_of(BODY, at=-240), BODY, 200),
    "five minutes and a second old": (lambda: header_of(BODY, at=-301), BODY, 400),
    "a day in the future": (lambda: header_of(BODY, at=86_400), BODY, 400),
    "tampered": (lambda: header_of(BODY), BODY.replace(b"pi_1", b"pi_2"), 400),
    "another secret": (lambda: header_of(BODY, secret="whsec_other"), BODY, 400),
    "an empty secret": (lambda: header_of(BODY, secret=""), BODY, 400),
    "no header": (lambda: "", BODY, 400),
    "an old scheme only": (lambda: header_of(BODY, scheme="v0"), BODY, 400),
    "signed, but no JSON": (lambda: header_of(b"no json"), b"no json", 400),
    "invalid UTF-8": (lambda: header_of(BODY), b"\xff\xfe", 400),
    "a thin event": (lambda: header_of(THIN), b'{"id":"e","object":"v2.core.event"}', 400),
}  # fmt: skip
THIN = b'{"id":"e","object":"v2.core.event"}'


@pytest.mark.parametrize("case", CASES)
def test_a_signature_holds_or_nothing_is_written(app, client, monkeypatch, figure, case):
    monkeypatch.setitem(app.extensions, "gateway", StripeGateway("sk_test_1", SECRET))
    header, body, expected = CASES[case]

    reply = client.post("/webhooks/stripe", data=body, headers={"Stripe-Signature": header()})

    assert reply.status_code == expected
    assert kept() == (1 if expected == 200 else 0)
    figure(case, f"{reply.status_code}, {kept()} kept")


@pytest.mark.parametrize(("size", "status"), [(LARGEST, 400), (LARGEST + 1, 413)])
def test_a_body_of_more_than_256_kb_is_not_read(gate, client, figure, size, status):
    reply = client.post(f"/webhooks/{gate.name}", data=b" " * size)

    assert (reply.status_code, kept()) == (status, 0)
    figure(f"{size:,} bytes", status)
