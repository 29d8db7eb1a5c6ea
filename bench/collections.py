"""Collections on 10,000 customers who owe: the hourly turn, the worklist, one case."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa

from bench.house import Figure, house, milliseconds
from portal.company import today
from portal.db import PageRequest, db, in_transaction
from portal.dunning import (
    Sight,
    WorklistFilter,
    find_cases,
    get_case,
    run_collections,
    sum_of_cases,
)
from portal.kernel import clock
from portal.kernel.money import Money
from portal.models import Customer, DunningCase, Invoice, InvoiceKind, InvoiceState
from portal.schedule import refresh_statistics

ENGINES = ("sqlite", "postgresql")
CUSTOMERS, EACH = 10_000, 3
AMOUNT = 10_000  # cents


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine):
        in_transaction(lambda: _fill(CUSTOMERS))
        turns = [_turn(engine, which) for which in ("first", "second")]
        refresh_statistics()
        db.session.remove()
        return [*turns, *(_look(name, engine, act) for name, act in _looks().items())]


def _turn(engine: str, which: str) -> Figure:
    began = time.perf_counter()
    run_collections()
    db.session.remove()
    seconds = time.perf_counter() - began
    return Figure(f"{which} hourly turn", engine, f"{CUSTOMERS:,} owing", "–", f"{seconds:.0f} s")


def _looks() -> dict[str, Callable[[], object]]:
    every, mine, wanted = Sight(1, True), Sight(1, False), WorklistFilter()
    case_id = db.session.scalars(sa.select(DunningCase.id).limit(1)).one()
    return {
        "worklist, first page": lambda: find_cases(wanted, PageRequest(), every),
        "… its sums": lambda: sum_of_cases(wanted, every),
        "… assigned only": lambda: find_cases(wanted, PageRequest(), mine),
        "one case": lambda: get_case(case_id, every),
    }


def _look(name: str, engine: str, act: Callable[[], object]) -> Figure:
    def ask() -> None:
        act()
        db.session.remove()

    median, worst = milliseconds(ask, times=9)
    said = f"{median:.0f} ms (worst {worst:.0f})"
    return Figure(name, engine, f"{CUSTOMERS:,} cases", "≤ 50 ms", said)


def _fill(count: int) -> None:
    """Customers with three overdue invoices each; straight into the tables, no journal."""
    now, on = clock.now(), today()
    words = {"delivery": "email", "language": "en", "country": "US", "region": "IL"}
    db.session.execute(
        sa.insert(Customer),
        [
            {"name": f"Customer {n}", "email": f"c{n}@example.org", "created_at": now, **words}
            for n in range(count)
        ],
    )
    ids = db.session.scalars(sa.select(Customer.id)).all()
    db.session.execute(
        sa.insert(Invoice),
        [
            {
                "kind": InvoiceKind.MANUAL, "customer_id": one, "state": InvoiceState.POSTED,
                "reference_number": f"R{one}-{k}", "document_number": f"D{one}-{k}",
                "invoice_date": on - timedelta(days=30 * k + one % 30 + 1),
                "due_date": on - timedelta(days=30 * k + one % 30),
                "subtotal": Money(AMOUNT + one), "total": Money(AMOUNT + one),
                "balance": Money(AMOUNT + one), "created_at": now,
            }
            for one in ids
            for k in range(EACH)
        ],
    )  # fmt: skip
