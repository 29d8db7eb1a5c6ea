"""The customer's face: see what is owed, pay it, find old papers."""

from __future__ import annotations

from flask import Blueprint, Flask

from customer import (
    account,
    autopay,
    guest,
    home,
    invoices,
    methods,
    navigation,
    paying,
    paying_several,
    payments,
    plan_wishes,
    plans,
    sign_in,
    start,
    statement_guest,
    statements,
)

SCREENS = (
    account,
    autopay,
    home,
    invoices,
    methods,
    paying,
    paying_several,
    payments,
    plan_wishes,
    plans,
    sign_in,
    statements,
)


def face(app: Flask) -> None:
    """The portal under /my for those who signed in, /pay for holders of a guest link."""
    customer = Blueprint("customer", __name__, url_prefix="/my")
    for screen in SCREENS:
        customer.register_blueprint(screen.bp)
    app.register_blueprint(customer)
    app.register_blueprint(guest.bp)
    app.register_blueprint(statement_guest.bp)
    app.register_blueprint(start.bp)
    app.jinja_env.globals.update(customer_links=navigation.customer_links)
