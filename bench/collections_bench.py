"""Collections on 10,000 customers who owe: the hourly turn, the worklist, one case.

DATA_DIR=/tmp/bench python bench/collections_bench.py [customers]
"""

from __future__ import annotations

import sys
from datetime import timedelta
from time import perf_counter

import sqlalchemy as sa

from portal.company import today
from portal.db import PageRequest, db, in_transaction, reading
from portal.db.migrate import upgrade_database
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
from portal.models import Customer, Invoice, InvoiceKind, InvoiceState
from portal.seed import found_company
from wsgi import make_app

AMOUNT = 10_000  # cents


def fill(count: int) -> None:
    """Customers with three overdue invoices each; straight into the tables, no journal."""
    found_company("Bench")
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
            for k in range(3)
        ],
    )  # fmt: skip


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with make_app().app_context():
        upgrade_database()
        in_transaction(lambda: fill(count))
        for turn in ("first", "second"):
            began = perf_counter()
            run_collections()
            print(f"{turn} hourly turn: {perf_counter() - began:.1f} s for {count} customers")
        if db.engine.dialect.name == "sqlite":
            in_transaction(lambda: db.session.execute(sa.text("ANALYZE")))
        sight, wanted = Sight(1, True), WorklistFilter()
        for name, look in (
            ("worklist", lambda: find_cases(wanted, PageRequest(), sight)),
            ("its sums", lambda: sum_of_cases(wanted, sight)),
            ("assigned only", lambda: find_cases(wanted, PageRequest(), Sight(1, False))),
            ("one case", lambda: get_case(1, sight)),
        ):
            measure(name, look)


def measure(name: str, look: object) -> None:
    """The middle of nine runs, each in a transaction of its own."""
    times = []
    for _ in range(9):
        with reading():
            began = perf_counter()
            look()  # type: ignore[operator]
            times.append(perf_counter() - began)
            db.session.rollback()
    print(f"{name}: {sorted(times)[4] * 1000:.1f} ms")


if __name__ == "__main__":
    main()
