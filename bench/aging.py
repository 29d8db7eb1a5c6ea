"""Aging of a million open invoices: the page, a past day, every grouping, and a run's audience."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from bench.house import Figure, house, milliseconds
from portal.company import today
from portal.db import PageRequest, db, in_transaction
from portal.kernel.money import ZERO, Money
from portal.models import Customer, Invoice, InvoiceKind, InvoiceState, Location
from portal.receivables import (
    AgingBy,
    AgingFilter,
    AgingView,
    aging,
    aging_by_month,
    grouped_aging,
    open_list,
)
from portal.schedule import refresh_statistics
from portal.statements import Audience, Rules, outlook

ENGINES = ("sqlite", "postgresql")
OPEN, CUSTOMERS, MADE = 1_000_000, 10_000, 5_000


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine):
        on = today()
        for rows in _people():
            in_transaction(lambda rows=rows: db.session.execute(sa.insert(rows[0]), rows[1]))
        for start in range(0, OPEN, MADE):
            in_transaction(lambda start=start: _invoices(start, on))
        refresh_statistics()
        _vacuum()
        db.session.remove()
        return [_figure(name, engine, act) for name, act in _questions(on).items()]


def _questions(on: date) -> dict[str, Callable[[], object]]:
    past, page = on - timedelta(days=90), PageRequest()
    view = AgingView
    return {
        "aging by customer, first page": lambda: aging(AgingFilter(), page, on=on),
        "… ninety days ago": lambda: aging(AgingFilter(), page, on=past),
        "… net of credit": lambda: grouped_aging(view(net=True), page, on=on),
        "… by business unit": lambda: grouped_aging(view(by=AgingBy.BUSINESS_UNIT), page, on=on),
        "… by location": lambda: grouped_aging(view(by=AgingBy.LOCATION), page, on=on),
        "… over twelve months": lambda: aging_by_month(on=on),
        "open invoices of one customer": lambda: open_list(view(customer_id=77), page, on=on),
        "outlook of a run of statements": lambda: outlook(Audience(), Rules(), on=on),
    }


def _figure(name: str, engine: str, act: Callable[[], object]) -> Figure:
    def ask() -> None:
        act()
        db.session.remove()

    median, worst = milliseconds(ask, times=5)
    target = "≤ 1,000 ms" if name.startswith("aging by") or "ninety" in name else "–"
    return Figure(name, engine, f"{OPEN:,} open", target, f"{median:.0f} ms (worst {worst:.0f})")


def _people() -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    yield (
        Customer,
        [
            {"id": one, "name": f"Customer {one}", "email": f"c{one}@bench.example"}
            for one in range(1, CUSTOMERS + 1)
        ],
    )
    yield (
        Location,
        [
            {"id": one, "customer_id": one, "street": f"{one} Main St"}
            for one in range(1, CUSTOMERS + 1)
        ],
    )


def _invoices(start: int, on: date) -> None:
    random = Random(start)
    rows = []
    for number in range(start, start + MADE):
        day, total = on - timedelta(days=random.randrange(400)), Money(random.randrange(1, 90_000))
        customer = number % CUSTOMERS + 1
        rows.append(
            {
                "kind": InvoiceKind.MANUAL, "state": InvoiceState.POSTED, "customer_id": customer,
                "location_id": customer, "reference_number": f"R{number}",
                "document_number": f"INV-{number}", "invoice_date": day,
                "due_date": day + timedelta(days=30) if number % 50 else None,
                "subtotal": total, "tax_total": ZERO, "total": total, "balance": total,
            }
        )  # fmt: skip
    db.session.execute(sa.insert(Invoice), rows)


def _vacuum() -> None:
    """What PostgreSQL does by itself within a minute."""
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
