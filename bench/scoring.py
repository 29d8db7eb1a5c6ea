"""The night's scoring: learn from the history and score fifty thousand open invoices."""

from __future__ import annotations

import time
from datetime import date, timedelta
from random import Random
from typing import Any

import sqlalchemy as sa

from bench.house import Figure, house
from portal.company import today
from portal.db import db, in_transaction
from portal.imports.saving import save_rows
from portal.kernel.money import ZERO, Money
from portal.models import Customer, ImportSubject, RiskMethod
from portal.risk import newest_model, score_invoices

ENGINES = ("sqlite", "postgresql")
OPEN = 50_000
DAYS = 720


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine):
        in_transaction(lambda: _fill(size))
        started, computed = time.perf_counter(), time.process_time()
        count = score_invoices()
        seconds, computed = time.perf_counter() - started, time.process_time() - computed
        model = newest_model()
        assert model is not None
        assert model.method is RiskMethod.LEARNED, model.because
        assert count >= OPEN, count
    data = f"{count:,} open, {size:,} paid"
    return [Figure("learn and score open invoices", engine, data, "≤ 20 s",
                   f"{seconds:.1f} s, {computed:.1f} s of them computing")]  # fmt: skip


def _fill(size: int) -> None:
    """A tenth as many customers, each with a habit of its own that its open ones keep to, too."""
    random, day = Random(11), today()
    people = [
        {"key": f"C{n}", "name": f"Customer {n}", "email": "", "term_id": None}
        for n in range(size // 10)
    ]
    save_rows(ImportSubject.CUSTOMERS, people, told=lambda _n: None)
    ids = list(db.session.scalars(sa.select(Customer.id)))
    rows = [_row(random, n, ids, day, paid=True) for n in range(size)]
    rows += [_row(random, size + n, ids, day, paid=False) for n in range(OPEN)]
    save_rows(ImportSubject.INVOICES, rows, told=lambda _n: None)


def _row(random: Random, number: int, ids: list[int], day: date, *, paid: bool) -> dict[str, Any]:
    who = random.randrange(len(ids))
    wait = random.randint(2, 15 + 90 * (who % 7) // 6)
    age = random.randint(wait, DAYS) if paid else random.randint(0, wait - 1)
    issued, total = day - timedelta(days=age), Money(random.randint(4_000, 250_000))
    return {
        "number": f"B-{number}", "key": f"B-{number}", "customer_id": ids[who], "date": issued,
        "due": issued + timedelta(days=14), "total": total, "tax": ZERO, "term_id": None,
        "balance": ZERO if paid else total, "summary": "",
        "paid_on": issued + timedelta(days=wait) if paid else None,
    }  # fmt: skip
