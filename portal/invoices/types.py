"""Invoice types: labels of the office's own, such as Warranty; no rule hangs on them."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import bump, db, is_taken
from portal.kernel.errors import InvalidFields
from portal.models import InvoiceType


def invoice_types(*, all_of_them: bool = False) -> list[InvoiceType]:
    """Types by name; only active ones unless told otherwise."""
    query = sa.select(InvoiceType).order_by(InvoiceType.name)
    return list(db.session.scalars(query if all_of_them else query.where(InvoiceType.active)))


def add_invoice_type(name: str) -> InvoiceType:
    """Add a type; InvalidFields when the name is missing or taken."""
    row = InvoiceType(name=_checked(name))
    db.session.add(row)
    record("added", row, f"Invoice type {row.name} was added.")
    return row


def change_invoice_type(row: InvoiceType, *, version: int, name: str, active: bool) -> None:
    """Rename or retire a type; invoices of a retired type keep it. Conflict on an old version."""
    bump(row, version)
    wanted = _checked(name, row)
    if (row.name, row.active) == (wanted, active):
        return
    changes = {"name": [row.name, wanted], "active": [row.active, active]}
    row.name, row.active = wanted, active
    record("changed", row, f"Invoice type {wanted} was changed.", changes)


def _checked(name: str, row: InvoiceType | None = None) -> str:
    wanted = name.strip()
    if not wanted:
        raise InvalidFields({"name": "Give the invoice type a name."})
    if is_taken(InvoiceType.name, wanted, row, any_case=True):
        raise InvalidFields({"name": "There is an invoice type of this name already."})
    return wanted
