"""Unposting a batch: asked for by a person, done by the worker, told how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from portal.audit import acting_as, record
from portal.batches.asking import Progress
from portal.batches.keeping import get_batch, sum_of
from portal.batches.unposting import unpost_batch
from portal.db import db, in_transaction, lock_rows
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import BATCH, Batch, UnpostRun, UnpostState, User
from portal.tasks import lease, note_progress, read_progress, wake

LEASE = 120  # seconds until another worker may take over; the row stays locked while one works
BROKE = "Something broke. Nothing was unposted; try again."


def ask_for_unposting(batch: Batch, *, because: str, by: User | None) -> UnpostRun:
    """Have the worker take the whole batch back; what refuses is told on the batch's page.

    Raises InvalidTransition when it is not posted, DomainError without a reason or when it is
    being unposted already.
    """
    lock_rows(Batch, [batch.id])
    BATCH.after(batch.state, "unpost")
    words = " ".join(because.split())
    if not words:
        raise DomainError("Say why the batch leaves the books.", field="because")
    last = last_unposting(batch)
    if last is not None and last.state is UnpostState.WAITING:
        raise DomainError(f"Batch {batch.number} is being unposted already.")
    run = UnpostRun(
        batch_id=batch.id,
        because=words,
        rows_total=sum_of(batch).members,
        started_by_id=by.id if by else None,
    )
    db.session.add(run)
    db.session.flush()
    note_progress(_key(run.id), 0)
    record("unposting", batch, f"Unposting was asked for: {words}")
    wake("unpost_run", run.id)
    return run


def last_unposting(batch: Batch) -> UnpostRun | None:
    """The newest try to unpost it, under way or over."""
    query = sa.select(UnpostRun).where(UnpostRun.batch_id == batch.id)
    return db.session.scalars(query.order_by(UnpostRun.id.desc()).limit(1)).first()


def waiting_unpost_runs() -> Iterable[int]:
    """Runs whose wake-up was lost or whose worker died."""
    free = sa.or_(UnpostRun.claimed_until.is_(None), UnpostRun.claimed_until <= clock.now())
    query = sa.select(UnpostRun.id).where(UnpostRun.state == UnpostState.WAITING, free)
    return db.session.scalars(query).all()


def progress_of_unposting(run: UnpostRun) -> Progress:
    """How far it is: noted apart from its transaction, which nobody else sees yet."""
    done = run.rows_total if run.state is UnpostState.DONE else read_progress(_key(run.id))
    seconds = (clock.now() - run.started_at).total_seconds() if run.started_at else 0.0
    rate = done / seconds if seconds > 0 else 0.0
    return Progress(done, run.rows_total, rate, (run.rows_total - done) / rate if rate else None)


def look_at_unpost_run(run_id: int) -> None:
    """Take the batch back in one transaction; safe to call twice and after a crash."""
    if not lease(UnpostRun, run_id, states=[UnpostState.WAITING], seconds=LEASE):
        db.session.rollback()
        return
    mine = in_transaction(lambda: _begin(run_id))
    with acting_as(mine.actor):
        try:
            in_transaction(lambda: _carry_out(mine))
        except DomainError as refusal:
            words = str(refusal)
            in_transaction(lambda: _end(mine, UnpostState.REFUSED, words))
        except Exception:
            in_transaction(lambda: _end(mine, UnpostState.REFUSED, BROKE))
            raise


@dataclass(frozen=True)
class Hold:
    """What a worker leased; it may write only while the run still says the same."""

    run_id: int
    until: datetime | None
    actor: str

    def run(self) -> UnpostRun | None:
        """The run under lock until the commit; None when another worker has it."""
        run = lock_rows(UnpostRun, [self.run_id])[0]
        still = run.state is UnpostState.WAITING and run.claimed_until == self.until
        return run if still else None


def _begin(run_id: int) -> Hold:
    run = db.session.get_one(UnpostRun, run_id, populate_existing=True)
    run.started_at = clock.now()
    note_progress(_key(run_id), 0)
    person = run.started_by
    actor = f"{person.name} (staff {person.id})" if person else "system"
    return Hold(run_id, run.claimed_until, actor)


def _carry_out(mine: Hold) -> None:
    run = mine.run()
    if run is None:
        return
    unpost_batch(
        get_batch(run.batch_id),
        because=run.because,
        note=lambda done: note_progress(_key(run.id), done),
    )
    _finish(run, UnpostState.DONE, "")


def _end(mine: Hold, state: UnpostState, words: str) -> None:
    run = mine.run()
    if run is not None:
        _finish(run, state, words)
        record("not unposted", get_batch(run.batch_id), words)


def _finish(run: UnpostRun, state: UnpostState, words: str) -> None:
    run.state, run.failure = state, words
    run.claimed_until, run.finished_at = None, clock.now()


def _key(run_id: int) -> str:
    return f"unposting {run_id}"
