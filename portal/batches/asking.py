"""Asking for a batch to be posted, and how far the worker is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from portal.audit import record
from portal.batches.ending import forget_refusals
from portal.batches.keeping import sum_of
from portal.batches.members import lock_members, seen_of
from portal.db import claim, db, lock_rows
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError
from portal.models import BATCH, Batch, BatchState, User, WhenRefused
from portal.tasks import note_progress, read_progress, wake


@dataclass(frozen=True)
class Progress:
    """How far a posting is: rows, rows per second, seconds that remain (None: not known yet)."""

    done: int
    total: int
    rate: float
    remaining: float | None


def ask_for_posting(
    batch: Batch, *, when_refused: WhenRefused, by: User | None, seen: str | None = None
) -> None:
    """Have the worker post every member; from now on none comes, goes or is edited.

    Members are locked, so that who edits one is either before (`seen`, what `seen_of` said to
    the person who says yes, is old then: Conflict) or finds the batch being posted. Raises
    InvalidTransition, or DomainError for an empty batch.
    """
    lock_rows(Batch, [batch.id])
    BATCH.after(batch.state, "post")
    lock_members(batch)
    if seen not in (None, seen_of(batch)):
        raise Conflict("Somebody else changed this batch. Look again, then retry.")
    members = sum_of(batch).members
    if not members:
        raise DomainError(f"Batch {batch.number} is empty. Put invoices or payments in first.")
    forget_refusals(batch)
    batch.when_refused, batch.rows_total, batch.rows_done = when_refused, members, 0
    batch.failure, batch.started_at = "", None
    batch.started_by_id = by.id if by else None
    claim(batch, state=BatchState.POSTING, claimed_until=None)
    note_progress(progress_key(batch.id), 0)  # what an earlier try noted is over
    record("posting", batch, f"Posting of {members} was asked for.")
    wake("batch", batch.id)


def waiting_batches() -> Iterable[int]:
    """Batches whose wake-up was lost or whose worker died."""
    free = sa.or_(Batch.claimed_until.is_(None), Batch.claimed_until <= clock.now())
    query = sa.select(Batch.id).where(Batch.state == BatchState.POSTING, free)
    return db.session.scalars(query).all()


def progress_of(batch: Batch) -> Progress:
    """How far the posting that is under way has come."""
    done = max(read_progress(progress_key(batch.id)), batch.rows_done)
    begun = batch.started_at
    seconds = (clock.now() - begun).total_seconds() if begun else 0.0
    rate = done / seconds if seconds > 0 else 0.0
    remaining = (batch.rows_total - done) / rate if rate else None
    return Progress(done, batch.rows_total, rate, remaining)


def progress_key(batch_id: int) -> str:
    return f"batch {batch_id}"
