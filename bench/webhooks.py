"""Six thousand shuffled webhooks over HTTP: a thousand payments, two kinds, each three times."""

from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import sqlalchemy as sa
from flask import Flask

from bench.house import Figure, house
from bench.money import _pending, _place
from bench.servers import environment, free_port, start_web, start_worker, stopping
from portal.db import db
from portal.invoices import post_invoices
from portal.ledger import verify_books
from portal.models import GatewayEvent, GatewayEventState, Invoice, Payment
from portal.payment_collection import CheckoutWanted, gateway, start_checkout

ENGINES = ("sqlite", "postgresql")
PAYMENTS, COPIES, SENDERS = 1_000, 3, 8


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine) as app:
        bodies = _paid_pages()
        deliveries = bodies * COPIES
        Random(11).shuffle(deliveries)
        db.session.remove()
        env, port = environment(app), free_port()
        with stopping(start_web(env, port), start_worker(env)):
            started = time.perf_counter()
            accepted = _deliver(app, port, deliveries)
            _wait_until_handled()
            handled = time.perf_counter() - started
        payments = db.session.scalar(sa.select(sa.func.count()).select_from(Payment))
        owed = db.session.scalar(sa.select(sa.func.sum(Invoice.balance)))
        assert payments == PAYMENTS, payments
        assert not owed, owed
        problems = verify_books()
        assert not problems, problems[:3]
    data = f"{len(deliveries):,} deliveries, {PAYMENTS:,} payments"
    rate = len(deliveries) / accepted
    return [
        Figure("webhooks accepted over HTTP", engine, data, "≥ 300 /s", f"{rate:,.0f} /s"),
        Figure("… and settled by one worker", engine, data, "exactly 1,000 payments",
               f"{payments:,} payments, {PAYMENTS / handled:.0f} /s"),
    ]  # fmt: skip


def _paid_pages() -> list[bytes]:
    """A thousand invoices, each paid on its page; the webhooks the gateway would send."""
    place = _place()
    ids = []
    for _ in range(PAYMENTS):
        invoice = _pending(place)
        db.session.flush()
        ids.append(invoice.id)
    post_invoices(ids)
    db.session.commit()
    bodies: list[bytes] = []
    for invoice_id in ids:
        balance = db.session.get_one(Invoice, invoice_id).balance
        db.session.rollback()
        url = start_checkout(CheckoutWanted(((invoice_id, balance),), "bench", "/x/"))
        bodies += gateway().press(url.rsplit("/", 1)[1], "succeed")[1]  # type: ignore[attr-defined]
    return bodies


def _deliver(app: Flask, port: int, deliveries: list[bytes]) -> float:
    """Send all from several connections; the seconds it took until the last 200."""
    sign = app.extensions["gateway"].sign
    signed = [(body, {"Test-Gateway-Signature": sign(body)}) for body in deliveries]

    def send(part: list[tuple[bytes, dict[str, str]]]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for body, headers in part:
            connection.request("POST", "/webhooks/test", body, headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, answer.status
        connection.close()

    parts = [signed[n::SENDERS] for n in range(SENDERS)]
    started = time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        for done in [pool.submit(send, part) for part in parts]:
            done.result()
    return time.perf_counter() - started


def _wait_until_handled() -> None:
    waiting = sa.select(sa.func.count()).where(GatewayEvent.state == GatewayEventState.WAITING)
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        left = db.session.scalar(waiting)
        db.session.rollback()
        if not left:
            return
        time.sleep(0.5)
    raise RuntimeError("the worker did not handle every event in ten minutes")
