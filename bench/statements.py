"""A run of statements by two real workers, and a statement of five thousand lines."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask

from bench.house import Figure, house
from bench.servers import environment, start_worker, stopping
from portal.company import today
from portal.customers import ContactWords, CustomerWords, add_contact, add_customer
from portal.db import db, in_transaction
from portal.invoices import LineWords, ManualInvoice, post_invoices, start_manual_invoice
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import (
    Customer,
    Statement,
    StatementKind,
    StatementRun,
    StatementRunState,
    StatementShare,
)
from portal.settings import ROOT
from portal.statements import RunOrder, StatementWanted, start_run

ENGINES = ("sqlite", "postgresql")
CUSTOMERS, INVOICES, LONG, PATIENCE = 600, 3, 5_000, 600
LONG_ONE = """
import resource, sys, time
from datetime import date
from wsgi import make_app
from portal.customers import get_customer
from portal.db import reading
from portal.models import StatementKind
from portal.statements import StatementWanted, account_of, statement_pdf
app = make_app()
with app.app_context(), reading():
    begun = time.process_time()
    wanted = StatementWanted(StatementKind.OPEN_ITEM, date.fromisoformat(sys.argv[2]))
    pdf = statement_pdf(account_of(get_customer(int(sys.argv[1])), wanted))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(len(pdf) // 1024, peak, round(time.process_time() - begun))
"""


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine) as app:
        ids = [_owing(number, INVOICES) for number in range(CUSTOMERS)]
        rate, cpu = _run(app, ids)
        assert _made() == CUSTOMERS
        db.session.remove()
        weight, peak, spent = _long(app)
    return [
        Figure("run of statements with PDF", engine, f"{CUSTOMERS} customers, 2 workers",
               "≥ 30 /s", f"{rate:.0f} /s ({cpu * 1000:.0f} ms CPU each)"),
        Figure("one statement of 5,000 lines", engine, f"{weight} kB", "bounded memory",
               f"{peak} MB at most, {spent} s CPU"),
    ]  # fmt: skip


def _owing(number: int, invoices: int) -> int:
    words = CustomerWords(name=f"Customer {number}", email=f"c{number}@bench.example")
    customer = add_customer(words)
    add_contact(customer, ContactWords(name=words.name, email=words.email))
    db.session.flush()
    ids = [_invoice(customer, place).id for place in range(invoices)]
    post_invoices(ids)
    db.session.commit()
    return customer.id


def _invoice(customer: Customer, place: int) -> object:
    day = today() - timedelta(days=place % 300)
    lines = [LineWords(description="Labor", quantity=Quantity.of(1), unit_price=UnitPrice.of(99))]
    invoice = start_manual_invoice(ManualInvoice(customer=customer, invoice_date=day), lines)
    db.session.flush()
    return invoice


def _run(app: Flask, ids: list[int]) -> tuple[float, float]:
    """Statements per second while two workers are at it, and CPU seconds for each statement."""
    order = RunOrder(StatementWanted(StatementKind.OPEN_ITEM, today()))
    run_id = in_transaction(lambda: start_run(ids, order, today=today())).id
    env = environment(app)
    first = start_worker(env)
    with stopping(first):
        _until(lambda: _made() > 0)  # it has one share, and leaves the other to the next worker
        with stopping(second := start_worker(env)):
            alone = _made()
            _until(lambda: _made() > alone and _shares_held() == 2)
            made, cpu, started = _made(), _cpu(first) + _cpu(second), time.perf_counter()
            _until(lambda: _shares_held() < 2)
            seconds, after = time.perf_counter() - started, _made()
            spent = _cpu(first) + _cpu(second) - cpu
            _until(lambda: _state(run_id) is StatementRunState.DONE)
    return (after - made) / seconds, spent / (after - made)


def _until(met: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + PATIENCE
    while not met():
        assert time.perf_counter() < deadline
        time.sleep(0.05)


def _asked(query: sa.Select[Any]) -> Any:
    answer = db.session.scalar(query)
    db.session.rollback()
    return answer


def _made() -> int:
    return int(_asked(sa.select(sa.func.count()).select_from(Statement)))


def _shares_held() -> int:
    held = sa.and_(
        StatementShare.state == StatementRunState.WAITING, StatementShare.claimed_until.is_not(None)
    )
    return int(_asked(sa.select(sa.func.count()).select_from(StatementShare).where(held)))


def _state(run_id: int) -> StatementRunState:
    state: StatementRunState = _asked(
        sa.select(StatementRun.state).where(StatementRun.id == run_id)
    )
    return state


def _cpu(process: subprocess.Popen[bytes]) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def _long(app: Flask) -> tuple[int, int, int]:
    """Kilobytes, megabytes of memory at most and CPU seconds of one long statement."""
    customer = in_transaction(lambda: _owing(CUSTOMERS, LONG))
    command = [sys.executable, "-c", LONG_ONE, str(customer), today().isoformat()]
    env = {**environment(app), "PYTHONPATH": str(ROOT)}
    said = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, check=True, text=True)
    weight, peak, spent = said.stdout.split()[-3:]
    return int(weight), int(peak), int(spent)
