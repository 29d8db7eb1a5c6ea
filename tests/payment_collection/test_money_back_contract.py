"""One contract for every gateway: money that goes back, and what a bank asks back.

Stripe speaks through recorded HTTP, and every request fits the SDK's own parameter types.
"""

from urllib.parse import parse_qsl

import pytest
import stripe
from stripe.params import _dispute_update_params, _file_create_params, _refund_create_params

from portal.db import db
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import Money
from portal.payment_collection.gateway import RefundOrder, RefundState
from tests.payment_collection.money_back import house, paid
from tests.payment_collection.test_stripe import gateway as stripe_gateway
from tests.payment_collection.test_stripe import unknown_names

WORDS = {
    "what_was_sold": "A furnace", "when": "Mar 2", "customer_name": "Ada",
    "customer_email": "a@x.org", "billing_address": "1 Main St", "contact": "sent",
    "explanation": "It was done.",
}  # fmt: skip


def refund(state="succeeded", **more):
    """A refund as Stripe sends it."""
    return {
        "id": "re_1", "object": "refund", "amount": 3000, "created": 1772500000, "status": state,
        "payment_intent": "pi_1", "metadata": {"refund": "ref-1"}, "failure_reason": None,
        "failure_balance_transaction": None, **more,
    }  # fmt: skip


def dispute(status="needs_response", moved=(), **more):
    """A dispute as Stripe sends it, with its balance transactions."""
    transactions = [
        {"id": f"txn_{number}", "object": "balance_transaction", "amount": amount, "fee": fee,
         "created": 1772500000, "reporting_category": "dispute", "net": amount - fee}
        for number, (amount, fee) in enumerate(moved)
    ]  # fmt: skip
    return {
        "id": "dp_1", "object": "dispute", "amount": 8000, "status": status, "charge": "ch_1",
        "payment_intent": "pi_1", "reason": "product_not_received",
        "evidence_details": {"due_by": 1773300000}, "balance_transactions": transactions, **more,
    }  # fmt: skip


class AtStripe:
    """What Stripe answers is recorded; what it is asked is looked at."""

    payment_ref = "pi_1"

    def __init__(self):
        self.gateway, self.recorder = stripe_gateway()

    def answers(self, *bodies):
        self.recorder.answers += [body if isinstance(body, tuple) else (200, body)
                                  for body in bodies]  # fmt: skip

    def sent(self):
        return [
            (method, url.removeprefix("https://api.stripe.com/v1/"), headers, dict(parse_qsl(body)))
            for method, url, headers, body in self.recorder.requests
            if isinstance(body, str) or body is None
            for body in [body or ""]
        ]

    def gives_back(self, state):
        self.answers(refund({"in_transit": "pending"}.get(state, state)))

    def knows(self, state):
        reason = {"failure_reason": "lost_or_stolen_card"} if state == "failed" else {}
        self.answers(refund({"in_transit": "pending"}.get(state, state), **reason))

    def lists(self):
        self.answers(
            {"object": "list", "data": [refund()], "has_more": False, "url": "/v1/refunds"}
        )

    def refuses(self):
        error = {"type": "invalid_request_error", "message": "too much"}
        self.answers((400, {"error": error}))
        return "re_1"

    def disputed(self):
        self.answers(dispute(moved=[(-8000, 1500)]))
        return "dp_1"

    def takes_answer(self):
        self.answers({"id": "file_1", "object": "file"}, dispute("under_review", [(-8000, 1500)]))


class AtTestGateway:
    """The buttons of its page do what a processor does."""

    def __init__(self, build):
        self.payment, _invoice = paid(build)
        self.payment_ref, self.gateway = self.payment.provider_ref, house()
        db.session.commit()  # the gateway is another system: nothing of ours is open meanwhile

    def press(self, button, refund_ref=""):
        self.gateway.press_payment(self.payment_ref, button, refund_ref)

    def gives_back(self, state):
        if state == "in_transit":
            self.press("slow-refunds")

    def knows(self, state):
        if state == "failed":
            self.press("refund-fails", self.gateway.refunds_of(self.payment_ref)[0].refund_ref)

    def lists(self):
        pass

    def refuses(self):
        return ""

    def disputed(self):
        self.press("dispute")
        return f"tdp_{self.payment_ref}"

    def takes_answer(self):
        pass


@pytest.fixture(params=["stripe", "test"])
def at(request, build):
    return AtStripe() if request.param == "stripe" else AtTestGateway(build)


def order(at, amount="30"):
    return RefundOrder("ref-1", at.payment_ref, Money.of(amount))


@pytest.mark.parametrize("state", ["succeeded", "in_transit"])
def test_a_refund_says_what_became_of_it(at, state):
    at.gives_back(state)

    seen = at.gateway.give_back(order(at))

    assert (seen.state, seen.amount) == (RefundState(state), Money.of(30))
    assert (seen.reference, seen.payment_ref) == ("ref-1", at.payment_ref)
    assert seen.refund_ref
    assert seen.moved_at


