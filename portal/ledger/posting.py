"""The only writer of the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.db import Base, db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.ledger.accounts import account_id_for
from portal.ledger.periods import require_open_period
from portal.models import (
    AccountRole,
    Invoice,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentApplication,
)

ENTRIES = cast(sa.Table, JournalEntry.__table__)
LINES = cast(sa.Table, JournalLine.__table__)
# Built once: everything that changes what is owed runs them.
_ADD_ENTRIES = ENTRIES.insert().returning(ENTRIES.c.id, sort_by_parameter_order=True)
_ADD_LINES = LINES.insert()


class UnbalancedEntry(DomainError):
    """Debits and credits differ; a defect in the caller, so nothing is written."""


@dataclass(frozen=True)
class Leg:
    """One side of an entry: debit positive, credit negative.

    `account` is a role, or the id of an account. Control-account legs name the customer, and
    the invoice where there is one, whose subledger they belong to.
    """

    account: AccountRole | int
    amount: Money
    customer_id: int | None = None
    invoice_id: int | None = None

    @property
    def account_id(self) -> int:
        return (
            account_id_for(self.account) if isinstance(self.account, AccountRole) else self.account
        )


@dataclass(frozen=True)
class Entry:
    """A balanced entry about to be written; `source` is (kind, id) of the row behind it."""

    on: date
    memo: str
    source: tuple[str, int]
    legs: Sequence[Leg]
    reverses_id: int | None = None


def post_entry(*, on: date, memo: str, source: tuple[str, int], legs: Sequence[Leg]) -> int:
    """Write one balanced entry dated `on` and return its id.

    Raises PeriodClosed, or UnbalancedEntry when the legs do not add up to zero.
    """
    return post_entries([Entry(on, memo, source, legs)])[0]


def post_entries(entries: Sequence[Entry]) -> list[int]:
    """Write many balanced entries with two statements in all; ids in the same order."""
    for month in {entry.on.replace(day=1) for entry in entries}:
        require_open_period(month)
    for entry in entries:
        if Money.total(leg.amount for leg in entry.legs) != ZERO:
            raise UnbalancedEntry(f"{entry.memo} does not balance.")
    if not entries:
        return []
    at = clock.now()
    ids = db.session.scalars(
        _ADD_ENTRIES,
        [
            {
                "entry_date": entry.on,
                "memo": entry.memo,
                "source_kind": entry.source[0],
                "source_id": entry.source[1],
                "reverses_id": entry.reverses_id,
                "created_at": at,
            }
            for entry in entries
        ],
    ).all()
    lines = [
        {
            "entry_id": entry_id,
            "account_id": leg.account_id,
            "entry_date": entry.on,
            "amount": leg.amount,
            "customer_id": leg.customer_id,
            "invoice_id": leg.invoice_id,
            "created_at": at,
        }
        for entry_id, entry in zip(ids, entries, strict=True)
        for leg in entry.legs
        if leg.amount
    ]
    if lines:
        db.session.execute(_ADD_LINES, lines)
    return list(ids)


def reverse_entry(entry: JournalEntry, *, on: date, memo: str) -> int:
    """Undo an entry by its mirror image; a second reversal is refused by the database."""
    legs = [
        Leg(line.account_id, -line.amount, line.customer_id, line.invoice_id)
        for line in entry.lines
    ]
    source = (entry.source_kind, entry.source_id)
    return post_entries([Entry(on, memo, source, legs, reverses_id=entry.id)])[0]


def entries_about(row: Base) -> list[JournalEntry]:
    """All entries an invoice or a payment caused, and those of money applied: oldest first."""
    kind, source = JournalEntry.source_kind, JournalEntry.source_id
    wanted = sa.or_(
        sa.and_(kind == type(row).__name__.lower(), source == row.id),
        sa.and_(kind == "paymentapplication", source.in_(_applications_of(row))),
    )
    return _read(wanted)


def _applications_of(row: Base) -> list[int]:
    """Read on their own, each by an index: within the query above both engines scan the table."""
    ids = sa.select(PaymentApplication.id)
    if not isinstance(row, Invoice):
        return list(db.session.scalars(ids.where(PaymentApplication.payment_id == row.id)))
    of_credit = ids.join(Payment, Payment.id == PaymentApplication.payment_id)
    both = sa.union(
        ids.where(PaymentApplication.invoice_id == row.id),
        of_credit.where(Payment.document_id == row.id),
    )
    return list(db.session.scalars(both))


def entries_of(row: Base) -> list[JournalEntry]:
    """All entries a row caused, oldest first, with their lines and accounts."""
    kind = JournalEntry.source_kind == type(row).__name__.lower()
    return _read(sa.and_(kind, JournalEntry.source_id == row.id))


def _read(wanted: sa.ColumnElement[bool]) -> list[JournalEntry]:
    query = (
        sa.select(JournalEntry)
        .where(wanted)
        .order_by(JournalEntry.id)
        .options(selectinload(JournalEntry.lines).joinedload(JournalLine.account))
    )
    return list(db.session.scalars(query))
