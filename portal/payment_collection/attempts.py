"""Finding payment attempts and gateway events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import Page, PageRequest, db, paginate
from portal.kernel.errors import NotFound
from portal.models import (
    AttemptShare,
    AttemptState,
    GatewayEvent,
    GatewayEventState,
    PaymentAttempt,
)


@dataclass(frozen=True)
class AttemptFilter:
    """What the list of attempts is narrowed to."""

    state: AttemptState | None = None


def attempt_by_public_id(public_id: str) -> PaymentAttempt | None:
    return db.session.scalar(
        sa.select(PaymentAttempt)
        .where(PaymentAttempt.public_id == public_id)
        .options(selectinload(PaymentAttempt.shares).joinedload(AttemptShare.invoice))
        .execution_options(populate_existing=True)
    )


def live_attempts_on(invoice_ids: Sequence[int]) -> list[PaymentAttempt]:
    """Attempts that may still bring money for one of these invoices."""
    query = (
        sa.select(PaymentAttempt)
        .join(AttemptShare)
        .where(AttemptShare.invoice_id.in_(invoice_ids), AttemptShare.live)
        .order_by(PaymentAttempt.id)
        .options(selectinload(PaymentAttempt.shares))
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query).unique())


def release_shares(attempt: PaymentAttempt) -> None:
    """The invoices are free for another attempt."""
    for share in attempt.shares:
        share.live = False


def find_attempts(wanted: AttemptFilter, page: PageRequest) -> Page[PaymentAttempt]:
    query = sa.select(PaymentAttempt).options(
        joinedload(PaymentAttempt.customer),
        selectinload(PaymentAttempt.shares).joinedload(AttemptShare.invoice),
    )
    if wanted.state:
        query = query.where(PaymentAttempt.state == wanted.state)
    return paginate(query, page, sorts={"started": PaymentAttempt.id}, default="-started")


def get_event(event_id: int) -> GatewayEvent:
    """One kept event; NotFound otherwise."""
    event = db.session.get(GatewayEvent, event_id)
    if event is None:
        raise NotFound("No such event.")
    return event


def find_events(state: GatewayEventState | None, page: PageRequest) -> Page[GatewayEvent]:
    query = sa.select(GatewayEvent)
    if state:
        query = query.where(GatewayEvent.state == state)
    return paginate(query, page, sorts={"received": GatewayEvent.id}, default="-received")
