"""Payment types: the ways to pay offered at the desk, and the account each lands on."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record, record_changes
from portal.db import bump, db, is_taken
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import Account, AccountKind, Payment, PaymentMethod, PaymentType


@dataclass(frozen=True)
class PaymentTypeWords:
    """A payment type as typed; money lands on an asset account."""

    name: str
    method: PaymentMethod
    account_id: int | None
    active: bool = True
    refunds: bool = False


def payment_types(*, online: bool = False, all_of_them: bool = False) -> list[PaymentType]:
    """Types offered at the desk, or those the house uses itself; active ones unless told."""
    query = _TYPES if all_of_them else _ACTIVE_TYPES
    return list(db.session.scalars(query, {"online": online}))


_TYPES = (
    sa.select(PaymentType)
    .where(PaymentType.online == sa.bindparam("online"))
    .order_by(PaymentType.id)
    .options(joinedload(PaymentType.account))
)
_ACTIVE_TYPES = _TYPES.where(PaymentType.active)


def refund_types() -> list[PaymentType]:
    """Types of the desk by which money is given back."""
    return [one for one in payment_types() if one.refunds]


def get_payment_type(type_id: int) -> PaymentType:
    """One type of the desk; NotFound otherwise, the house's own included."""
    row = db.session.get(PaymentType, type_id)
    if row is None or row.online:
        raise NotFound("No such payment type.")
    return row


def add_payment_type(words: PaymentTypeWords) -> PaymentType:
    """Add a way to pay; InvalidFields names every wrong field."""
    row = PaymentType(online=False)
    _write(row, words)
    db.session.add(row)
    record("added", row, f"Payment type {row.name} was added.")
    return row


def change_payment_type(row: PaymentType, words: PaymentTypeWords, *, version: int) -> None:
    """Save a way to pay. Once money came in by it, only its name and offer may change.

    Raises Conflict on an old version, DomainError for a rule that is locked.
    """
    bump(row, version)
    if (words.method, words.account_id) != (row.method, row.account_id) and type_is_used(row):
        raise DomainError(
            f"Payments were already received by {row.name}, so its method and account stay. "
            "Add a new payment type instead.",
            field="account_id",
        )
    before = _plain(row)
    _write(row, words)
    record_changes(row, f"Payment type {row.name} was changed.", before, _plain(row))


def type_is_used(row: PaymentType) -> bool:
    """Whether any payment came in by it."""
    return bool(db.session.scalar(sa.select(sa.exists().where(Payment.type_id == row.id))))


def _write(row: PaymentType, words: PaymentTypeWords) -> None:
    errors = {}
    name = words.name.strip()
    if not name:
        errors["name"] = "Give the payment type a name."
    elif is_taken(PaymentType.name, name, row, any_case=True):
        errors["name"] = "Another payment type already has this name."
    account = db.session.get(Account, words.account_id or 0)
    if account is None or account.kind is not AccountKind.ASSET:
        errors["account_id"] = "Choose the account its money lands on."
    if errors:
        raise InvalidFields(errors)
    assert account is not None
    row.name, row.method, row.active = name, words.method, words.active
    row.refunds = words.refunds
    row.account_id = account.id


def _plain(row: PaymentType) -> dict[str, Any]:
    return {field.name: str(getattr(row, field.name)) for field in fields(PaymentTypeWords)}
