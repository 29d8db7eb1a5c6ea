"""Reading the journal: entries, the activity of one account, and plain-text books."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import Page, PageRequest, db, holds, paginate, total_of
from portal.kernel.money import ZERO, Money
from portal.ledger.balances import balance_of
from portal.models import Account, AccountKind, JournalEntry, JournalLine, PaymentApplication


@dataclass(frozen=True)
class EntryFilter:
    """What the journal is narrowed to; dates are entry dates, both included."""

    q: str = ""
    dated_from: date | None = None
    dated_to: date | None = None


@dataclass(frozen=True)
class ActivityRow:
    """One line of an account with the account's balance after it: debit positive."""

    line: JournalLine
    balance: Money


@dataclass(frozen=True)
class Activity:
    """A page of an account's lines, newest first, and the balance before the oldest of them."""

    page: Page[JournalLine]
    opening: Money
    rows: list[ActivityRow]


def find_entries(wanted: EntryFilter, page: PageRequest) -> Page[JournalEntry]:
    """Entries with their lines and accounts, newest first."""
    query = sa.select(JournalEntry).options(
        selectinload(JournalEntry.lines).joinedload(JournalLine.account)
    )
    if wanted.q.strip():
        query = query.where(holds(JournalEntry.memo, wanted.q))
    query = _dated(query, JournalEntry.entry_date, wanted)
    return paginate(query, page, sorts={"date": JournalEntry.entry_date}, default="-date")


def account_activity(account: Account, wanted: EntryFilter, page: PageRequest) -> Activity:
    """The lines of one account, newest first, each with the balance after it."""
    mine = JournalLine.account_id == account.id
    query = sa.select(JournalLine).where(mine)
    shown = sa.select(JournalLine).options(joinedload(JournalLine.entry))
    query = _dated(query, JournalLine.entry_date, wanted)
    newest_first = PageRequest(page.number, page.size)
    found = paginate(query, newest_first, sorts={"date": JournalLine.entry_date},
                     default="-date", rows=shown)  # fmt: skip
    opening = _balance_before(mine, found.rows[-1]) if found.rows else ZERO
    rows, balance = [], opening
    for line in reversed(found.rows):
        balance += line.amount
        rows.append(ActivityRow(line, balance))
    return Activity(found, opening, rows[::-1])


def _balance_before(mine: sa.ColumnElement[bool], first: JournalLine) -> Money:
    """Of the days before, and of that day's earlier lines; two sums, each a range of the index."""
    same_day = sa.and_(JournalLine.entry_date == first.entry_date, JournalLine.id < first.id)
    earlier = db.session.scalar(sa.select(total_of(JournalLine.amount)).where(mine, same_day))
    return balance_of(first.account_id, first.entry_date - timedelta(days=1)) + (earlier or ZERO)


def payments_of(application_ids: set[int]) -> dict[int, int]:
    """The payment behind each application, to link an entry to the page that explains it."""
    query = sa.select(PaymentApplication.id, PaymentApplication.payment_id)
    found = db.session.execute(query.where(PaymentApplication.id.in_(application_ids)))
    return dict(found.all())


@dataclass(frozen=True)
class Journal:
    """Entries as a page shows them: by id, which one each undoes, and which one undid it."""

    entries: Sequence[JournalEntry]
    undoes: Mapping[int, int]
    undone_by: Mapping[int, int]


def journal_of(entries: Sequence[JournalEntry]) -> Journal:
    """The same entries with what reverses what among them: one statement more."""
    undoes = reversals_among(entries)
    return Journal(entries, undoes, {first: later for later, first in undoes.items()})


def reversals_among(entries: Sequence[JournalEntry]) -> dict[int, int]:
    """By entry, the one of these it undoes: a mirror image, or money taken back off an invoice."""
    applied = {one.source_id for one in entries if one.source_kind == "paymentapplication"}
    query = sa.select(PaymentApplication.id, PaymentApplication.reverses_id)
    undoes = dict(db.session.execute(query.where(PaymentApplication.id.in_(applied))).all())
    found: dict[int, int] = {}
    newest: dict[int | None, int] = {}  # by application, its entry that came last so far
    for one in entries:
        first = newest.get(undoes.get(one.source_id)) if one.source_id in applied else None
        undone = one.reverses_id or (first if one.source_kind == "paymentapplication" else None)
        if undone:
            found[one.id] = undone
        elif one.source_kind == "paymentapplication":
            newest[one.source_id] = one.id
    return found


HLEDGER_KINDS = {
    AccountKind.ASSET: "assets",
    AccountKind.LIABILITY: "liabilities",
    AccountKind.EQUITY: "equity",
    AccountKind.INCOME: "revenues",
    AccountKind.EXPENSE: "expenses",
}


def hledger_text() -> Iterator[str]:
    """The whole journal as hledger reads it, entry by entry, in order of date."""
    names = {one.id: _hledger_name(one) for one in db.session.scalars(sa.select(Account))}
    query = (
        sa.select(JournalLine, JournalEntry.memo)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .order_by(JournalLine.entry_date, JournalLine.entry_id, JournalLine.id)
        .execution_options(yield_per=1000)
    )
    current = None
    for line, memo in db.session.execute(query):
        if line.entry_id != current:
            current = line.entry_id
            yield f"\n{line.entry_date.isoformat()} ({current}) {_plain(memo)}\n"
        yield f"    {names[line.account_id]}  {line.amount.amount}\n"


def _hledger_name(account: Account) -> str:
    return f"{HLEDGER_KINDS[account.kind]}:{account.number} {_plain(account.name)}"


def _plain(words: str) -> str:
    """On one line, without what begins a comment or ends an account name."""
    return " ".join(words.replace(";", ",").split())


def _dated(query: sa.Select[Any], day: Any, wanted: EntryFilter) -> sa.Select[Any]:
    if wanted.dated_from:
        query = query.where(day >= wanted.dated_from)
    if wanted.dated_to:
        query = query.where(day <= wanted.dated_to)
    return query
