"""Undoing what posting wrote into the journal, on the very days it was written for."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import aliased, selectinload

from portal.db import db
from portal.ledger import Entry, Leg, post_entries
from portal.models import Invoice, JournalEntry, PaymentApplication


def reverse_postings(invoices: Sequence[Invoice]) -> None:
    """Mirror the standing entries of these invoices and of the money applied to them.

    Each is dated as the original, so that no report of any day counts them. What was applied
    is a deposit again. Raises PeriodClosed.
    """
    ids = [one.id for one in invoices]
    applied = db.session.scalars(
        sa.select(PaymentApplication.id).where(PaymentApplication.invoice_id.in_(ids))
    ).all()
    standing = [*_standing("invoice", ids), *_standing("paymentapplication", applied)]
    post_entries([_mirror(entry) for entry in standing])


def _standing(kind: str, ids: Sequence[int]) -> list[JournalEntry]:
    """Entries of these rows that reverse nothing and were not reversed."""
    undone = aliased(JournalEntry)
    query = (
        sa.select(JournalEntry)
        .outerjoin(undone, undone.reverses_id == JournalEntry.id)
        .where(
            JournalEntry.source_kind == kind,
            JournalEntry.source_id.in_(ids),
            JournalEntry.reverses_id.is_(None),
            undone.id.is_(None),
        )
        .order_by(JournalEntry.id)
        .options(selectinload(JournalEntry.lines))
    )
    return list(db.session.scalars(query))


def _mirror(entry: JournalEntry) -> Entry:
    legs = [
        Leg(line.account_id, -line.amount, line.customer_id, line.invoice_id)
        for line in entry.lines
    ]
    source = (entry.source_kind, entry.source_id)
    return Entry(entry.entry_date, f"Unposted: {entry.memo}", source, legs, reverses_id=entry.id)
