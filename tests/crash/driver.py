"""Posts one invoice, pays it at (local) Stripe and is killed at a named place.

A step that bad weather interrupts is done again, as a person or the worker would.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from stripe._http_client import HTTPClient

from portal.db import db, in_transaction
from portal.invoices import get_invoice, post_invoice
from portal.kernel.errors import DomainError
from portal.models import Invoice, InvoiceState, PaymentAttempt
from portal.payment_collection import CheckoutWanted, keep_event, settle, start_checkout
from portal.settings import read_settings
from portal.tasks import run_waiting
from tests.crash.dying import serve_deaths
from tests.servers.stripe_world import KEY, SECRET, signature


def pay_online(app: Any, api: str) -> None:
    """Everything from posting to the receipt; safe to run again from the start."""
    if db.session.get_one(Invoice, 1).state is InvoiceState.PENDING:
        in_transaction(lambda: post_invoice(get_invoice(1)))
    balance = db.session.get_one(Invoice, 1).balance
    db.session.rollback()
    if balance:
        wanted = CheckoutWanted(((1, balance),), "crash", "/x/", email="ada@example.org")
        again(lambda: start_checkout(wanted))
        newest = sa.select(PaymentAttempt).order_by(PaymentAttempt.id.desc()).limit(1)
        session_ref = db.session.scalars(newest).one().session_ref
        db.session.rollback()
        for body in press(api, str(session_ref)):
            seen = app.extensions["gateway"].verify_event(body, signature(body))
            in_transaction(lambda seen=seen, body=body: keep_event(seen, body))
    for attempt_id in db.session.scalars(sa.select(PaymentAttempt.id)).all():
        settle(attempt_id)
        settle(attempt_id)
    run_waiting()


def press(api: str, session_ref: str) -> list[bytes]:
    """The customer's press on Stripe's page."""
    request = urllib.request.Request(f"{api}/pay/{session_ref}", b"", method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        return [body.encode() for body in json.load(answer)]


def again(step: Callable[[], Any]) -> None:
    for tries_left in (2, 1, 0):
        try:
            step()
            return
        except DomainError:
            db.session.rollback()
            if not tries_left:
                raise


def settings_for(data_dir: str, api: str) -> dict[str, str]:
    return {
        "DATA_DIR": data_dir,
        "SECRET_KEY": "crash",
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_WEBHOOK_SECRET": SECRET,
        "STRIPE_API_BASE": api,
    }


def main(data_dir: str, api: str) -> None:
    from wsgi import make_app

    HTTPClient._sleep_time_seconds = lambda *_words, **_more: 0  # type: ignore[method-assign]
    app = make_app(settings=read_settings(settings_for(data_dir, api)), TESTING=True)
    serve_deaths(app, lambda: pay_online(app, api))


if __name__ == "__main__":
    main(*sys.argv[1:])
