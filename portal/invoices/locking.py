"""Locking invoices in the order of their ids, together with what they correct."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from portal.db import db
from portal.models import Invoice

CHUNK = 500


def with_originals(ids: Sequence[int]) -> list[int]:
    """These invoices and those they correct, in the order everybody locks them."""
    corrected = sa.select(Invoice.adjusts_id).where(
        Invoice.id.in_(ids), Invoice.adjusts_id.is_not(None)
    )
    originals = {one for one in db.session.scalars(corrected) if one is not None}
    return sorted(originals.union(ids))


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
