"""Financings in the books: what leaves one customer arrives at another, nothing stays between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sqlalchemy as sa

from portal.db import NO_MONEY, db
from portal.ledger.accounts import account_id_for
from portal.models import (
    ON_THE_BOOKS,
    AccountRole,
    Invoice,
    InvoiceKind,
    JournalEntry,
    JournalLine,
)

# Both halves of a pair are known by the id of the half that leaves.
PAIR = sa.func.coalesce(Invoice.transfers_id, Invoice.id)
IS_HALF = Invoice.kind == InvoiceKind.FINANCING


def broken_financings() -> Iterator[str]:
    """Pairs on the books that do not add up to zero, in totals or on Finance Clearing."""
    final = sa.and_(IS_HALF, Invoice.state.in_(ON_THE_BOOKS))
    moved = sa.func.sum(Invoice.total)
    query = sa.select(PAIR.label("pair"), moved).where(final).group_by(PAIR)
    for pair, off in db.session.execute(query.having(moved != NO_MONEY)):
        yield f"The financing that begins with invoice {pair} is off by {off}."
    yield from _clearing()


@cache
def _clearing_query(account_id: int) -> sa.Executable:
    left = sa.func.sum(JournalLine.amount)
    query = (
        sa.select(PAIR.label("pair"), left)
        .select_from(JournalLine)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .outerjoin(
            Invoice,
            sa.and_(
                JournalEntry.source_kind == "invoice",
                JournalEntry.source_id == Invoice.id,
                IS_HALF,
            ),
        )
        .where(JournalLine.account_id == account_id)
        .group_by(PAIR)
    )
    return query.having(left != NO_MONEY)


def _clearing() -> Iterator[str]:
    for pair, off in db.session.execute(
        _clearing_query(account_id_for(AccountRole.FINANCE_CLEARING))
    ):
        whose = f"the financing that begins with invoice {pair}" if pair else "no financing"
        yield f"Finance Clearing keeps {off} of {whose}."
