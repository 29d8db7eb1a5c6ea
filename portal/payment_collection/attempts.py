"""Payment attempts and gateway events: finding them, and ending what nobody waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import defer, joinedload, selectinload

from portal.audit import Happening, record, record_many
from portal.db import Page, PageRequest, db, holds, in_transaction, lock_rows, paginate
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.kernel.events import Event, tell
from portal.models import (
    ATTEMPT,
    AttemptShare,
    AttemptState,
    Customer,
    GatewayEvent,
    GatewayEventState,
    PaymentAttempt,
)
from portal.payment_collection.gateway import gateway


@dataclass(frozen=True)
class AttemptFilter:
    """What the list of attempts is narrowed to; `parked`: no further look, a person decides."""

    q: str = ""
    state: AttemptState | None = None
    parked: bool | None = None


@dataclass(frozen=True)
class EventFilter:
    """What the list of events is narrowed to; parked ones unless told otherwise."""

    q: str = ""
    state: GatewayEventState | None = None


def attempt_by_public_id(public_id: str) -> PaymentAttempt | None:
    return db.session.scalar(
        sa.select(PaymentAttempt)
        .where(PaymentAttempt.public_id == public_id)
        .options(selectinload(PaymentAttempt.shares).joinedload(AttemptShare.invoice))
        .execution_options(populate_existing=True)
    )


def has_live_attempt(invoice_id: int) -> bool:
    """Whether any attempt may still bring money for this invoice: nearly always not."""
    return db.session.scalar(_ANY_LIVE, {"invoice_id": invoice_id}) is not None


_SHARES = cast(sa.Table, AttemptShare.__table__).c
_ANY_LIVE = (  # built once: asked whenever what is owed changes
    sa.select(_SHARES.id)
    .where(_SHARES.invoice_id == sa.bindparam("invoice_id"), _SHARES.live)
    .limit(1)
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


@dataclass(frozen=True)
class ChargeEnded(Event):
    """A charge of a saved method succeeded, failed or was cancelled, perhaps days later."""

    attempt: PaymentAttempt


def end_attempt(attempt: PaymentAttempt) -> None:
    """Nothing more is expected of it: no next look, and its invoices are free for another."""
    attempt.next_check_at = None
    for share in attempt.shares:
        share.live = False
    if attempt.method_id is not None and attempt.state is not AttemptState.SUCCEEDED:
        if attempt.state is AttemptState.FAILED:
            tell_invoices(attempt, "charge failed", f"Nothing was charged: {attempt.failure}")
        tell(ChargeEnded(attempt))  # one that succeeded is told with its payment, by settling


def end_parked(attempt: PaymentAttempt, *, by: str) -> None:
    """A person saw to the money it brought: its invoices can be paid again; it must be locked."""
    attempt.failure = f"{by} saw to it."
    attempt.state = ATTEMPT.after(attempt.state, "expire")
    record("ended", attempt, f"{by} saw to what came in another currency.")
    end_attempt(attempt)


def tell_invoices(attempt: PaymentAttempt, verb: str, sentence: str) -> None:
    """Into the timeline of each invoice it was meant for."""
    record_many(
        [Happening(verb, "invoice", share.invoice_id, sentence) for share in attempt.shares]
    )


def is_foreign(attempt: PaymentAttempt) -> bool:
    """Begun at another gateway, or in its other mode, than this installation uses now."""
    now = gateway()
    return (attempt.gateway, attempt.livemode) != (now.name, now.livemode)


def retire_foreign(attempt_id: int) -> bool:
    """End an attempt that nobody can be asked about any more; False while it may bring money.

    Test money never comes; a real page has ended when it expired, unless a debit is pending.
    """

    def retire() -> bool:
        attempt = lock_rows(PaymentAttempt, [attempt_id])[0]
        expired = attempt.expires_at is None or attempt.expires_at <= clock.now()
        pending = attempt.state is AttemptState.PROCESSING
        if attempt.is_live and attempt.livemode and (pending or not expired):
            attempt.next_check_at = clock.now() + timedelta(days=1)
            return False
        if attempt.is_live:
            attempt.state = ATTEMPT.after(attempt.state, "expire")
            record("expired", attempt, "The payment processor it began at is no longer used.")
        end_attempt(attempt)
        return True

    return in_transaction(retire)


def find_attempts(wanted: AttemptFilter, page: PageRequest) -> Page[PaymentAttempt]:
    query = sa.select(PaymentAttempt).options(
        joinedload(PaymentAttempt.customer),
        selectinload(PaymentAttempt.shares).joinedload(AttemptShare.invoice),
    )
    if wanted.state:
        query = query.where(PaymentAttempt.state == wanted.state)
    if wanted.parked:
        parked = PaymentAttempt.next_check_at.is_(None)
        query = query.where(PaymentAttempt.state == AttemptState.UNKNOWN, parked)
    if wanted.q:
        query = query.join(PaymentAttempt.customer).where(holds(Customer.name, wanted.q))
    return paginate(query, page, sorts={"started": PaymentAttempt.id}, default="-started")


def get_attempt(attempt_id: int) -> PaymentAttempt:
    """One attempt as it is now; NotFound otherwise."""
    attempt = db.session.get(PaymentAttempt, attempt_id, populate_existing=True)
    if attempt is None:
        raise NotFound("No such payment attempt.")
    return attempt


def get_event(event_id: int) -> GatewayEvent:
    """One kept event; NotFound otherwise."""
    event = db.session.get(GatewayEvent, event_id)
    if event is None:
        raise NotFound("No such event.")
    return event


def find_events(wanted: EventFilter, page: PageRequest) -> Page[GatewayEvent]:
    query = sa.select(GatewayEvent).options(defer(GatewayEvent.body))
    query = query.where(GatewayEvent.state == (wanted.state or GatewayEventState.PARKED))
    if wanted.q:
        names = (GatewayEvent.kind, GatewayEvent.object_ref, GatewayEvent.event_ref)
        query = query.where(sa.or_(*(holds(name, wanted.q) for name in names)))
    return paginate(query, page, sorts={"received": GatewayEvent.id}, default="-received")
