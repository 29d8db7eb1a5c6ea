"""Stripe. Only this package imports the SDK."""

from portal.payment_collection.gateways.stripe.checkouts import StripeCheckouts
from portal.payment_collection.gateways.stripe.client import API_VERSION
from portal.payment_collection.gateways.stripe.disputes import StripeDisputes
from portal.payment_collection.gateways.stripe.events import StripeEvents
from portal.payment_collection.gateways.stripe.methods import StripeMethods
from portal.payment_collection.gateways.stripe.payouts import StripePayouts
from portal.payment_collection.gateways.stripe.refunds import StripeRefunds

__all__ = ["API_VERSION", "StripeGateway"]


class StripeGateway(
    StripeCheckouts, StripeMethods, StripeRefunds, StripeDisputes, StripePayouts, StripeEvents
):
    """Collects with Stripe. Test keys collect nothing real: livemode is false then."""

    name = "stripe"
