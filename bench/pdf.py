"""One-page invoices as PDF: warm in one process, and a thousand shared by two processes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from flask import Flask

from bench.house import Figure, house, milliseconds
from bench.money import _pending, _place
from bench.servers import environment
from portal.db import db
from portal.invoices import invoice_pdf, post_invoices
from portal.settings import ROOT

ENGINES = ("sqlite", "postgresql")
MANY, PROCESSES = 1_000, 2
PRINT = """
import sys
from wsgi import make_app
from portal.invoices import invoice_pdf
from portal.db import db, reading
app = make_app()
with app.app_context(), reading():
    for number in range(int(sys.argv[1]), int(sys.argv[2])):
        assert invoice_pdf(number).startswith(b"%PDF")
        db.session.remove()
"""


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine) as app:
        place = _place()
        invoices = [_pending(place, 5) for _ in range(MANY)]
        db.session.flush()
        ids = [invoice.id for invoice in invoices]
        post_invoices(ids)
        db.session.commit()
        median, worst = milliseconds(lambda: invoice_pdf(ids[0]), times=25)
        weight = len(invoice_pdf(ids[0])) // 1024
        db.session.commit()
        seconds = _print_all(app, ids)
    return [
        Figure("one-page invoice PDF, warm", engine, f"5 lines, {weight} kB", "≤ 50 ms",
               f"{median:.0f} ms (p95 {worst:.0f})"),
        Figure("1,000 invoices into PDFs", engine, f"{PROCESSES} processes", "≥ 35 /s",
               f"{MANY / seconds:.0f} /s"),
    ]  # fmt: skip


def _print_all(app: Flask, ids: list[int]) -> float:
    """Two fresh processes print half of the invoices each; seconds including their start."""
    env, share = environment(app), MANY // PROCESSES
    first = min(ids)
    started = time.perf_counter()
    printing = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT, str(first + n * share), str(first + (n + 1) * share)],
            cwd=ROOT,
            env={**env, "PYTHONPATH": os.fspath(ROOT)},
        )
        for n in range(PROCESSES)
    ]
    codes = [process.wait() for process in printing]
    assert codes == [0] * PROCESSES, codes
    return time.perf_counter() - started
