"""Money a person has to see to: told once in the list of differences, until it is resolved.

The nightly comparison finds what only one side knows; settling finds money that came otherwise
than it was asked for: in another currency, too much, too little, or given back twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.company import company, format_money
from portal.db import db, insert_once
from portal.kernel.money import Money
from portal.models import DifferenceKind, GatewayDifference
from portal.payment_collection.gateway import gateway

HOUSE = "the comparison"


@dataclass(frozen=True)
class Found:
    """One thing the processor and our books do not agree on; `theirs` is in our currency."""

    kind: DifferenceKind
    ref: str
    sentence: str
    ours: Money | None = None
    theirs: Money | None = None
    payment_id: int | None = None


def keep_found(found: Iterable[Found]) -> int:
    """Keep each once while it is open; how many are new. Idempotent.

    What a person explained is not told again, in whatever words, unless its amounts changed.
    """
    fresh = 0
    for one in found:
        row = GatewayDifference(
            gateway=gateway().name, kind=one.kind, ref=one.ref, ours=one.ours, theirs=one.theirs,
            sentence=one.sentence, payment_id=one.payment_id,
        )  # fmt: skip
        if not _was_explained(one) and insert_once(row):
            fresh += 1
    return fresh


def is_foreign_money(currency: str, asked: str = "") -> bool:
    """Whether what moved is in another currency than we asked for, else than the company's.

    A gateway that says no currency has one only; a real processor always says it.
    """
    return bool(currency) and currency != (asked or company().currency)


def said_in(amount: Money, currency: str) -> str:
    """An amount of another currency, as sentences say it: €80.00."""
    return format_money(amount, "en", currency)


def _was_explained(one: Found) -> bool:
    """The same kind and reference, and the same amounts; an amount of another currency has none
    of ours beside it but where it was asked for."""
    same = [GatewayDifference.theirs.is_not_distinct_from(one.theirs)]
    if one.kind is not DifferenceKind.OTHER_CURRENCY:
        same.append(GatewayDifference.ours.is_not_distinct_from(one.ours))
    query = sa.select(GatewayDifference.id).where(
        GatewayDifference.gateway == gateway().name,
        GatewayDifference.kind == one.kind,
        GatewayDifference.ref == one.ref,
        *same,
        GatewayDifference.resolved_at.is_not(None),
        GatewayDifference.resolved_by != HOUSE,
    )
    return db.session.scalar(query.limit(1)) is not None
