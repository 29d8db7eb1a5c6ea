"""The statements behind the invariants of the books: each finds the rows that break one.

A query is built once and kept: building them takes longer than a small company's books do.
"""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money
from portal.models import (
    ON_THE_BOOKS,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentApplication,
)


@cache
def unbalanced_entries_query() -> sa.Executable:
    return (
        sa.select(JournalLine.entry_id, sa.func.sum(JournalLine.amount))
        .group_by(JournalLine.entry_id)
        .having(sa.func.sum(JournalLine.amount) != NO_MONEY)
        .order_by(JournalLine.entry_id)
    )


@cache
def line_dates_query() -> sa.Executable:
    return (
        sa.select(JournalLine.entry_id, JournalLine.id, JournalLine.entry_date,
                  JournalEntry.entry_date)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalLine.entry_date != JournalEntry.entry_date)
        .order_by(JournalLine.id)
    )  # fmt: skip


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
def invoice_balances_query() -> sa.Executable:
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


@cache
def credits_of_documents_query() -> sa.Executable:
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


@cache
def invoice_totals_query() -> sa.Executable:
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


@cache
def last_application_dates_query() -> sa.Executable:
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


@cache
def per_invoice(account_id: int) -> sa.Subquery:
    return (
        sa.select(JournalLine.invoice_id, sa.func.sum(JournalLine.amount).label("amount"))
        .where(JournalLine.account_id == account_id)
        .group_by(JournalLine.invoice_id)
        .subquery()
    )


@cache
def control_query(account_id: int) -> sa.Executable:
    control = per_invoice(account_id)
    owed = sa.case((Invoice.state.in_(ON_THE_BOOKS), Invoice.balance), else_=NO_MONEY)
    booked = sa.func.coalesce(control.c.amount, NO_MONEY)
    return (
        sa.select(Invoice.reference_number, owed, booked)
        .outerjoin(control, control.c.invoice_id == Invoice.id)
        .where(owed != booked)
    )
