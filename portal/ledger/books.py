"""Do the books hold? The invariants, and the first rows that break one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money, db
from portal.ledger.accounts import account_id_for
from portal.ledger.balances import wrong_closing_balances
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


def _unbalanced_entries() -> Iterator[str]:
    query = (
        sa.select(JournalLine.entry_id, sa.func.sum(JournalLine.amount))
        .group_by(JournalLine.entry_id)
        .having(sa.func.sum(JournalLine.amount) != NO_MONEY)
        .order_by(JournalLine.entry_id)
    )
    for entry_id, off in rows_of(query):
        yield f"Journal entry {entry_id} adds up to {off}; it should be $0.00."


def _line_dates() -> Iterator[str]:
    query = (
        sa.select(JournalLine.entry_id, JournalLine.id, JournalLine.entry_date,
                  JournalEntry.entry_date)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.entry_date != JournalEntry.entry_date)
        .order_by(JournalLine.id)
    )  # fmt: skip
    for entry_id, line_id, day, entry_day in rows_of(query):
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


def _invoice_balances() -> Iterator[str]:
    applied = _applied_per_invoice()
    share = sa.func.coalesce(applied.c.applied, NO_MONEY)
    query = (
        sa.select(Invoice.reference_number, Invoice.balance, as_money(Invoice.total - share))
        .outerjoin(applied, applied.c.invoice_id == Invoice.id)
        .where(Invoice.balance != Invoice.total - share)
        .order_by(Invoice.id)
    )
    for number, stored, derived in rows_of(query):
        yield f"Invoice {number} says its balance is {stored}; its payments say {derived}."


def _invoice_totals() -> Iterator[str]:
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
    query = (
        sa.select(Invoice.reference_number, Invoice.subtotal, nets, Invoice.tax_total, tax,
                  Invoice.total)
        .outerjoin(lines, lines.c.invoice_id == Invoice.id)
        .outerjoin(taxes, taxes.c.invoice_id == Invoice.id)
        .where(sa.or_(Invoice.subtotal != nets, Invoice.tax_total != tax,
                      Invoice.total != Invoice.subtotal + Invoice.tax_total))
        .order_by(Invoice.id)
    )  # fmt: skip
    for number, net, of_lines, taxed, of_taxes, total in rows_of(query):
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
    newest = (
        sa.select(
            PaymentApplication.invoice_id,
            sa.func.max(PaymentApplication.applied_on).label("day"),
        )
        .group_by(PaymentApplication.invoice_id)
        .subquery()
    )
    query = (
        sa.select(Invoice.reference_number, Invoice.last_applied_on, newest.c.day)
        .outerjoin(newest, newest.c.invoice_id == Invoice.id)
        .where(Invoice.last_applied_on.is_distinct_from(newest.c.day))
        .order_by(Invoice.id)
    )
    for number, stored, newest_day in rows_of(query):
        says = f"{stored or 'never'}; its payments say {newest_day or 'never'}"
        yield f"Invoice {number} says money was last applied on {says}."


def _payments() -> Iterator[str]:
    applied = (
        sa.select(
            PaymentApplication.payment_id,
            sa.func.sum(PaymentApplication.amount).label("applied"),
        )
        .group_by(PaymentApplication.payment_id)
        .subquery()
    )
    rest = as_money(Payment.amount - sa.func.coalesce(applied.c.applied, NO_MONEY))
    query = (
        sa.select(Payment.id, Payment.unapplied, rest)
        .outerjoin(applied, applied.c.payment_id == Payment.id)
        .where(Payment.unapplied != rest)
    )
    for payment_id, stored, derived in db.session.execute(query):
        yield f"Payment {payment_id} says {stored} is unapplied; its applications say {derived}."


def _receivable_ties_to_subledger() -> Iterator[str]:
    """A/R per invoice in the journal equals that invoice's balance (0 while not on the books)."""
    control = (
        sa.select(JournalLine.invoice_id, sa.func.sum(JournalLine.amount).label("amount"))
        .where(JournalLine.account_id == account_id_for(AccountRole.RECEIVABLE))
        .group_by(JournalLine.invoice_id)
        .subquery()
    )
    owed = sa.case((Invoice.state.in_(ON_THE_BOOKS), Invoice.balance), else_=NO_MONEY)
    booked = sa.func.coalesce(control.c.amount, NO_MONEY)
    query = (
        sa.select(Invoice.reference_number, owed, booked)
        .outerjoin(control, control.c.invoice_id == Invoice.id)
        .where(owed != booked)
    )
    for number, subledger, journal in db.session.execute(query):
        yield f"Accounts Receivable has {journal} for invoice {number}, which says {subledger}."
    astray = db.session.scalar(sa.select(control.c.amount).where(control.c.invoice_id.is_(None)))
    if astray:
        yield f"Accounts Receivable has {astray} that belongs to no invoice."


def _deposits_tie_to_payments() -> Iterator[str]:
    """Per customer, Customer Deposits is unapplied money plus money on Pending invoices."""
    unapplied = sa.select(Payment.customer_id, Payment.unapplied.label("held"))
    waiting = (
        sa.select(Invoice.customer_id, PaymentApplication.amount)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .where(Invoice.state.not_in(ON_THE_BOOKS))
    )
    booked = sa.select(JournalLine.customer_id, JournalLine.amount).where(
        JournalLine.account_id == account_id_for(AccountRole.CUSTOMER_DEPOSITS)
    )
    both = sa.union_all(unapplied, waiting, booked).subquery()  # a liability is a credit
    off = sa.func.sum(both.c.held)
    query = sa.select(both.c.customer_id, off).group_by(both.c.customer_id)
    for customer_id, difference in db.session.execute(query.having(off != NO_MONEY)):
        whose = f"customer {customer_id}" if customer_id else "no customer"
        yield f"Customer Deposits is off by {difference} for {whose}."


CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    _unbalanced_entries,
    _line_dates,
    _invoice_totals,
    _invoice_balances,
    _settled_dates,
    _last_application_dates,
    _payments,
    _receivable_ties_to_subledger,
    _deposits_tie_to_payments,
    wrong_closing_balances,
    *DOCUMENT_CHECKS,
)
