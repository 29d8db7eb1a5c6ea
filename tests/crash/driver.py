"""Posts one invoice, pays it at (local) Stripe and is killed at a named place.

The tests start it once and ask it for one child per kill: a forked process dies as hard as a
fresh one and need not read the whole app in again. A step that bad weather interrupts is done
again, as a person or the worker would.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import sys
import traceback
import urllib.request
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import configure_mappers
from stripe._http_client import HTTPClient

from portal.db import db, in_transaction
from portal.invoices import get_invoice, post_invoice
from portal.kernel.errors import DomainError
from portal.models import Invoice, InvoiceState, PaymentAttempt
from portal.payment_collection import CheckoutWanted, keep_event, settle, start_checkout
from portal.settings import read_settings
from portal.tasks import run_waiting
from tests.servers.stripe_world import KEY, SECRET, signature


def die_at(place: str, when: str) -> None:
    """Replace a function by one that kills this process before or after it ran."""
    module_name, _, name = place.rpartition(":")
    owner: Any = importlib.import_module(module_name)
    *outer, last = name.split(".")
    for step in outer:
        owner = getattr(owner, step)
    real = getattr(owner, last)

    def deadly(*args: Any, **words: Any) -> Any:
        if when == "after":
            real(*args, **words)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, last, deadly)


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
    """Start once; for each line `place when` on stdin a child lives, and its end is told."""
    from wsgi import make_app

    HTTPClient._sleep_time_seconds = lambda *_words, **_more: 0  # type: ignore[method-assign]
    app = make_app(settings=read_settings(settings_for(data_dir, api)), TESTING=True)
    configure_mappers()
    gc.freeze()  # what is there now stays: the children need not copy it to look it over
    print("ready", flush=True)
    for order in sys.stdin:
        child = os.fork()
        if not child:
            live(app, api, *order.split())
        _pid, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def live(app: Any, api: str, place: str, when: str) -> None:
    """A process of its own from here on; nothing is open yet that it shares with the parent."""
    try:
        die_at(place, when)
        with app.app_context():
            pay_online(app, api)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
