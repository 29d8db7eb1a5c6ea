"""What a customer may see of the invoices."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, Page, PageRequest, db, paginate
from portal.invoices.queries import WITH_PAID_STATE
from portal.kernel.money import ZERO
from portal.models import (
    HAS_BALANCE,
    ON_THE_BOOKS,
    Invoice,
    InvoiceKind,
    InvoiceState,
    SentState,
)

# A write-off and the half of a financing that takes off are the office's own business.
GIVES_CREDIT = (InvoiceKind.CREDIT_NOTE, InvoiceKind.REFUND, InvoiceKind.ADJUSTMENT)


def is_visible_to_customer(invoice: Invoice) -> bool:
    """Posted, or Pending once sent; never one whose balance was never above zero (§13).

    What gives credit is shown once it is final, except what only the office keeps.
    """
    if invoice.total < ZERO:
        return invoice.is_on_the_books and invoice.kind in GIVES_CREDIT
    shown = invoice.is_on_the_books or (
        invoice.state is InvoiceState.PENDING and invoice.sent_state is not SentState.NOT_SENT
    )
    return shown and invoice.total > ZERO


def customer_open_invoices(customer_ids: Sequence[int]) -> list[Invoice]:
    """What these customers can pay, oldest due first."""
    query = (
        sa.select(Invoice)
        .where(*_visible(customer_ids), HAS_BALANCE, Invoice.balance > NO_MONEY)
        .order_by(Invoice.due_date.is_(None), Invoice.due_date, Invoice.id)
        .options(joinedload(Invoice.customer))
    )
    return list(db.session.scalars(query))


def find_customer_invoices(customer_ids: Sequence[int], page: PageRequest) -> Page[Invoice]:
    """All of their visible invoices, newest first."""
    query = (
        sa.select(Invoice)
        .where(*_visible(customer_ids))
        .options(joinedload(Invoice.customer), WITH_PAID_STATE)
    )
    return paginate(query, page, sorts={"date": Invoice.invoice_date}, default="-date")


def _visible(customer_ids: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    return [
        Invoice.customer_id.in_(customer_ids),
        sa.or_(
            sa.and_(
                Invoice.state.in_(ON_THE_BOOKS),
                sa.or_(
                    Invoice.total > NO_MONEY,
                    sa.and_(Invoice.total < NO_MONEY, Invoice.kind.in_(GIVES_CREDIT)),
                ),
            ),
            sa.and_(
                Invoice.state == InvoiceState.PENDING,
                Invoice.sent_state != SentState.NOT_SENT,
                Invoice.total > NO_MONEY,
            ),
        ),
    ]
