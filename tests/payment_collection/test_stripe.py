"""The Stripe door: requests fit the SDK's own parameter types, answers become our words."""

import json

import pytest
import stripe
from stripe.params.checkout import _session_create_params as params

from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import Money
from portal.payment_collection.gateway import CheckoutOrder, CheckoutState, ForgedEvent
from portal.payment_collection.gateways import stripe as door

ORDER = CheckoutOrder(
    reference="att_1", amount=Money.of("12.34"), currency="USD", description="Invoice INV-1",
    return_url="https://example.org/back", email="ada@example.org",
)  # fmt: skip
SECRET = "whsec_test"


class Recorder(stripe.HTTPClient):
    """Stands where the SDK's http client is, and answers what a test says."""

    name = "recorder"

    def __init__(self, *answers):
        super().__init__()
        self.answers, self.requests = list(answers), []

    def request_with_retries(self, method, url, headers, post_data=None, **_more):
        self.requests.append((method, url, headers, post_data))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        status, body = answer
        return json.dumps(body), status, {"request-id": "req_1"}


def session(intent=None, **more):
    """A Checkout Session as Stripe sends it, with its PaymentIntent in some state."""
    received = 1234 if intent == "succeeded" else 0
    paying = {
        "id": "pi_1",
        "object": "payment_intent",
        "status": intent,
        "amount_received": received,
        "payment_method_types": ["card"],
        "last_payment_error": None,
    }
    return {
        "id": "cs_1",
        "object": "checkout.session",
        "url": "https://checkout.stripe.com/c/1",
        "expires_at": 1772560000,
        "client_reference_id": "att_1",
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": paying if intent else None,
        **more,
    }


def gateway(*answers):
    made = door.StripeGateway("sk_test_1", SECRET)
    recorder = Recorder(*answers)
    made._client._requestor._client = recorder
    return made, recorder


def test_the_api_version_is_pinned_to_the_sdks_own():
    assert stripe.api_version == door.API_VERSION


def test_opening_asks_for_one_line_with_the_attempt_everywhere():
    made, recorder = gateway((200, session()))

    opened = made.open_checkout(ORDER)

    assert (opened.session_ref, opened.url) == ("cs_1", "https://checkout.stripe.com/c/1")
    method, url, headers, body = recorder.requests[0]
    assert (method, url) == ("post", "https://api.stripe.com/v1/checkout/sessions")
    assert headers["Idempotency-Key"] == "checkout:att_1"
    assert headers["Stripe-Version"] == door.API_VERSION
    assert "payment_intent_data[metadata][attempt]=att_1" in body.replace("%5B", "[").replace(
        "%5D", "]"
    )


def test_what_we_send_fits_the_sdks_own_parameter_types(monkeypatch):
    sent = {}

    class Sessions:
        def create(self, params, options):
            sent.update(params)
            return stripe.checkout.Session.construct_from(session(), None)

    made, _ = gateway()
    monkeypatch.setattr(made._client.v1.checkout, "_sessions", Sessions(), raising=False)
    monkeypatch.setattr(type(made._client.v1.checkout), "sessions", Sessions(), raising=False)
    made.open_checkout(ORDER)

    assert unknown_names(sent, params.SessionCreateParams) == set()
    assert unknown_names({"made_up": 1}, params.SessionCreateParams) == {"made_up"}
    paying = sent["payment_intent_data"]
    assert unknown_names(paying, params.SessionCreateParamsPaymentIntentData) == set()
    (line,) = sent["line_items"]
    assert unknown_names(line, params.SessionCreateParamsLineItem) == set()
    assert unknown_names(line["price_data"], params.SessionCreateParamsLineItemPriceData) == set()
    product = line["price_data"]["product_data"]
    assert unknown_names(product, params.SessionCreateParamsLineItemPriceDataProductData) == set()


def unknown_names(sent, kind):
    """What we would send that Stripe's own parameter type, made from its API, does not know."""
    return set(sent) - set(kind.__annotations__)


WORDS = [
    (session(), CheckoutState.OPEN),
    (session(status="expired"), CheckoutState.EXPIRED),
    (session("processing", status="complete"), CheckoutState.PROCESSING),
    (session("requires_payment_method", status="complete"), CheckoutState.FAILED),
    (session("requires_payment_method"), CheckoutState.OPEN),
    (session("succeeded", status="complete"), CheckoutState.SUCCEEDED),
    (session("succeeded", status="expired"), CheckoutState.SUCCEEDED),
]


@pytest.mark.parametrize(("answer", "state"), WORDS)
def test_stripes_words_become_ours(answer, state):
    made, _ = gateway((200, answer))

    seen = made.look_up("cs_1")

    assert seen.state is state
    assert (seen.received == Money.of("12.34")) == (state is CheckoutState.SUCCEEDED)


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [
        (stripe.APIConnectionError("timed out"), False),
        ((500, {"error": {"type": "api_error", "message": "oops"}}), False),
        ((409, {"error": {"type": "idempotency_error", "message": "in use"}}), False),
        ((429, {"error": {"type": "rate_limit", "message": "slow down"}}), False),
        ((400, {"error": {"type": "invalid_request_error", "message": "no"}}), True),
        ((401, {"error": {"type": "authentication_error", "message": "key"}}), False),
    ],
)
def test_only_a_definite_no_is_permanent(answer, permanent):
    made, _ = gateway(answer)
    with pytest.raises(OutsideFailure) as failure:
        made.open_checkout(ORDER)
    assert failure.value.permanent is permanent


