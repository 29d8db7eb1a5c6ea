"""Two payers on one invoice at the same moment, two hundred times, on PostgreSQL."""

from __future__ import annotations

import threading
import time

import sqlalchemy as sa
from flask import Flask

from bench.house import Figure, house
from bench.money import _pending, _place
from portal.db import db, in_transaction
from portal.invoices import get_invoice, post_invoice
from portal.kernel.money import Money
from portal.ledger import verify_books
from portal.models import Payment, PaymentApplication
from portal.payments import ReceivedMoney, payment_types, receive_payment

ENGINES = ("postgresql",)
REPEATS = 200


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine) as app:
        place = _place()
        started, owed = time.perf_counter(), 0
        for _ in range(REPEATS):
            invoice = _pending(place)
            post_invoice(invoice)
            db.session.commit()
            invoice_id, balance = invoice.id, invoice.balance
            db.session.rollback()
            _two_at_once(app, invoice_id, balance)
            applied = db.session.scalar(
                sa.select(sa.func.sum(PaymentApplication.amount)).where(
                    PaymentApplication.invoice_id == invoice_id
                )
            )
            assert applied == balance, (applied, balance)
            owed += balance.cents
            db.session.rollback()
        seconds = time.perf_counter() - started
        received = db.session.scalar(sa.select(sa.func.sum(Payment.amount))) or Money(0)
        unapplied = db.session.scalar(sa.select(sa.func.sum(Payment.unapplied))) or Money(0)
        assert (received.cents, unapplied.cents) == (2 * owed, owed), (received, unapplied)
        problems = verify_books()
        assert not problems, problems[:3]
    return [
        Figure("two payers on one invoice", engine, f"{REPEATS} repeats", "never over-applied",
               f"0 over-applied, every cent recorded ({REPEATS / seconds:.0f} /s)")
    ]  # fmt: skip


def _two_at_once(app: Flask, invoice_id: int, amount: Money) -> None:
    together, failures = threading.Barrier(2), list[BaseException]()

    def pay(name: str) -> None:
        try:
            with app.app_context():
                together.wait(10)
                in_transaction(lambda: _receive(invoice_id, amount, name))
                db.session.remove()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=pay, args=(name,)) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures


def _receive(invoice_id: int, amount: Money, name: str) -> None:
    invoice = get_invoice(invoice_id)
    assert invoice.invoice_date is not None
    money = ReceivedMoney(
        customer=invoice.customer, amount=amount, type=payment_types()[0],
        on=invoice.invoice_date, provider="bench", provider_ref=f"{name}-{invoice_id}",
    )  # fmt: skip
    receive_payment(money, [(invoice, amount)])
