"""Customer types: labels of the office's own, such as Residential."""

from __future__ import annotations

import sqlalchemy as sa

from portal.audit import record
from portal.db import bump, db, is_taken
from portal.kernel.errors import InvalidFields
from portal.models import CustomerType


def customer_types(*, all_of_them: bool = False) -> list[CustomerType]:
    """Types by name; only active ones unless told otherwise."""
    query = sa.select(CustomerType).order_by(CustomerType.name)
    return list(db.session.scalars(query if all_of_them else query.where(CustomerType.active)))


def add_customer_type(name: str) -> CustomerType:
    """Add a type; InvalidFields when the name is missing or taken."""
    row = CustomerType(name=_checked(name))
    db.session.add(row)
    record("added", row, f"Customer type {row.name} was added.")
    return row


def change_customer_type(
    row: CustomerType, *, version: int, name: str, active: bool, is_business: bool = False
) -> None:
    """Rename or retire a type, or say that its customers are businesses and no consumers.

    Customers of a retired type keep it.
    """
    bump(row, version)
    wanted = _checked(name, row)
    before = {"name": row.name, "active": row.active, "business": row.is_business}
    row.name, row.active, row.is_business = wanted, active, is_business
    after = {"name": wanted, "active": active, "business": is_business}
    if before != after:
        changes = {key: [before[key], after[key]] for key in after}
        record("changed", row, f"Customer type {wanted} was changed.", changes)


def _checked(name: str, row: CustomerType | None = None) -> str:
    wanted = name.strip()
    if not wanted:
        raise InvalidFields({"name": "Give the customer type a name."})
    if is_taken(CustomerType.name, wanted, row, any_case=True):
        raise InvalidFields({"name": "There is a customer type of this name already."})
    return wanted
