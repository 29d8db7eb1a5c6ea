"""Why money is given back: the office's own list, each with what it does (rules §8.1)."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import sqlalchemy as sa

from portal.audit import record, record_changes
from portal.db import bump, db, is_taken
from portal.kernel.errors import InvalidFields, NotFound
from portal.models import RefundEffect, RefundReason


@dataclass(frozen=True)
class RefundReasonWords:
    """A reason as typed; with `asks` the effect is chosen each time."""

    name: str
    effect: RefundEffect
    asks: bool = False
    active: bool = True


def refund_reasons(*, all_of_them: bool = False) -> list[RefundReason]:
    """Reasons in the order they were made; active ones unless told."""
    query = sa.select(RefundReason).order_by(RefundReason.id)
    return list(db.session.scalars(query if all_of_them else query.where(RefundReason.active)))


def get_refund_reason(reason_id: int) -> RefundReason:
    """One reason; NotFound otherwise."""
    row = db.session.get(RefundReason, reason_id)
    if row is None:
        raise NotFound("No such refund reason.")
    return row


def add_refund_reason(words: RefundReasonWords) -> RefundReason:
    """Add a reason; InvalidFields names every wrong field."""
    row = RefundReason()
    _write(row, words)
    db.session.add(row)
    record("added", row, f"Refund reason {row.name} was added.")
    return row


def change_refund_reason(row: RefundReason, words: RefundReasonWords, *, version: int) -> None:
    """Save a reason; refunds already made keep what they did. Raises Conflict, InvalidFields."""
    bump(row, version)
    before = _plain(row)
    _write(row, words)
    record_changes(row, f"Refund reason {row.name} was changed.", before, _plain(row))


def _write(row: RefundReason, words: RefundReasonWords) -> None:
    name = words.name.strip()
    if not name:
        raise InvalidFields({"name": "Give the reason a name."})
    if is_taken(RefundReason.name, name, row, any_case=True):
        raise InvalidFields({"name": "Another reason already has this name."})
    row.name, row.effect, row.asks, row.active = name, words.effect, words.asks, words.active


def _plain(row: RefundReason) -> dict[str, Any]:
    return {field.name: str(getattr(row, field.name)) for field in fields(RefundReasonWords)}
