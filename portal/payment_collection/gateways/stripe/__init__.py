"""Stripe. Only this package imports the SDK."""

from portal.payment_collection.gateways.stripe.checkouts import StripeCheckouts
from portal.payment_collection.gateways.stripe.client import API_VERSION
from portal.payment_collection.gateways.stripe.events import StripeEvents
from portal.payment_collection.gateways.stripe.payouts import StripePayouts

__all__ = ["API_VERSION", "StripeGateway"]


class StripeGateway(StripeCheckouts, StripeEvents, StripePayouts):
    """Collects with Stripe. Test keys collect nothing real: livemode is false then."""

    name = "stripe"
