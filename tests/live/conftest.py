"""The only tests that may leave this machine, and only when somebody gives them a key."""

import os
import secrets

import pytest

from portal.payment_collection.gateways.stripe import StripeGateway

KEY = "STRIPE_TEST_KEY"


@pytest.fixture(autouse=True)
def no_network() -> None:
    """Here the network is what is tested."""


@pytest.fixture(autouse=True)
def monday():
    """Stripe lives now, not on the tests' Monday."""


@pytest.fixture(scope="session")
def stripe():
    """The house's own door to a Stripe account in test mode; without a key nothing is run."""
    key = os.environ.get(KEY, "")
    if not key:
        pytest.skip(f"not run: {KEY} holds no key of a Stripe account in test mode")
    if "_test_" not in key:
        pytest.fail(f"{KEY} must be a key of test mode: these tests make charges")
    return StripeGateway(key, "whsec_not_used")


@pytest.fixture
def reference():
    return f"live-{secrets.token_hex(8)}"