def event(kind="payment_intent.succeeded", version=door.API_VERSION, **thing):
    about = {"id": "pi_1", "metadata": {"attempt": "att_1"}, **thing}
    body = {
        "id": "evt_1",
        "object": "event",
        "type": kind,
        "api_version": version,
        "data": {"object": about},
    }
    return json.dumps(body).encode()


def sign(body, *, secret=SECRET, at=None):
    return stripe.WebhookSignature.generate_signature_header(
        body.decode(), secret, timestamp=int(at or clock.now().timestamp())
    )


def test_a_signed_event_says_where_to_look():
    made, _ = gateway()
    body = event()

    seen = made.verify_event(body, sign(body))

    assert (seen.event_ref, seen.reference, seen.payment_ref) == ("evt_1", "att_1", "pi_1")


UNHELD = {
    "none": lambda: "",
    "made up": lambda: "t=1,v1=00",
    "an old scheme": lambda: "v0=1",
    "another secret": lambda: sign(event(), secret="whsec_other"),
    "too old": lambda: sign(event(), at=clock.now().timestamp() - 301),
}


@pytest.mark.parametrize("signature", UNHELD.values(), ids=UNHELD.keys())
def test_a_signature_that_does_not_hold_is_forged(signature):
    made, _ = gateway()
    with pytest.raises(ForgedEvent):
        made.verify_event(event(), signature())


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"id": 1}', b"\xff\xfe"])
def test_a_signed_body_that_is_no_event_is_refused(body):
    made, _ = gateway()
    header = stripe.WebhookSignature.generate_signature_header(
        body.decode("latin-1"), SECRET, timestamp=int(clock.now().timestamp())
    )
    with pytest.raises(ForgedEvent):
        made.verify_event(body, header)


def test_an_event_of_another_api_version_is_kept_for_a_person():
    made, _ = gateway()
    assert "speaks" in made.read_event(event(version="2017-08-15")).unsupported


@pytest.mark.parametrize(
    ("kind", "object_ref"),
    [("charge.dispute.created", "x_1"), ("refund.updated", "x_1"), ("charge.refunded", "x_1")],
)
def test_an_event_about_money_that_goes_back_says_where_to_look(kind, object_ref):
    made, _ = gateway()

    seen = made.read_event(event(kind, id="x_1", payment_intent="pi_1"))

    assert (seen.object_ref, seen.payment_ref) == (object_ref, "pi_1")


def test_a_bank_debit_is_known_by_what_was_charged_not_by_what_was_offered():
    seen = session("succeeded", status="complete", payment_status="paid")
    paying = seen["payment_intent"]
    paying["payment_method_types"] = ["card", "link", "us_bank_account"]
    details = {"type": "us_bank_account"}
    paying["latest_charge"] = {
        "id": "ch_1", "object": "charge", "created": 1772500000, "payment_method_details": details,
    }  # fmt: skip
    made, _sent = gateway((200, seen))

    assert made.look_up("cs_1").method == "bank_debit"


@pytest.mark.parametrize(
    "event",
    [
        {"id": "e", "type": "x", "data": {"object": []}},
        {"id": "e", "type": "x", "data": {"object": "text"}},
        {"id": "e", "type": "x", "data": []},
        {"id": "e", "type": 7, "data": {"object": {}}},
        {"id": 7, "type": "x", "data": {"object": {}}},
        {"id": "e", "type": "x", "data": {"object": {"metadata": "text"}}},
    ],
    ids=json.dumps,
)
def test_a_signed_but_odd_body_is_no_event(event):
    made, _sent = gateway()
    body = json.dumps(event)
    at = int(clock.now().timestamp())
    signature = stripe.WebhookSignature._compute_signature(f"{at}.{body}", SECRET)

    with pytest.raises(ForgedEvent):
        made.verify_event(body.encode(), f"t={at},v1={signature}")


@pytest.mark.parametrize(
    ("settled", "at"),
    [({"id": "txn_1", "object": "balance_transaction", "created": 1772700000}, 1772700000),
     ("txn_1", None), (None, None)],
)  # fmt: skip
def test_a_debit_is_dated_by_the_day_its_money_settled(settled, at):
    seen = session("succeeded", status="complete", payment_status="paid")
    seen["payment_intent"]["latest_charge"] = {
        "id": "ch_1", "object": "charge", "created": 1772400000, "balance_transaction": settled,
        "payment_method_details": {"type": "sepa_debit"},
    }  # fmt: skip
    made, _sent = gateway((200, seen))

    received_at = made.look_up("cs_1").received_at

    assert (received_at and received_at.timestamp()) == at
