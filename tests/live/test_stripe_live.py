"""The contract of the gateway against Stripe itself, in test mode.

Give a key to run it: `STRIPE_TEST_KEY=sk_test_… pytest tests/live`. Nothing here moves money.
"""

import pytest

from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import Money
from portal.payment_collection.gateway import (
    ChargeOrder,
    CheckoutOrder,
    CheckoutState,
    PayerOrder,
    RefundOrder,
    SetupOrder,
)

AMOUNT = Money.of("12.34")

pytestmark = pytest.mark.live


def order(reference, amount=AMOUNT):
    return CheckoutOrder(
        reference=reference, amount=amount, currency="USD", description="Invoice INV-1",
        return_url="https://example.org/back", email="ada@example.org",
    )  # fmt: skip


@pytest.fixture
def payer(stripe, reference):
    return stripe.know_payer(PayerOrder(reference, "Ada Lovelace", "ada@example.org"))


def keep_card(stripe, payer, card="pm_card_visa"):
    """A card of Stripe's own for tests, kept for the payer as its page would have done."""
    return stripe._client.v1.payment_methods.attach(card, {"customer": payer}).id


def charge(stripe, payer, reference, card="pm_card_visa"):
    method = keep_card(stripe, payer, card)
    asked = ChargeOrder(reference, AMOUNT, "USD", payer, method, "Invoice INV-1")
    ref = stripe.prepare_charge(asked)
    return ref, stripe.confirm_charge(ref, reference)


def test_a_page_is_opened_once_found_open_and_closed(stripe, reference):
    opened = stripe.open_checkout(order(reference))
    again = stripe.open_checkout(order(reference))
    assert again.session_ref == opened.session_ref
    assert opened.expires_at > clock.now()

    seen = stripe.look_up(opened.session_ref)
    assert (seen.state, seen.reference) == (CheckoutState.OPEN, reference)

    stripe.close_checkout(opened.session_ref)
    assert stripe.look_up(opened.session_ref).state is CheckoutState.EXPIRED


def test_the_same_reference_for_another_amount_is_refused(stripe, reference):
    stripe.open_checkout(order(reference))
    with pytest.raises(OutsideFailure):
        stripe.open_checkout(order(reference, Money.of(99)))


def test_a_page_that_saves_a_method_is_opened_and_found(stripe, payer, reference):
    asked = SetupOrder(reference, payer, "USD", "https://example.org/back")
    opened = stripe.open_setup(asked)
    seen = stripe.look_up_setup(opened.session_ref)
    assert (seen.state, seen.reference) == (CheckoutState.OPEN, reference)


def test_a_kept_card_is_charged_once_and_looked_up(stripe, payer, reference):
    ref, seen = charge(stripe, payer, reference)
    assert (seen.state, seen.received) == (CheckoutState.SUCCEEDED, AMOUNT)
    assert stripe.look_up_charge(ref).received == AMOUNT
    assert stripe.confirm_charge(ref, reference).received == AMOUNT


def test_a_declined_card_is_an_answer_not_a_failure(stripe, payer, reference):
    _ref, seen = charge(stripe, payer, reference, "pm_card_chargeCustomerFail")
    assert seen.state is CheckoutState.FAILED
    assert seen.failure


def test_a_prepared_charge_that_is_cancelled_takes_nothing(stripe, payer, reference):
    method = keep_card(stripe, payer)
    ref = stripe.prepare_charge(ChargeOrder(reference, AMOUNT, "USD", payer, method, "INV-1"))
    assert stripe.cancel_charge(ref).received == Money.of(0)


def test_money_goes_back_in_parts_and_never_more_than_came(stripe, payer, reference):
    ref, _seen = charge(stripe, payer, reference)
    stripe.give_back(RefundOrder(f"{reference}-1", ref, Money.of("2.34")))
    stripe.give_back(RefundOrder(f"{reference}-1", ref, Money.of("2.34")))
    stripe.give_back(RefundOrder(f"{reference}-2", ref, Money.of(10)))
    with pytest.raises(OutsideFailure):
        stripe.give_back(RefundOrder(f"{reference}-3", ref, Money.of(1)))
    assert Money.total(one.amount for one in stripe.refunds_of(ref)) == AMOUNT


def test_a_forgotten_method_is_no_longer_usable(stripe, payer):
    method = keep_card(stripe, payer)
    assert stripe.look_up_method(method).usable
    stripe.forget_method(method)
    assert not stripe.look_up_method(method).usable
