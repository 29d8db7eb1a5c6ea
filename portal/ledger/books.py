"""Do the books hold? The invariants, and the first rows that break one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from portal.db import NO_MONEY, db
from portal.ledger.accounts import account_id_for
from portal.ledger.balances import wrong_closing_balances
from portal.ledger.book_queries import (
    control_query,
    credits_of_documents_query,
    invoice_balances_query,
    invoice_totals_query,
    last_application_dates_query,
    line_dates_query,
    per_invoice,
    unbalanced_entries_query,
)
from portal.ledger.financing_books import broken_financings
from portal.ledger.money_back_checks import MONEY_BACK_CHECKS
from portal.ledger.payment_checks import PAYMENT_CHECKS
from portal.ledger.verifying import DOCUMENT_CHECKS, rows_of
from portal.models import (
    ON_THE_BOOKS,
    AccountRole,
    Invoice,
)

NAMED = 20  # broken rows named per invariant; the rest is counted


@dataclass(frozen=True)
class Broken:
    """An invariant that does not hold: its first broken rows in words, and how many there are."""

    first: list[str]
    count: int

    @property
    def sentences(self) -> list[str]:
        more = self.count - len(self.first)
        return [*self.first, f"… and {more:,} more like this."] if more else self.first


def verify_books() -> list[str]:
    """Every invariant of the books; empty when all hold, else sentences naming broken rows."""
    return [sentence for broken in broken_invariants() for sentence in broken.sentences]


def broken_invariants() -> Iterator[Broken]:
    """The invariants that do not hold, each with its oldest rows; reads, and needs no memory."""
    for check in CHECKS:
        rows = check()
        first = list(islice(rows, NAMED))
        if first:
            yield Broken(first, len(first) + sum(1 for _row in rows))


def _unbalanced_entries() -> Iterator[str]:
    for entry_id, off in rows_of(unbalanced_entries_query()):
        yield f"Journal entry {entry_id} adds up to {off}; it should be $0.00."


def _line_dates() -> Iterator[str]:
    for entry_id, line_id, day, entry_day in rows_of(line_dates_query()):
        yield f"Line {line_id} says {day}; its journal entry {entry_id} says {entry_day}."


def _invoice_balances() -> Iterator[str]:
    for number, stored, derived in rows_of(invoice_balances_query()):
        yield f"Invoice {number} says its balance is {stored}; its payments say {derived}."


def _credits_of_documents() -> Iterator[str]:
    """What a document on the books takes off is a row of credit, once; nothing else is one."""
    for number, wanted, found in db.session.execute(credits_of_documents_query()):
        yield f"Document {number} gives {wanted} of credit, and {found} of it was recorded."


def _invoice_totals() -> Iterator[str]:
    for number, net, of_lines, taxed, of_taxes, total in rows_of(invoice_totals_query()):
        yield (
            f"Invoice {number} says {net} and {taxed} tax make {total}; its lines say {of_lines}, "
            f"its taxes {of_taxes}."
        )


def _settled_dates() -> Iterator[str]:
    query = sa.select(Invoice.reference_number, Invoice.settled_on, Invoice.balance).where(
        (Invoice.balance == NO_MONEY) != Invoice.settled_on.is_not(None),
        Invoice.state.in_(ON_THE_BOOKS),
    )
    for number, day, balance in rows_of(query.order_by(Invoice.id)):
        when = f"settled on {day}" if day else "never settled"
        yield f"Invoice {number} says it was {when}; its balance is {balance}."


def _last_application_dates() -> Iterator[str]:
    for number, stored, newest_day in rows_of(last_application_dates_query()):
        says = f"{stored or 'never'}; its payments say {newest_day or 'never'}"
        yield f"Invoice {number} says money was last applied on {says}."


def _receivable_ties_to_subledger() -> Iterator[str]:
    """A/R per invoice in the journal equals that invoice's balance (0 while not on the books)."""
    account_id = account_id_for(AccountRole.RECEIVABLE)
    for number, subledger, journal in db.session.execute(control_query(account_id)):
        yield f"Accounts Receivable has {journal} for invoice {number}, which says {subledger}."
    control = per_invoice(account_id)
    astray = db.session.scalar(sa.select(control.c.amount).where(control.c.invoice_id.is_(None)))
    if astray:
        yield f"Accounts Receivable has {astray} that belongs to no invoice."


CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    _unbalanced_entries,
    _line_dates,
    _invoice_totals,
    _invoice_balances,
    _credits_of_documents,
    _settled_dates,
    _last_application_dates,
    _receivable_ties_to_subledger,
    *PAYMENT_CHECKS,
    *MONEY_BACK_CHECKS,
    broken_financings,
    wrong_closing_balances,
    *DOCUMENT_CHECKS,
)
