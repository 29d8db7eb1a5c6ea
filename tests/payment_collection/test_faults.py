"""Every fault at every request to Stripe: after the janitor has looked, both sides agree.

The real SDK speaks to a recorded account that keeps idempotency keys; each case breaks one
request once. People press again when they are told that nothing came of it.
"""

import json
from datetime import timedelta

import pytest
import sqlalchemy as sa
import stripe

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.models import (
    AttemptPurpose,
    GatewayRefund,
    GatewayRefundState,
    MethodSetup,
    Payment,
    PaymentAttempt,
    PaymentOrigin,
    SavedMethod,
)
from portal.payment_collection import (
    ChargeWanted,
    charge_method,
    find_refunds,
    send_back,
    settle_setup,
)
from portal.payments import sources_of_payment
from portal.tasks import look_at, run_waiting, sweep
from tests.payment_collection.money_back import words
from tests.payment_collection.stripe_account import StripeAccount
from tests.payment_collection.test_both_gateways import begin

FAULTS = (
    "refused before", "dropped after", "500 after", "slow", "409", "429", "malformed",
    "wrong amount",
)  # fmt: skip
REQUESTS = {
    "customer": ("post", "/v1/customers"),
    "session": ("post", "/v1/checkout/sessions"),
    "create": ("post", "/v1/payment_intents"),
    "confirm": ("post", "/confirm"),
    "refund": ("post", "/v1/refunds"),
    "list": ("get", "/v1/refunds"),
}
BUSY = {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "In progress."}


class FaultyAccount(StripeAccount):
    """Breaks the first request of one kind, in one way."""

    def __init__(self, fault, request):
        super().__init__()
        self.fault, self.at, self.struck = fault, REQUESTS[request], False

    def request_with_retries(self, method, url, headers, post_data=None, **more):
        kind, path = self.at
        hit = method.lower() == kind and url.partition("?")[0].endswith(path) and not self.struck
        if not hit:
            return super().request_with_retries(method, url, headers, post_data, **more)
        self.struck = True
        if self.fault == "refused before":
            raise stripe.APIConnectionError("Connection refused.")
        if self.fault in ("409", "429"):
            return json.dumps({"error": BUSY}), int(self.fault), {}
        body, status, answered = super().request_with_retries(
            method, url, headers, post_data, **more
        )
        match self.fault:
            case "500 after":
                return '{"error": {"type": "api_error", "message": "Oops."}}', 500, {}
            case "malformed":
                return body[: len(body) // 2], status, answered
            case "wrong amount":
                for right in ('"amount": 8000', '"amount_received": 8000', '"amount": 3000'):
                    body = body.replace(right, right[:-1] + "1")
                return body, status, answered
            case _dropped_or_slow:
                raise stripe.APIConnectionError("The answer did not come in time.")

    def _do(self, method, path, sent):
        if not path.startswith("refunds"):
            return super()._do(method, path, sent)
        if method == "get" and path == "refunds":
            mine = [one for one in self.things.values() if one["object"] == "refund"]
            return 200, {"object": "list", "data": mine, "has_more": False, "url": "/v1/refunds"}
        if method == "get":
            return 200, self.things[path.partition("/")[2]]
        refund = {**sent, "amount": int(sent["amount"]), "status": "succeeded",
                  "object": "refund", "created": int(clock.now().timestamp()),
                  "id": f"re_{len(self.things)}"}  # fmt: skip
        self.things[refund["id"]] = refund
        return 200, refund

    def refunded(self):
        return sum(one["amount"] for one in self.things.values() if one["object"] == "refund")


@pytest.fixture
def account(app, request):
    before, made = app.extensions["gateway"], FaultyAccount(*request.param)
    app.extensions["gateway"] = made.gateway()
    yield made
    app.extensions["gateway"] = before


def again(step):
    """A person presses, is told that it did not work, and presses once more."""
    for last in (False, True):
        try:
            return step()
        except DomainError:
            db.session.rollback()
            if last:
                raise
    return None


def look_around(start):
    """The sweep of some days; whatever fails is tried again at its next turn."""
    for later in (timedelta(minutes=6), timedelta(hours=2), timedelta(days=1, hours=3)):
        with clock.frozen(start + later):
            for name, row_id in sweep():
                look_at(name, row_id)
            run_waiting()


def save_card(account, customer):
    setup_id, page = again(lambda: begin(customer))
    account.press_setup(page, "card")
    again(lambda: settle_setup(setup_id))
    db.session.commit()
    return db.session.get(MethodSetup, setup_id).method


def charge(invoice, method):
    wanted = ChargeWanted(
        invoice.customer_id, method.id, [(invoice.id, invoice.balance)], AttemptPurpose.OFFICE,
        "Olive",
    )  # fmt: skip
    db.session.commit()
    charge_method(wanted)
    db.session.commit()


def only_money():
    query = sa.select(Payment).where(
        Payment.origin == PaymentOrigin.MONEY, Payment.refunds_id.is_(None)
    )
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


CASES = [(fault, request) for request in REQUESTS for fault in FAULTS]


@pytest.mark.parametrize("account", CASES, indirect=True, ids=" at ".join)
def test_what_the_gateway_took_is_what_we_recorded(build, account, monday, figure):
    invoice = build.posted("80")
    method = save_card(account, invoice.customer)
    charge(invoice, method)
    look_around(monday)

    payment = only_money()
    source = sources_of_payment(payment)[0]
    send_back(source, words(build, "30", on=build.today))
    db.session.commit()
    run_waiting()
    look_around(monday)
    look_around(monday + timedelta(days=2))
    again(lambda: _compare(payment.provider_ref))

    assert account.struck
    assert account.charged() == only_money().amount.cents == 8000
    assert db.session.scalars(sa.select(PaymentAttempt.id)).all() != []
    refunds = db.session.scalars(
        sa.select(GatewayRefund).execution_options(populate_existing=True)
    ).all()
    assert [(one.amount, one.state) for one in refunds] == [
        (Money.of(30), GatewayRefundState.SUCCEEDED)
    ]
    assert account.refunded() == 3000
    assert len(db.session.scalars(sa.select(SavedMethod)).all()) == 1
    figure(f"{account.fault} at {account.at[1]}", "equal")


def _compare(payment_ref):
    try:
        find_refunds(payment_ref)
    except Exception as error:
        raise DomainError(str(error)) from error
