"""How much of which invoices a customer contests.

A question about rows, asked by interest and reminders, which lie in rooms that may not ask
collections.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from portal.db import as_money, db
from portal.kernel.money import Money
from portal.models import IN_DISPUTE, Invoice, InvoiceDispute

CHUNK = 1_000  # ids per statement


def disputed_amounts(invoice_ids: Collection[int]) -> dict[int, Money]:
    """By invoice, what is contested of its balance; who has none is left out.

    Never more than the balance: what was paid meanwhile is not contested any more. One
    statement per thousand.
    """
    wanted, found = sorted(set(invoice_ids)), {}
    for start in range(0, len(wanted), CHUNK):
        query = (
            sa.select(Invoice.id, Invoice.balance, as_money(sa.func.sum(InvoiceDispute.amount)))
            .join(InvoiceDispute, InvoiceDispute.invoice_id == Invoice.id)
            .where(IN_DISPUTE, Invoice.id.in_(wanted[start : start + CHUNK]))
            .group_by(Invoice.id, Invoice.balance)
        )
        for invoice_id, balance, amount in db.session.execute(query):
            if part := min(amount, balance):
                found[invoice_id] = part
    return found
