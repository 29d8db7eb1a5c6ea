"""One-page invoices as PDF, warm, in one process."""

from __future__ import annotations

from bench.house import Figure, house, milliseconds
from bench.money import _pending, _place
from portal.db import db
from portal.invoices import invoice_pdf, post_invoice

ENGINES = ("sqlite",)


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine):
        invoice = _pending(_place(), 5)
        post_invoice(invoice)
        db.session.commit()
        median, worst = milliseconds(lambda: invoice_pdf(invoice.id), times=25)
        weight = len(invoice_pdf(invoice.id)) // 1024
        db.session.rollback()
    return [
        Figure("one-page invoice PDF, warm", engine, f"5 lines, {weight} kB", "≤ 50 ms",
               f"{median:.0f} ms (p95 {worst:.0f})")
    ]  # fmt: skip
