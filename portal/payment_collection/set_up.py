"""Choosing the gateway and giving it its addresses."""

from __future__ import annotations

from flask import Flask

from portal.payment_collection.gateway import Gateway
from portal.payment_collection.gateways.test_gateway import TestGateway
from portal.payment_collection.hooks import hooks
from portal.payment_collection.test_method_pages import method_pages
from portal.payment_collection.test_pages import pages
from portal.settings import BadSettings, Settings
from portal.web import csrf_exempt


def set_up(app: Flask) -> None:
    """Stripe with a key; else the TEST GATEWAY, which production refuses unless told so."""
    settings: Settings = app.config["SETTINGS"]
    chosen = choose_gateway(settings)
    app.extensions["gateway"] = chosen
    csrf_exempt(app, hooks)
    app.register_blueprint(hooks)
    if isinstance(chosen, TestGateway):
        app.register_blueprint(pages)
        app.register_blueprint(method_pages)


def choose_gateway(settings: Settings) -> Gateway | None:
    """The gateway these settings name. Raises BadSettings for a key without webhook secret."""
    if settings.stripe_secret_key:
        if not settings.stripe_webhook_secret:
            raise BadSettings("Set STRIPE_WEBHOOK_SECRET: webhooks without it cannot be trusted.")
        # Its library takes longer to read than any other; who has no key should not wait.
        from portal.payment_collection.gateways.stripe import StripeGateway

        return StripeGateway(
            settings.stripe_secret_key,
            settings.stripe_webhook_secret,
            api_base=settings.stripe_api_base,
        )
    if settings.is_production and not settings.allow_test_gateway:
        return None
    return TestGateway(settings.secret_key, settings.base_url)
