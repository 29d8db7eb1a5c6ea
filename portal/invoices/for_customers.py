"""What a customer may see of the invoices."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, Page, PageRequest, db, paginate
from portal.kernel.money import ZERO
from portal.models import HAS_BALANCE, ON_THE_BOOKS, Invoice, InvoiceState, SentState


def is_visible_to_customer(invoice: Invoice) -> bool:
    """Posted, or Pending once sent; never one whose balance was never above zero (§13)."""
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
    query = sa.select(Invoice).where(*_visible(customer_ids)).options(joinedload(Invoice.customer))
    return paginate(query, page, sorts={"date": Invoice.invoice_date}, default="-date")


def _visible(customer_ids: Sequence[int]) -> list[sa.ColumnElement[bool]]:
    return [
        Invoice.customer_id.in_(customer_ids),
        Invoice.total > NO_MONEY,
        sa.or_(
            Invoice.state.in_(ON_THE_BOOKS),
            sa.and_(
                Invoice.state == InvoiceState.PENDING, Invoice.sent_state != SentState.NOT_SENT
            ),
        ),
    ]
