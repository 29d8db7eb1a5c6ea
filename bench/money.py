"""Create, post and pay one by one; post a batch of ten thousand."""

from __future__ import annotations

import time
from datetime import date

from bench.house import Figure, house
from portal.customers import CustomerWords, LocationWords, add_customer, add_location
from portal.db import db
from portal.invoices import (
    LineWords,
    ManualInvoice,
    post_invoice,
    post_invoices,
    start_manual_invoice,
)
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.ledger import verify_books
from portal.models import Invoice, Location, TaxBase
from portal.payments import ReceivedMoney, payment_types, receive_payment
from portal.taxes import RateWords, add_zone

ENGINES = ("sqlite", "postgresql")
WARM_UP, ONE_BY_ONE, BATCH = 25, 150, 10_000  # a process that serves is warm


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine):
        place = _place()
        for _ in range(WARM_UP):
            _create_post_pay(place)
        started = time.perf_counter()
        for _ in range(ONE_BY_ONE):
            _create_post_pay(place)
        each = ONE_BY_ONE / (time.perf_counter() - started)
        ids = _many_pending(place.id)
        started = time.perf_counter()
        outcome = post_invoices(ids)
        db.session.commit()
        batch = BATCH / (time.perf_counter() - started)
        assert len(outcome.done) == BATCH
        assert verify_books() == []
    return [
        Figure(
            "create + post + pay, three commits",
            engine,
            f"{ONE_BY_ONE} × 5 lines",
            "≥ 60 /s",
            f"{each:.0f} /s",
        ),
        Figure(
            "post an existing batch", engine, f"{BATCH} × 1 line", "≥ 1,000 /s", f"{batch:,.0f} /s"
        ),
    ]


def _place() -> Location:
    rate = RateWords("State", TaxBase.SUBTOTAL, Rate.percent("6.5"), date(2020, 1, 1))
    zone = add_zone(name="Zone", rates=[rate])
    db.session.flush()
    customer = add_customer(CustomerWords(name="Ada"))
    place = add_location(customer, LocationWords(street="1 Main St", tax_zone_id=zone.id))
    db.session.commit()
    return place


def _pending(place: Location, lines: int = 1) -> Invoice:
    return start_manual_invoice(
        ManualInvoice(customer=place.customer, location=place),
        [
            LineWords(
                description=f"Line {n}",
                quantity=Quantity.of("1.5"),
                unit_price=UnitPrice.of("135"),
            )
            for n in range(lines)
        ],
    )


def _many_pending(place_id: int) -> list[int]:
    """Ids of so many drafts, a hundred to a transaction: one for all of them would hold ten
    thousand invoices in memory and as many versions of the counter's row on PostgreSQL."""
    ids = []
    for _ in range(BATCH // 100):
        place = db.session.get_one(Location, place_id)
        ids += [_pending(place).id for _ in range(100)]
        db.session.commit()
        db.session.expunge_all()
    return ids


def _create_post_pay(place: Location) -> None:
    invoice = _pending(place, 5)
    db.session.commit()
    post_invoice(invoice)
    db.session.commit()
    assert invoice.invoice_date is not None
    money = ReceivedMoney(
        customer=invoice.customer,
        amount=invoice.balance,
        type=payment_types()[0],
        on=invoice.invoice_date,
    )
    receive_payment(money, [(invoice, invoice.balance)])
    db.session.commit()
