"""The client of Stripe's API: pinned version, our errors. This package alone imports the SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import stripe

from portal.kernel.errors import OutsideFailure

API_VERSION = "2026-10-28.endive"  # what SDK 16.1 was made for; pinned twice, checked in tests
BANK_DEBITS = ("us_bank_account", "sepa_debit", "acss_debit", "bacs_debit", "au_becs_debit")
T = TypeVar("T")


class StripeDoor:
    """What every part of the gateway shares."""

    def __init__(
        self, secret_key: str, webhook_secret: str, *, api_base: str = "", retries: int = 2
    ) -> None:
        self.livemode = "_live_" in secret_key
        self._webhook_secret = webhook_secret
        self._client = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            max_network_retries=retries,
            http_client=stripe.RequestsClient(timeout=15),
            base_addresses={"api": api_base} if api_base else {},
        )


def currency_of(thing: object) -> str:
    """As we write it, e.g. EUR; Stripe writes it in small letters."""
    return str(getattr(thing, "currency", None) or "").upper()


def call(request: Callable[[], T]) -> T:
    try:
        return request()
    except stripe.StripeError as error:
        raise failure(error) from error


def failure(error: stripe.StripeError) -> OutsideFailure:
    """Only a definite refusal is permanent; time-outs, 5xx and conflicts leave it unknown.

    So does a wrong key: it says nothing of the payment, and is our fault, not the payer's.
    """
    definite = (stripe.CardError, stripe.InvalidRequestError)
    ours = (stripe.AuthenticationError, stripe.PermissionError)
    if isinstance(error, ours):
        return OutsideFailure("Stripe refuses this installation's key. Check the settings.")
    return OutsideFailure(
        f"Stripe: {error.user_message or error}",
        permanent=isinstance(error, definite),
        missing=getattr(error, "code", None) == "resource_missing",
    )
