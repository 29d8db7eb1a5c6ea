"""A sending of many invoices: one item each, taken by the worker chunk by chunk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.audit import record
from portal.db import claim, db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import (
    Contact,
    Customer,
    Invoice,
    SendingItem,
    SendingItemState,
    SendingRun,
    SendingState,
    User,
)
from portal.sendings.items import send_item
from portal.tasks import lease, wake

CHUNK = 25  # invoices per transaction: SQLite's other writers wait for one chunk at most
LEASE = 120  # seconds
WORKING = (SendingState.WAITING,)


def start_run(
    ids: Collection[int],
    *,
    again: bool = False,
    with_photos: bool = False,
    by: User | None = None,
    because: Mapping[int, str] | None = None,
) -> SendingRun:
    """Queue these invoices to be sent, each once; the worker makes the messages.

    `again` also sends what was sent before; `because` names the rule that sends an invoice.
    Raises DomainError for none.
    """
    wanted = sorted(set(ids))
    if not wanted:
        raise DomainError("There is nothing to send.")
    run = SendingRun(
        again=again,
        with_photos=with_photos,
        rows_total=len(wanted),
        started_by_id=by.id if by else None,
    )
    db.session.add(run)
    db.session.flush()
    words = because or {}
    rows = [{"run_id": run.id, "invoice_id": one, "sentence": words.get(one, "")} for one in wanted]
    db.session.execute(sa.insert(SendingItem), rows)
    record("started", run, f"{len(wanted)} invoices are being sent.")
    wake("sending_run", run.id)
    return run


def stop_run(run: SendingRun) -> None:
    """Make no more messages; those in the outbox already go their way. Conflict when done."""
    if run.state is not SendingState.WAITING:
        raise DomainError("This sending is over already.")
    claim(run, state=SendingState.STOPPED)
    run.claimed_until, run.finished_at = None, clock.now()
    record("stopped", run, "The sending was stopped.")


def waiting_runs() -> Iterable[int]:
    """Sendings whose wake-up was lost or whose worker died."""
    return db.session.scalars(
        sa.select(SendingRun.id).where(
            SendingRun.state.in_(WORKING),
            sa.or_(SendingRun.claimed_until.is_(None), SendingRun.claimed_until <= clock.now()),
        )
    ).all()


def look_at_run(run_id: int) -> None:
    """Send what waits in it; safe to call twice, by two workers, and after a crash.

    Each chunk is one transaction that holds the run's row: its messages and its items' outcomes
    are there together or not at all, and a worker whose lease another one took over stops.
    """
    if not lease(SendingRun, run_id, states=WORKING, seconds=LEASE):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        mine = db.session.get_one(SendingRun, run_id, populate_existing=True).claimed_until
        db.session.rollback()
    while mine is not None:
        held = mine
        mine = in_transaction(lambda: _send_chunk(run_id, held))  # noqa: B023


def _send_chunk(run_id: int, held: datetime) -> datetime | None:
    """Until when the run is ours after this chunk; None when it is over or another's."""
    run = lock_rows(SendingRun, [run_id])[0]
    if run.state is not SendingState.WAITING or run.claimed_until != held:
        return None
    items = _waiting_items(run)
    if not items:
        _finish(run)
        return None
    _load_locked([item.invoice_id for item in items])
    for item in items:
        send_item(item, run)
    run.claimed_until = clock.now() + timedelta(seconds=LEASE)
    return run.claimed_until


def _waiting_items(run: SendingRun) -> Sequence[SendingItem]:
    return db.session.scalars(
        sa.select(SendingItem)
        .where(SendingItem.run_id == run.id, SendingItem.state == SendingItemState.WAITING)
        .order_by(SendingItem.id)
        .limit(CHUNK)
    ).all()


def _load_locked(ids: Sequence[int]) -> None:
    """Locked in id order, so that two sendings never send one invoice at the same moment."""
    found = lock_rows(Invoice, ids)
    customers = sa.select(Customer).where(Customer.id.in_({one.customer_id for one in found}))
    db.session.scalars(customers.options(selectinload(Customer.contacts).load_only(
        Contact.email, Contact.phone, Contact.active, Contact.is_mobile,
        Contact.billing_access))).all()  # fmt: skip


def _finish(run: SendingRun) -> None:
    run.state, run.claimed_until, run.finished_at = SendingState.DONE, None, clock.now()
    record("finished", run, f"All {run.rows_total} invoices of this sending were gone through.")
