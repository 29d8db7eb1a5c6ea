"""The two documents of a financing, found from either of them or from the invoice financed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.invoices.queries import WITH_PAID_STATE
from portal.kernel.money import Money
from portal.models import Invoice, InvoiceKind


@dataclass(frozen=True)
class Financing:
    """A pair: `leaves` takes the debt off the customer, `arrives` charges it to the payer."""

    leaves: Invoice
    arrives: Invoice

    @property
    def amount(self) -> Money:
        return self.arrives.total

    @property
    def is_on_the_books(self) -> bool:
        return self.arrives.is_on_the_books


def financings_of(invoice: Invoice) -> list[Financing]:
    """The pairs an invoice belongs to: as the one financed, or as one of the halves."""
    mine = sa.or_(
        Invoice.adjusts_id == invoice.id,
        Invoice.id == invoice.id,
        Invoice.id == invoice.transfers_id,
    )
    leaving = sa.select(Invoice.id).where(
        Invoice.kind == InvoiceKind.FINANCING, Invoice.adjusts_id.is_not(None), mine
    )
    query = (
        sa.select(Invoice)
        .where(Invoice.transfers_id.in_(leaving))
        .order_by(Invoice.id)
        .options(
            WITH_PAID_STATE,
            joinedload(Invoice.customer),
            joinedload(Invoice.transfers).joinedload(Invoice.customer),
            joinedload(Invoice.transfers).joinedload(Invoice.adjusts),
        )
    )
    return [Financing(one.transfers, one) for one in db.session.scalars(query) if one.transfers]
