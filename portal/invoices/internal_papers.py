"""Papers that only move money in the books: the house keeps them, no customer gets them."""

from __future__ import annotations

import sqlalchemy as sa

from portal.db import NO_MONEY
from portal.kernel.money import ZERO
from portal.models import Invoice, InvoiceKind

IS_INTERNAL = sa.or_(
    Invoice.kind == InvoiceKind.WRITE_OFF,
    sa.and_(Invoice.kind == InvoiceKind.FINANCING, Invoice.total < NO_MONEY),
)


def is_internal_paper(invoice: Invoice) -> bool:
    """A write-off, or the half of a financing that leaves the customer."""
    leaves = invoice.kind is InvoiceKind.FINANCING and invoice.total < ZERO
    return leaves or invoice.kind is InvoiceKind.WRITE_OFF
