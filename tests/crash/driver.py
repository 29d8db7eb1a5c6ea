"""Pays one invoice and is killed at a named place; run as a process of its own by the tests."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

from portal.payment_collection import CheckoutWanted, keep_event, settle, start_checkout
from portal.settings import read_settings
from portal.tasks import run_waiting


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


def main(data_dir: str, place: str, when: str) -> None:
    from portal.db import db, in_transaction
    from portal.invoices import get_invoice
    from wsgi import make_app

    app = make_app(
        settings=read_settings({"DATA_DIR": data_dir, "SECRET_KEY": "crash"}), TESTING=True
    )
    die_at(place, when)
    with app.app_context():
        gateway = app.extensions["gateway"]
        balance = get_invoice(1).balance
        db.session.rollback()
        url = start_checkout(CheckoutWanted(((1, balance),), "crash", "/x/"))
        _back, bodies = gateway.press(url.rsplit("/", 1)[1], "succeed")
        for body in bodies:
            in_transaction(lambda body=body: keep_event(gateway.read_event(body), body))
        settle(1)
        run_waiting()


if __name__ == "__main__":
    main(*sys.argv[1:])
