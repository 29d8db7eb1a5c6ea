"""Two parts of a payment are given back to the card; the worker asks the gateway for each."""

from portal.company import today
from portal.db import db, in_transaction
from portal.kernel.money import Money
from portal.models import (
    GatewayRefund,
    GatewayRefundState,
    Message,
    MessageState,
    Payment,
    RefundReason,
)
from portal.payment_collection import send_back
from portal.payments import RefundWords, payment_types, sources_of_payment
from portal.tasks import run_waiting
from tests.crash.journeys.journey import Journey, at_gateway, received, rows
from tests.payment_collection.money_back import paid

P = "portal.payment_collection"
AMOUNTS = [Money.of(30), Money.of(20)]
PLACES = {
    f"{P}.refunds:refund": 2,
    "portal.payments.refunding:_locked": 2,
    "portal.payments.refunding:_insert": 2,
    "portal.payments.refunding:post_entries": 2,
    f"{P}.refunds:wake": 2,
    f"{P}.settling_refunds:_count": 2,
    f"{P}.settling_refunds:_ask_for": 2,
    f"{P}.gateways.test_gateway.refunds:TestRefunds.give_back": 2,
    f"{P}.settling_refunds:record_refund": 2,
    f"{P}.settling_refunds:lock_rows": 4,
    f"{P}.settling_refunds:_settle": 2,
    f"{P}.settling_refunds:post_entry": 2,
    f"{P}.settling_refunds:record": 2,
}


def prepare(build):
    paid(build)
    for receipt in rows(Message):  # the mail is another journey
        receipt.state = MessageState.KEPT


def live():
    for amount in AMOUNTS[len(given_back()) :]:
        in_transaction(lambda amount=amount: give(amount))
        run_waiting()


def give(amount):
    (payment,) = received()
    reason = rows(RefundReason, RefundReason.name == "Wrong amount charged")[0]
    words = RefundWords(reason=reason, type=payment_types()[0], amount=amount, on=today())
    send_back(sources_of_payment(payment)[0], words)
    db.session.flush()


def given_back():
    return [-one.amount for one in rows(Payment) if one.amount.cents < 0]


def check(box):
    there, here = at_gateway("refund", "succeeded"), given_back()
    assert here == AMOUNTS[: len(here)]
    assert there == AMOUNTS[: len(there)]
    assert len(there) <= len(here) == len(rows(GatewayRefund))


def at_the_end(box):
    assert at_gateway("refund", "succeeded") == given_back() == AMOUNTS
    assert {one.state for one in rows(GatewayRefund)} == {GatewayRefundState.SUCCEEDED}


JOURNEY = Journey("refund", PLACES, prepare, live, check, at_the_end)
