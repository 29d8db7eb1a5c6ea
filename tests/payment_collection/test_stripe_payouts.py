"""Stripe's payouts and balance transactions become our words; what is asked fits its types."""

from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe
from stripe.params import BalanceTransactionListParams, PaymentIntentListParams, PayoutListParams

from portal.kernel.errors import OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import MovementKind
from portal.payment_collection.gateways.stripe import payouts as door
from tests.payment_collection.test_stripe import gateway, unknown_names

START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)


def listed(*rows, more=False):
    return 200, {"object": "list", "data": list(rows), "has_more": more, "url": "/v1/x"}


def moved(ref="txn_1", category="charge", **more):
    return {
        "id": ref, "object": "balance_transaction", "amount": 8000, "fee": 262, "net": 7738,
        "currency": "usd", "created": 1772474400, "reporting_category": category,
        "source": {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}, **more,
    }  # fmt: skip


def payout(status="paid", **more):
    return {"id": "po_1", "object": "payout", "amount": 7738, "arrival_date": 1772496000,
            "currency": "usd", "status": status, "failure_message": None, **more}  # fmt: skip


def asked(recorder, n=0):
    """The path of a request and the names it sent, a dictionary's first name only."""
    method, url, headers, _body = recorder.requests[n]
    assert method == "get"
    assert headers["Stripe-Version"] == stripe.api_version
    split = urlsplit(url)
    return split.path, parse_qs(split.query)


def names(query):
    return {name.split("[")[0] for name in query}


@pytest.mark.parametrize(
    ("status", "state"),
    [("paid", "paid"), ("pending", "on_its_way"), ("in_transit", "on_its_way"),
     ("failed", "failed"), ("canceled", "failed")],
)  # fmt: skip
def test_a_payout_in_our_words(status, state):
    made, recorder = gateway((200, payout(status, failure_message="account closed")))

    seen = made.look_up_payout("po_1")

    assert (seen.amount, seen.arrives_on, seen.state) == (
        Money.of("77.38"), date(2026, 3, 3), state,
    )  # fmt: skip
    assert seen.failure == "account closed"
    assert asked(recorder)[0] == "/v1/payouts/po_1"


def test_the_movements_of_a_payout_page_by_themselves():
    made, recorder = gateway(listed(moved(), more=True), listed(moved("txn_2")))

    found = list(made.movements_of("po_1"))

    assert [one.movement_ref for one in found] == ["txn_1", "txn_2"]
    one = found[0]
    assert (one.amount, one.fee, one.payment_ref, one.source_ref, one.payout_ref) == (
        Money.of(80), Money.of("2.62"), "pi_1", "ch_1", "po_1",
    )  # fmt: skip
    path, query = asked(recorder)
    assert path == "/v1/balance_transactions"
    assert query["payout"] == ["po_1"]
    assert unknown_names(names(query), BalanceTransactionListParams) == set()
    assert asked(recorder, 1)[1]["starting_after"] == ["txn_1"]


def test_a_time_is_asked_for_from_its_start_to_before_its_end():
    made, recorder = gateway(listed(), listed(), listed())
    list(made.movements_between(START, END))
    list(made.payouts_between(START, END))
    list(made.payments_between(START, END))

    kinds = [BalanceTransactionListParams, PayoutListParams, PaymentIntentListParams]
    for n, kind in enumerate(kinds):
        _path, query = asked(recorder, n)
        assert unknown_names(names(query), kind) == set()
        assert query["created[gte]"] == [str(int(START.timestamp()))]
        assert query["created[lt]"] == [str(int(END.timestamp()))]


@pytest.mark.parametrize(
    ("category", "kind"),
    [*((name, kind) for name, kind in door.KINDS.items()),
     ("charge_failure", MovementKind.OTHER), ("never heard of", MovementKind.OTHER)],
)  # fmt: skip
def test_reporting_categories_are_our_kinds(category, kind):
    made, _recorder = gateway(listed(moved(category=category)))

    (seen,) = made.movements_of("po_1")

    assert seen.kind == kind


@pytest.mark.parametrize("source", [None, "re_1", {"id": "dp_1", "object": "dispute"}])
def test_a_source_without_a_payment_is_no_accident(source):
    made, _recorder = gateway(listed(moved(source=source)))

    (seen,) = made.movements_of("po_1")

    assert seen.payment_ref == ""
    assert seen.source_ref == (source["id"] if isinstance(source, dict) else source or "")


def test_the_list_of_payments_names_what_was_received_and_given_back():
    charge = {"id": "ch_1", "object": "charge", "created": 1772474400, "amount_refunded": 500}
    paid = {"id": "pi_1", "object": "payment_intent", "amount_received": 8000, "created": 1,
            "payment_method_types": ["card"],
            "metadata": {"attempt": "att_1"}, "latest_charge": charge}  # fmt: skip
    never = {
        "id": "pi_2",
        "object": "payment_intent",
        "amount_received": 0,
        "created": 1,
        "payment_method_types": ["card"],
    }
    bare = {**paid, "id": "pi_3", "metadata": {}, "latest_charge": "ch_3"}
    made, _recorder = gateway(listed(paid, never, bare))

    first, second = made.payments_between(START, END)

    assert (first.payment_ref, first.reference) == ("pi_1", "att_1")
    assert (first.received, first.refunded) == (Money.of(80), Money.of(5))
    assert first.received_at == datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    assert (second.reference, second.refunded) == ("", ZERO)


def test_a_list_that_breaks_off_is_unknown_not_empty():
    made, _recorder = gateway(listed(moved(), more=True), stripe.APIConnectionError("gone"))

    with pytest.raises(OutsideFailure):
        list(made.movements_of("po_1"))


def test_a_payout_nobody_made_is_missing():
    missing = {"error": {"type": "invalid_request_error", "code": "resource_missing",
                         "message": "No such payout"}}  # fmt: skip
    made, _recorder = gateway((404, missing))

    with pytest.raises(OutsideFailure) as failure:
        made.look_up_payout("po_no")
    assert failure.value.missing
