"""Do the books hold? The invariants, and the first rows that break one.

A query is built once and kept: building them takes longer than a small company's books do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money, db
from portal.ledger.accounts import account_id_for
from portal.ledger.balances import wrong_closing_balances
from portal.ledger.financing_books import broken_financings
from portal.ledger.money_back_checks import MONEY_BACK_CHECKS
from portal.ledger.payment_checks import PAYMENT_CHECKS
from portal.ledger.verifying import DOCUMENT_CHECKS, rows_of
from portal.models import (
    ON_THE_BOOKS,
    AccountRole,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentApplication,
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


@cache
def _unbalanced_entries_query() -> sa.Executable:
    return (
        sa.select(JournalLine.entry_id, sa.func.sum(JournalLine.amount))
        .group_by(JournalLine.entry_id)
        .having(sa.func.sum(JournalLine.amount) != NO_MONEY)
        .order_by(JournalLine.entry_id)
    )


def _unbalanced_entries() -> Iterator[str]:
    for entry_id, off in rows_of(_unbalanced_entries_query()):
        yield f"Journal entry {entry_id} adds up to {off}; it should be $0.00."


@cache
def _line_dates_query() -> sa.Executable:
    return (
        sa.select(JournalLine.entry_id, JournalLine.id, JournalLine.entry_date,
                  JournalEntry.entry_date)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.entry_date != JournalEntry.entry_date)
        .order_by(JournalLine.id)
    )  # fmt: skip


def _line_dates() -> Iterator[str]:
    for entry_id, line_id, day, entry_day in rows_of(_line_dates_query()):
        yield f"Line {line_id} says {day}; its journal entry {entry_id} says {entry_day}."


def _applied_per_invoice() -> sa.Subquery:
    return (
        sa.select(
            PaymentApplication.invoice_id,
            sa.func.sum(PaymentApplication.amount).label("applied"),
        )
        .group_by(PaymentApplication.invoice_id)
        .subquery()
    )


@cache
def _invoice_balances_query() -> sa.Executable:
    applied = _applied_per_invoice()
    share = sa.func.coalesce(applied.c.applied, NO_MONEY)
    turned_into_credit = sa.and_(Invoice.total < NO_MONEY, Invoice.state.in_(ON_THE_BOOKS))
    left = sa.case((turned_into_credit, NO_MONEY), else_=as_money(Invoice.total - share))
    return (
        sa.select(Invoice.reference_number, Invoice.balance, left)
        .outerjoin(applied, applied.c.invoice_id == Invoice.id)
        .where(Invoice.balance != left)
        .order_by(Invoice.id)
    )


def _invoice_balances() -> Iterator[str]:
    for number, stored, derived in rows_of(_invoice_balances_query()):
        yield f"Invoice {number} says its balance is {stored}; its payments say {derived}."


@cache
def _credits_of_documents_query() -> sa.Executable:
    rows = (
        sa.select(
            Payment.document_id,
            sa.func.sum(Payment.amount).label("amount"),
            sa.func.count().label("how_many"),
        )
        .where(Payment.document_id.is_not(None), Payment.returned_on.is_(None))
        .group_by(Payment.document_id)
        .subquery()
    )
    gives = sa.and_(Invoice.total < NO_MONEY, Invoice.state.in_(ON_THE_BOOKS))
    owed = sa.case((gives, as_money(-Invoice.total)), else_=NO_MONEY)
    given = sa.func.coalesce(rows.c.amount, NO_MONEY)
    return (
        sa.select(Invoice.reference_number, owed, given)
        .outerjoin(rows, rows.c.document_id == Invoice.id)
        .where(sa.or_(owed != given, rows.c.how_many > 1))
    )


def _credits_of_documents() -> Iterator[str]:
    """What a document on the books takes off is a row of credit, once; nothing else is one."""
    for number, wanted, found in db.session.execute(_credits_of_documents_query()):
        yield f"Document {number} gives {wanted} of credit, and {found} of it was recorded."


@cache
def _invoice_totals_query() -> sa.Executable:
    lines = (
        sa.select(InvoiceLine.invoice_id, sa.func.sum(InvoiceLine.total).label("total"))
        .group_by(InvoiceLine.invoice_id)
        .subquery()
    )
    taxes = (
        sa.select(InvoiceTax.invoice_id, sa.func.sum(InvoiceTax.amount).label("total"))
        .group_by(InvoiceTax.invoice_id)
        .subquery()
    )
    nets, tax = (sa.func.coalesce(one.c.total, NO_MONEY) for one in (lines, taxes))
    return (
        sa.select(Invoice.reference_number, Invoice.subtotal, nets, Invoice.tax_total, tax,
                  Invoice.total)
        .outerjoin(lines, lines.c.invoice_id == Invoice.id)
        .outerjoin(taxes, taxes.c.invoice_id == Invoice.id)
        .where(sa.or_(Invoice.subtotal != nets, Invoice.tax_total != tax,
                      Invoice.total != Invoice.subtotal + Invoice.tax_total))
        .order_by(Invoice.id)
    )  # fmt: skip


def _invoice_totals() -> Iterator[str]:
    for number, net, of_lines, taxed, of_taxes, total in rows_of(_invoice_totals_query()):
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


@cache
def _last_application_dates_query() -> sa.Executable:
    newest = (
        sa.select(
            PaymentApplication.invoice_id,
            sa.func.max(PaymentApplication.applied_on).label("day"),
        )
        .group_by(PaymentApplication.invoice_id)
        .subquery()
    )
    return (
        sa.select(Invoice.reference_number, Invoice.last_applied_on, newest.c.day)
        .outerjoin(newest, newest.c.invoice_id == Invoice.id)
        .where(Invoice.last_applied_on.is_distinct_from(newest.c.day))
        .order_by(Invoice.id)
    )


def _last_application_dates() -> Iterator[str]:
    for number, stored, newest_day in rows_of(_last_application_dates_query()):
        says = f"{stored or 'never'}; its payments say {newest_day or 'never'}"
        yield f"Invoice {number} says money was last applied on {says}."


@cache
def _control(account_id: int) -> sa.Subquery:
    return (
        sa.select(JournalLine.invoice_id, sa.func.sum(JournalLine.amount).label("amount"))
        .where(JournalLine.account_id == account_id)
        .group_by(JournalLine.invoice_id)
        .subquery()
    )


@cache
def _control_query(account_id: int) -> sa.Executable:
    control = _control(account_id)
    owed = sa.case((Invoice.state.in_(ON_THE_BOOKS), Invoice.balance), else_=NO_MONEY)
    booked = sa.func.coalesce(control.c.amount, NO_MONEY)
    return (
        sa.select(Invoice.reference_number, owed, booked)
        .outerjoin(control, control.c.invoice_id == Invoice.id)
        .where(owed != booked)
    )


def _receivable_ties_to_subledger() -> Iterator[str]:
    """A/R per invoice in the journal equals that invoice's balance (0 while not on the books)."""
    account_id = account_id_for(AccountRole.RECEIVABLE)
    for number, subledger, journal in db.session.execute(_control_query(account_id)):
        yield f"Accounts Receivable has {journal} for invoice {number}, which says {subledger}."
    control = _control(account_id)
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
