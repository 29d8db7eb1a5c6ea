"""Server time of the busiest pages on a hundred thousand invoices of ten thousand customers."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from bench.house import Figure, house, milliseconds, statements
from portal.access import PersonWords, add_person, roles, sign_in_payer, sign_in_user
from portal.batches import start_batch
from portal.company import today
from portal.db import db, in_transaction
from portal.imports.saving import save_rows
from portal.kernel.calendar import add_months, month_start
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import account_id_for, close_through, verify_books
from portal.models import (
    AccountingPeriod,
    AccountRole,
    Batch,
    Customer,
    ImportSubject,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    PeriodState,
    ReviewState,
)
from portal.schedule import refresh_statistics

ENGINES = ("sqlite", "postgresql")
DRAFTS = 10  # one of so many is a draft, and as many more wait in one batch
PAGES = {
    "staff invoice list": "/staff/invoices",
    "… filtered by state and overdue": "/staff/invoices?state=posted&due=overdue",
    "… searched by name": "/staff/invoices?q=customer+77",
    "… page 500": "/staff/invoices?page=500",
    **{
        f"… of {axis}": f"/staff/invoices?{axis}"
        for axis in (
            "state=pending",
            "state=posted",
            "review=reviewed",
            "sent=not_sent",
            "paid=paid",
            "paid=partly_paid",
            "due=not_yet_due",
            "sync=not_applicable",
            "batch=batched",
            "period=open",
            "sort=-total",
        )
    },
    "… of closed months, unbatched": "/staff/invoices?period=closed&batch=unbatched",
    "staff invoice": "/staff/invoices/{invoice}",
    "review queue": "/staff/review",
    "… page 100": "/staff/review?page=100",
    "… narrowed to a warning": "/staff/review?warning=no_summary&assignee=nobody",
    "review queue searched by name": "/staff/review?q=customer+77",
    "… next in queue on a record": "/staff/invoices/{invoice}?queue=1",
    "review, aging": "/staff/review/aging",
    "review, paid": "/staff/review/paid",
    "batches": "/staff/batches",
    "batch": "/staff/batches/{batch}",
    "… its page 150": "/staff/batches/{batch}?page=150",
    "ready for a batch": "/staff/batches/unbatched",
    "receivables": "/staff/receivables",
    "receivables three months ago": "/staff/receivables?on={past}",
    "staff home": "/staff/",
    "customers": "/staff/customers?q=customer+12",
    "payments": "/staff/payments",
    "journal": "/staff/ledger",
    "activity of Accounts Receivable": "/staff/ledger/accounts/{receivable}",
    "trial balance": "/staff/ledger/trial-balance",
    "control accounts": "/staff/ledger/trial-balance/ties",
    "customer home": "/my/",
}
BOOKS = ("receivables", "activity of Accounts Receivable", "trial balance", "control accounts")
CLOSED = {f"{name}, months closed": PAGES[name] for name in BOOKS}


def measure(engine: str, *, size: int) -> list[Figure]:
    with house(engine) as app:
        in_transaction(lambda: _fill(size))
        refresh_statistics()  # what the worker does each hour
        _vacuum()  # what PostgreSQL does by itself within a minute
        problems = verify_books()
        assert not problems, problems[:3]
        browser = app.test_client()
        staff, payer = in_transaction(_sign_in)
        browser.set_cookie("fieldledger_staff", staff)
        browser.set_cookie("fieldledger_customer", payer)
        drafts = Invoice.batch_id.is_(None)
        invoice = db.session.scalar(sa.select(sa.func.max(Invoice.id)).where(drafts))
        batch = db.session.scalar(sa.select(sa.func.max(Batch.id)))
        past = (today() - timedelta(days=90)).isoformat()
        receivable = account_id_for(AccountRole.RECEIVABLE)
        db.session.remove()
        words = {"invoice": invoice, "batch": batch, "past": past, "receivable": receivable}
        figures = _visits(app, browser, PAGES, words, engine, size)
        in_transaction(_closed_months)
        return figures + _visits(app, browser, CLOSED, words, engine, size)


def _visits(app: Flask, browser: FlaskClient, pages: dict[str, str], words: dict[str, object],
            engine: str, size: int) -> list[Figure]:  # fmt: skip
    figures = []
    for name, address in pages.items():
        path = address.format(**words)
        with app.app_context(), statements() as sent:
            assert browser.get(path).status_code == 200, path

        def visit(path: str = path) -> None:
            with app.app_context():
                browser.get(path)

        median, worst = milliseconds(visit)
        figures.append(
            Figure(name, engine, f"{size:,} invoices", "≤ 50 ms",
                   f"{median:.0f} ms (p95 {worst:.0f}), {len(sent)} statements")
        )  # fmt: skip
    return figures


def _closed_months() -> None:
    """What a company has behind it: all months but this one and the last are closed."""
    close_through(add_months(today(), -2))


def _vacuum() -> None:
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM (ANALYZE)"))


def _sign_in() -> tuple[str, str]:
    role = next(one for one in roles() if one.name == "Administrator")
    user = add_person(PersonWords("Olive", "olive@example.org", role))
    db.session.flush()
    return (
        sign_in_user(user, ip="", agent=""),
        sign_in_payer("customer7@example.org", ip="", agent=""),
    )


def _fill(size: int) -> None:
    random, day = Random(7), today()
    people = [
        {"key": f"C{n}", "name": f"Customer {n}", "email": f"customer{n}@example.org",
         "term_id": None}
        for n in range(size // 10)
    ]  # fmt: skip
    save_rows(ImportSubject.CUSTOMERS, people, told=lambda _n: None)
    ids = list(db.session.scalars(sa.select(Customer.id)))
    drafts = size // DRAFTS
    rows = [_invoice(random, n, random.choice(ids), day) for n in range(size - 2 * drafts)]
    save_rows(ImportSubject.INVOICES, rows, told=lambda _n: None)
    batch = start_batch("Bench")
    db.session.flush()
    _draft(random, [random.choice(ids) for _ in range(drafts)], day)
    _draft(random, [random.choice(ids) for _ in range(drafts)], day, batch_id=batch.id)
    closed = AccountingPeriod(starts_on=month_start(day - timedelta(days=400)))
    closed.state = PeriodState.CLOSED
    db.session.add(closed)


def _draft(random: Random, customers: list[int], day: date, batch_id: int | None = None) -> None:
    """Drafts of the last weeks with two lines each, most still to be reviewed; or of a batch."""
    states = [ReviewState.NEEDS_REVIEW] * 6 + [ReviewState.ON_HOLD, ReviewState.REVIEWED]
    if batch_id:
        states = [ReviewState.REVIEWED]
    invoices: list[dict[str, object]] = []
    for number, customer_id in enumerate(customers):
        total = Money(random.randint(5_000, 200_000))
        invoices.append({
            "kind": InvoiceKind.MANUAL, "customer_id": customer_id, "version": 1,
            "reference_number": f"{'B' if batch_id else 'D'}-{number}", "batch_id": batch_id,
            "invoice_date": day - timedelta(days=number % 30), "due_date": day,
            "summary": "Work done" if number % 3 else "",
            "review_state": random.choice(states), "review_note": "Parts",
            "subtotal": total, "total": total, "balance": total,
        })  # fmt: skip
    db.session.execute(sa.insert(Invoice), invoices)
    drafted = db.session.execute(
        sa.select(Invoice.id, Invoice.total).where(
            Invoice.state == InvoiceState.PENDING, Invoice.batch_id.is_not_distinct_from(batch_id)
        )
    )
    lines = [
        {"invoice_id": one.id, "position": place, "description": "Work", "quantity": Quantity.of(1),
         "unit_price": UnitPrice.of(part.amount), "total": part}
        for one in drafted
        for place, part in enumerate(one.total.split([1, 1]))
    ]  # fmt: skip
    db.session.execute(sa.insert(InvoiceLine), lines)


def _invoice(random: Random, number: int, customer_id: int, day: date) -> dict[str, object]:
    issued = day - timedelta(days=random.randint(0, 700))
    total = Money(random.randint(5_000, 200_000))
    is_open = random.random() < 0.1
    return {
        "key": f"A-{number}", "number": f"A-{number}", "customer_id": customer_id,
        "date": issued, "due": issued + timedelta(days=30), "total": total,
        "tax": Money(total.cents * 6 // 100), "balance": total if is_open else ZERO,
        "paid_on": min(issued + timedelta(days=random.randint(0, 60)), day),
        "summary": "Work done", "term_id": None,
    }  # fmt: skip
