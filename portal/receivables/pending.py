"""Invoices a customer already has in hand that are not yet final: listed apart from aging."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.db import NO_MONEY, db, total_of
from portal.kernel.money import ZERO, Money
from portal.models import IS_PENDING, Invoice, ReviewState, SentState

_IN_HAND = (
    IS_PENDING,
    Invoice.review_state.in_(list(ReviewState)),  # all: its index is small and covers the rest
    Invoice.sent_state != SentState.NOT_SENT,
    Invoice.balance > NO_MONEY,
)


def pending_total() -> tuple[int, Money]:
    """How many sent invoices still wait for posting, and what is open on them today."""
    query = sa.select(sa.func.count(), total_of(Invoice.balance)).where(*_IN_HAND)
    count, amount = db.session.execute(query).one()
    return count, amount or ZERO


def pending_items(customer_id: int, *, on: date) -> list[Invoice]:
    """A customer's sent but not posted invoices dated up to that day, oldest first."""
    query = (
        sa.select(Invoice)
        .where(*_IN_HAND, Invoice.customer_id == customer_id, Invoice.invoice_date <= on)
        .order_by(Invoice.invoice_date, Invoice.id)
    )
    return list(db.session.scalars(query))
