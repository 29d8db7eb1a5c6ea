"""Search over customers, invoices, jobs and payments by number, name, amount or phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.customers import search_customers
from portal.db import PageRequest, db
from portal.invoices import InvoiceFilter, find_invoices
from portal.jobs import JobFilter, find_jobs
from portal.kernel.money import Money
from portal.models import Invoice, Payment, PaymentOrigin

LARGEST = 10**11


@dataclass(frozen=True)
class Hit:
    """One thing found: where it is and its words."""

    kind: str
    row_id: int
    title: str
    detail: str


def search_everything(text: str, *, on: date, limit: int = 8) -> list[Hit]:
    """The first matches of each kind; nothing for fewer than two characters."""
    wanted = text.strip()
    if len(wanted) < 2:
        return []
    page = PageRequest(size=limit)
    customers = search_customers(wanted, limit=limit)
    hits = [Hit("customer", one.id, one.name, one.one_line_address) for one in customers]
    invoices = list(find_invoices(InvoiceFilter(q=wanted), page, on=on).rows) + _by_amount(wanted)
    hits += [
        Hit("invoice", one.id, one.number, f"{one.customer.name}, {one.total}")
        for one in dict.fromkeys(invoices)
    ]
    jobs = find_jobs(JobFilter(q=wanted), page).rows
    hits += [Hit("job", one.id, one.number, f"{one.customer.name}: {one.summary}") for one in jobs]
    payments = db.session.scalars(
        sa.select(Payment)
        .where(Payment.reference == wanted, Payment.origin == PaymentOrigin.MONEY)
        .limit(limit)
        .options(joinedload(Payment.customer))
    )
    hits += [
        Hit("payment", one.id, one.reference, f"{one.customer.name}, {one.amount}")
        for one in payments
    ]
    return hits


def _by_amount(text: str) -> list[Invoice]:
    try:
        number = Decimal(text.replace("$", "").replace(",", ""))
    except InvalidOperation:
        return []
    if not number.is_finite() or abs(number) > LARGEST:  # a customer may be called Nan
        return []
    amount = Money.of(number)
    query = sa.select(Invoice).where(sa.or_(Invoice.total == amount, Invoice.balance == amount))
    return list(db.session.scalars(query.limit(8).options(joinedload(Invoice.customer))))
