"""Locking invoices in the order of their ids, together with what they correct."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.db import db
from portal.invoices.wording import series_of_kind
from portal.ledger import next_number
from portal.models import Batch, BatchState, Invoice

CHUNK = 500


def with_originals(ids: Sequence[int]) -> list[int]:
    """These invoices and those they correct, in the order everybody locks them."""
    corrected = sa.select(Invoice.adjusts_id).where(
        Invoice.id.in_(ids), Invoice.adjusts_id.is_not(None)
    )
    originals = {one for one in db.session.scalars(corrected) if one is not None}
    return sorted(originals.union(ids))


def and_originals(ids: sa.BindParameter[Any]) -> sa.CompoundSelect[Any]:
    """The same within a statement that locks them: what an invoice corrects never changes."""
    asked = aliased(Invoice)
    corrected = sa.select(asked.adjusts_id).where(asked.id.in_(ids), asked.adjusts_id.is_not(None))
    return sa.select(asked.id).where(asked.id.in_(ids)).union(corrected)


def lock_in_order(ids: Sequence[int]) -> set[int]:
    """Hold these and what they correct until the transaction ends; returns which they are."""
    wanted: set[int] = set()
    for start in range(0, len(ids), CHUNK):
        wanted.update(with_originals(ids[start : start + CHUNK]))
    for start in range(0, len(wanted), CHUNK):
        part = sorted(wanted)[start : start + CHUNK]
        query = sa.select(Invoice.id).where(Invoice.id.in_(part)).order_by(Invoice.id)
        db.session.execute(query.with_for_update(of=Invoice)).all()
    return wanted


def in_date_order(ids: Sequence[int]) -> list[int]:
    """The same ids by invoice date, so that numbers and corrections follow the calendar."""
    days: dict[int, date] = {}
    for start in range(0, len(ids), CHUNK):
        query = sa.select(Invoice.id, Invoice.invoice_date)
        rows = db.session.execute(query.where(Invoice.id.in_(ids[start : start + CHUNK])))
        days.update({row_id: day or date.min for row_id, day in rows})
    return sorted(days, key=lambda one: (days[one], one))


def posting_under_way(batch_id: int | None) -> str | None:
    """Why a member of this batch cannot be edited now, in words, or None; read afresh.

    Holds when the member is locked: who asks for the posting of a batch locks its members.
    """
    query = sa.select(Batch.number).where(Batch.id == batch_id, Batch.state == BatchState.POSTING)
    number = db.session.scalar(query) if batch_id else None
    if number is None:
        return None
    return f"Batch {number}, which it is in, is being posted. Wait until it is done."


def hold_counters(ids: Sequence[int]) -> None:
    """Hold the number series these will need, in one order for everybody; takes no number."""
    needed: set[tuple[str, date]] = set()
    for start in range(0, len(ids), CHUNK):
        query = sa.select(Invoice.kind, Invoice.invoice_date).distinct()
        part = Invoice.id.in_(ids[start : start + CHUNK])
        for kind, day in db.session.execute(query.where(part, Invoice.document_number.is_(None))):
            if day is not None:
                needed.add((series_of_kind(kind), day.replace(day=1)))
    for series, day in sorted(needed):
        next_number(series, day, count=0)
