"""A batch as a workbook: one sheet of invoices, one of payments with what is unapplied."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

import sqlalchemy as sa
from flask_babel import gettext as _

from portal.db import db
from portal.documents import Sheet, write_workbook
from portal.models import Batch, BusinessUnit, Customer, Invoice, Payment, PaymentType
from portal.web import words_of

FETCHED = 1_000  # rows read at a time


def workbook_of(batch: Batch, *, with_payments: bool = True) -> IO[bytes]:
    """The members as XLSX, an open file at its start; ten thousand need little memory."""
    sheets = [Sheet(_("Invoices"), _invoice_columns(), _invoices(batch))]
    if with_payments:
        sheets.append(Sheet(_("Payments"), _payment_columns(), _payments(batch)))
    return write_workbook(sheets)


def _invoice_columns() -> list[str]:
    return [
        _("Number"), _("Reference"), _("Kind"), _("Customer"), _("Date"), _("Due"), _("State"),
        _("Review"), _("Business unit"), _("Order number"), _("Subtotal"), _("Tax"), _("Total"),
        _("Balance"), _("Bypassed"), _("What was done"),
    ]  # fmt: skip


def _invoices(batch: Batch) -> Iterator[list[Any]]:
    query = (
        sa.select(
            Invoice.document_number, Invoice.reference_number, Invoice.kind, Customer.name,
            Invoice.invoice_date, Invoice.due_date, Invoice.state, Invoice.review_state,
            BusinessUnit.name, Invoice.purchase_order, Invoice.subtotal, Invoice.tax_total,
            Invoice.total, Invoice.balance, Invoice.bypass, Invoice.summary,
        )
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(BusinessUnit, BusinessUnit.id == Invoice.business_unit_id)
        .where(Invoice.batch_id == batch.id)
        .order_by(Invoice.document_number, Invoice.id)
    )  # fmt: skip
    for number, reference, kind, who, on, due, state, review, *rest, bypass, summary in _rows(
        query
    ):
        words = [_said(kind), who, on, due, _said(state), _said(review)]
        yield [number, reference, *words, *rest, _("yes") if bypass else "", summary]


def _payment_columns() -> list[str]:
    return [
        _("Payment"), _("Received"), _("Customer"), _("Paid by"), _("Reference"), _("State"),
        _("Amount"), _("Applied"), _("Unapplied"), _("Bypassed"), _("Note"),
    ]  # fmt: skip


def _payments(batch: Batch) -> Iterator[list[Any]]:
    query = (
        sa.select(
            Payment.id, Payment.received_on, Customer.name, PaymentType.name, Payment.reference,
            Payment.state, Payment.amount, Payment.amount - Payment.unapplied, Payment.unapplied,
            Payment.bypass, Payment.memo,
        )
        .join(Customer, Customer.id == Payment.customer_id)
        .join(PaymentType, PaymentType.id == Payment.type_id)
        .where(Payment.batch_id == batch.id)
        .order_by(Payment.id)
    )  # fmt: skip
    for row_id, on, who, how, reference, state, *amounts, bypass, memo in _rows(query):
        said = [row_id, on, who, how, reference, _said(state)]
        yield [*said, *amounts, _("yes") if bypass else "", memo]


def _rows(query: sa.Select[*tuple[Any, ...]]) -> Iterator[Any]:
    yield from db.session.execute(query.execution_options(yield_per=FETCHED))


def _said(member: str) -> str:
    return words_of(member)
