"""Open differences with the gateway: listing them, recording money now, explaining one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.company import business_day, company, format_day
from portal.db import Page, PageRequest, db, lock_rows, paginate, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import (
    AttemptState,
    DifferenceKind,
    GatewayDifference,
    GatewayRefund,
    PaymentAttempt,
)
from portal.payment_collection.attempts import end_parked
from portal.payment_collection.comparing import LISTED, compare_with_gateway
from portal.payment_collection.gateway import gateway
from portal.payment_collection.settling import settle
from portal.payment_collection.settling_refunds import end_parked_refund, parked_refund


@dataclass(frozen=True)
class DifferenceFilter:
    """What the list of differences is narrowed to; open ones unless told otherwise."""

    kind: DifferenceKind | None = None
    resolved: bool | None = None


def find_differences(wanted: DifferenceFilter, page: PageRequest) -> Page[GatewayDifference]:
    query = sa.select(GatewayDifference).options(joinedload(GatewayDifference.payment))
    if wanted.kind:
        query = query.where(GatewayDifference.kind == wanted.kind)
    is_open = GatewayDifference.resolved_at.is_(None)
    query = query.where(sa.not_(is_open) if wanted.resolved else is_open)
    return paginate(query, page, sorts={"found": GatewayDifference.id}, default="-found")


def get_difference(difference_id: int) -> GatewayDifference:
    """One difference; NotFound otherwise."""
    row = db.session.get(GatewayDifference, difference_id)
    if row is None:
        raise NotFound("No such difference.")
    return row


def record_now(difference_id: int) -> bool:
    """Settle the payment attempt that money missing here belongs to; whether it agrees now.

    Ends the session's transaction. Raises DomainError when nobody here asked for that money: it
    was taken at the processor itself, and is recorded like any other payment.
    """
    ref = get_difference(difference_id).ref
    db.session.rollback()
    attempt_id = _attempt_behind(ref)
    if attempt_id is None:
        raise DomainError(
            "Nobody here asked for this money. Take it as a payment of the customer whose it is, "
            "then say so here."
        )
    settle(attempt_id)
    db.session.rollback()
    compare_with_gateway()
    return get_difference(difference_id).resolved_at is not None


def explain(difference_id: int, *, by: str, because: str) -> None:
    """A person says why it is right as it is; the attempt or refund that waited for it ends.

    Raises InvalidFields without words, DomainError when it is resolved already.
    """
    if not because.strip():
        raise InvalidFields({"because": "Say why this is right as it is."})
    attempt, refund = _parked_with(difference_id)
    found = lock_rows(GatewayDifference, [difference_id])
    if not found:
        raise NotFound("No such difference.")
    row = found[0]
    if row.resolved_at is not None:
        day = format_day(business_day(row.resolved_at), company().locale)
        raise DomainError(f"This was resolved on {day} by {row.resolved_by}.")
    row.resolved_at, row.resolved_by = clock.now(), by
    row.resolution = because.strip()[:500]
    record("explained", row, f"A difference was explained: {row.resolution}")
    if attempt is not None:
        end_parked(attempt, by=by)
    if refund is not None:
        end_parked_refund(refund, by=by)


def _parked_with(difference_id: int) -> tuple[PaymentAttempt | None, GatewayRefund | None]:
    """What waits for this to be resolved, locked: an attempt or a refund, before the row."""
    row = get_difference(difference_id)
    if row.kind is not DifferenceKind.OTHER_CURRENCY:
        return None, None
    query = sa.select(PaymentAttempt.id).where(
        PaymentAttempt.payment_ref == row.ref, PaymentAttempt.gateway == row.gateway
    )
    found = lock_rows(PaymentAttempt, db.session.scalars(query))
    waits = bool(found) and found[0].state is AttemptState.UNKNOWN
    return found[0] if waits else None, parked_refund(row.gateway, row.ref)


def _attempt_behind(ref: str) -> int | None:
    """By the processor's reference, else by what its list says we called it."""
    now = clock.now()
    listed = gateway().payments_between(now - LISTED, now + timedelta(minutes=1))
    reference = next((one.reference for one in listed if one.payment_ref == ref), "")
    with reading():
        found = db.session.scalar(
            sa.select(PaymentAttempt.id).where(
                sa.or_(
                    PaymentAttempt.payment_ref == ref,
                    PaymentAttempt.public_id == (reference or "-"),
                )
            )
        )
        db.session.rollback()
    return found