def test_asking_twice_with_one_reference_is_one_refund(at):
    at.gives_back("succeeded")
    first = at.gateway.give_back(order(at))
    at.gives_back("succeeded")
    assert at.gateway.give_back(order(at)).refund_ref == first.refund_ref
    at.lists()
    assert [one.refund_ref for one in at.gateway.refunds_of(at.payment_ref)] == [first.refund_ref]


def test_a_refund_that_came_back_says_why(at):
    at.gives_back("succeeded")
    ref = at.gateway.give_back(order(at)).refund_ref
    at.knows("failed")

    seen = at.gateway.look_up_refund(ref)

    assert seen.state is RefundState.FAILED
    assert seen.failure


def test_more_than_is_left_is_definitely_refused(at):
    at.refuses()

    with pytest.raises(OutsideFailure) as failure:
        at.gateway.give_back(order(at, "80.01"))
    assert failure.value.permanent


def test_a_dispute_says_what_really_moved(at):
    ref = at.disputed()

    seen = at.gateway.look_up_dispute(ref)

    assert (seen.outcome, seen.payment_ref, seen.amount) == ("open", at.payment_ref, Money.of(80))
    assert [(one.amount, one.fee) for one in seen.movements] == [(-Money.of(80), Money.of(15))]
    assert seen.answer_by


def test_an_answer_is_taken(at):
    ref = at.disputed()
    at.gateway.look_up_dispute(ref)
    at.takes_answer()

    assert at.gateway.answer_dispute(ref, WORDS, b"%PDF-", "a1").outcome == "under_review"


def test_stripe_is_asked_with_the_key_of_the_persisted_row():
    at = AtStripe()
    at.gives_back("succeeded")
    at.gateway.give_back(order(at))

    method, path, headers, body = at.sent()[0]
    assert (method, path) == ("post", "refunds")
    assert headers["Idempotency-Key"] == "refund:ref-1"
    assert body == {"payment_intent": "pi_1", "amount": "3000", "metadata[refund]": "ref-1"}


class Wanted:
    """Stands where a service of the SDK is and keeps what it was asked with."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def __getattr__(self, _verb):
        def call(*words):
            self.asked.append(words)
            return self.answer

        return call


def test_what_stripe_is_asked_fits_its_own_parameter_types(monkeypatch):
    made, _recorder = stripe_gateway()
    refunds = Wanted(stripe.Refund.construct_from(refund(), None))
    files = Wanted(stripe.File.construct_from({"id": "file_1", "object": "file"}, None))
    disputes = Wanted(stripe.Dispute.construct_from(dispute(), None))
    v1 = type(made._client.v1)
    for name, service in (("refunds", refunds), ("files", files), ("disputes", disputes)):
        monkeypatch.setattr(v1, name, service, raising=False)

    made.give_back(RefundOrder("ref-1", "pi_1", Money.of(30)))
    made.answer_dispute("dp_1", WORDS, b"%PDF-", "a1")

    (params, options), (paper, kept), (_ref, update, answered) = (
        refunds.asked[0], files.asked[0], disputes.asked[0],
    )  # fmt: skip
    assert unknown_names(params, _refund_create_params.RefundCreateParams) == set()
    assert unknown_names(paper, _file_create_params.FileCreateParams) == set()
    assert unknown_names(update, _dispute_update_params.DisputeUpdateParams) == set()
    evidence = _dispute_update_params.DisputeUpdateParamsEvidence
    assert unknown_names(update["evidence"], evidence) == set()
    assert update["evidence"]["uncategorized_file"] == "file_1"
    keys = [one["idempotency_key"] for one in (options, kept, answered)]
    assert keys == ["refund:ref-1", "evidence:a1", "answer:a1"]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("warning_needs_response", "inquiry"), ("warning_under_review", "inquiry"),
        ("warning_closed", "closed"), ("prevented", "closed"), ("needs_response", "open"),
        ("under_review", "under_review"), ("won", "won"), ("lost", "lost"),
    ],
)  # fmt: skip
def test_an_inquiry_holds_no_funds(status, outcome):
    at = AtStripe()
    at.answers(dispute(status))

    assert at.gateway.look_up_dispute("dp_1").outcome == outcome


def test_money_that_is_back_at_stripe_is_a_failed_refund_whatever_its_status():
    at = AtStripe()
    at.answers(refund("succeeded", failure_balance_transaction="txn_9"))

    assert at.gateway.look_up_refund("re_1").state is RefundState.FAILED


def test_a_refund_made_in_the_dashboard_has_no_reference():
    at = AtStripe()
    at.answers(refund(metadata={}))

    assert at.gateway.look_up_refund("re_1").reference == ""
