"""A run: the worker looks for what is late, a person goes through it, the worker charges.

A page asks between the two, so nothing is charged that nobody saw. Each chunk is one short
transaction that holds the run's row; a worker that dies is followed by another where it stopped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import claim, db, in_transaction, insert_once, lock_rows, reading
from portal.invoices import post_invoices
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidTransition
from portal.kernel.money import ZERO
from portal.late_fees.charging import charge_items
from portal.late_fees.finding import Verdict, judge, late_invoices
from portal.ledger import require_open_period
from portal.models import (
    FEE_RUN,
    FeeItemState,
    FeeRunState,
    LateFeeItem,
    LateFeeRun,
    User,
)
from portal.tasks import lease, wake

CHUNK = 50  # invoices per transaction: SQLite's other writers wait for one chunk at most
LEASE = 120  # seconds
WORKING = (FeeRunState.LOOKING, FeeRunState.CHARGING)


def start_fee_run(*, by: User | None = None) -> LateFeeRun:
    """Have the worker look for late invoices as of today; PeriodClosed when today's month is.

    DomainError while another run is not over: two people would charge the same invoices.
    """
    on = today()
    require_open_period(on)
    run = LateFeeRun(as_of=on, started_by_id=by.id if by else None)
    if not insert_once(run):
        raise DomainError("Another run of late fees is not over yet. Finish or stop it first.")
    record("started", run, f"Late invoices of {on} are being looked for.")
    wake("late_fee_run", run.id)
    return run


def leave_out(run: LateFeeRun, item_ids: Collection[int], *, out: bool = True) -> int:
    """Do not charge these proposals, or do after all; how many it changed."""
    lock_rows(LateFeeRun, [run.id])
    if run.state is not FeeRunState.PROPOSED:
        raise InvalidTransition("This run of late fees is not waiting for a person.")
    was, becomes = FeeItemState.PROPOSED, FeeItemState.LEFT_OUT
    if not out:
        was, becomes = becomes, was
    changed = db.session.scalars(
        sa.update(LateFeeItem)
        .where(
            LateFeeItem.run_id == run.id,
            LateFeeItem.id.in_(item_ids),
            LateFeeItem.state == was,
        )
        .values(state=becomes)
        .returning(LateFeeItem.id)
    ).all()
    return len(changed)


def charge_run(run: LateFeeRun, *, posts: bool) -> None:
    """Have the worker charge what is still proposed; DomainError when that is nothing.

    A day later the amounts would be others, so a run of an earlier day is refused.
    """
    FEE_RUN.after(run.state, "charge")
    if run.as_of != today():
        raise DomainError(f"These proposals are of {run.as_of}. Stop this run and look again.")
    waits = sa.exists().where(
        LateFeeItem.run_id == run.id, LateFeeItem.state == FeeItemState.PROPOSED
    )
    if not db.session.scalar(sa.select(waits)):
        raise DomainError("Nothing is left to charge in this run.")
    claim(run, state=FeeRunState.CHARGING, posts=posts, claimed_until=None)
    record("charging", run, "The late fees of this run are being charged.")
    wake("late_fee_run", run.id)


def stop_fee_run(run: LateFeeRun) -> None:
    """Charge no more; what was charged so far stays charged."""
    FEE_RUN.after(run.state, "stop")
    claim(run, state=FeeRunState.STOPPED)
    run.live, run.claimed_until, run.finished_at = False, None, clock.now()
    record("stopped", run, "This run of late fees was stopped.")


def waiting_fee_runs() -> Iterable[int]:
    """Runs whose wake-up was lost or whose worker died."""
    free = sa.or_(LateFeeRun.claimed_until.is_(None), LateFeeRun.claimed_until <= clock.now())
    query = sa.select(LateFeeRun.id).where(LateFeeRun.state.in_(WORKING), free)
    return db.session.scalars(query).all()


def look_at_fee_run(run_id: int) -> None:
    """Look or charge, whatever the run waits for; safe to call twice and after a crash."""
    if not lease(LateFeeRun, run_id, states=WORKING, seconds=LEASE):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        mine = db.session.get_one(LateFeeRun, run_id, populate_existing=True).claimed_until
        db.session.rollback()
    while mine is not None:
        held = mine
        mine = in_transaction(lambda: _step(run_id, held))  # noqa: B023


def _step(run_id: int, held: datetime) -> datetime | None:
    """Until when the run is ours after this chunk; None when it is over or another's."""
    run = lock_rows(LateFeeRun, [run_id])[0]
    if run.state not in WORKING or run.claimed_until != held:
        return None
    more = _look(run) if run.state is FeeRunState.LOOKING else _charge(run)
    run.claimed_until = clock.now() + timedelta(seconds=LEASE) if more else None
    return run.claimed_until


def _look(run: LateFeeRun) -> bool:
    ids = late_invoices(on=run.as_of, after=run.looked_through, limit=CHUNK)
    if not ids:
        run.state = FeeRunState.PROPOSED
        record("looked", run, "Every late invoice was looked at.")
        return False
    db.session.add_all(_item(run, verdict) for verdict in judge(ids, on=run.as_of))
    run.looked_through = ids[-1]
    return True


def _item(run: LateFeeRun, verdict: Verdict) -> LateFeeItem:
    return LateFeeItem(
        run_id=run.id,
        invoice_id=verdict.invoice.id,
        state=FeeItemState.PROPOSED if verdict.charge else FeeItemState.NOT_CHARGED,
        amount=verdict.charge.amount if verdict.charge else ZERO,
        sentence=verdict.sentence,
    )


def _charge(run: LateFeeRun) -> bool:
    query = (
        sa.select(LateFeeItem)
        .where(LateFeeItem.run_id == run.id, LateFeeItem.state == FeeItemState.PROPOSED)
        .order_by(LateFeeItem.invoice_id)
        .limit(CHUNK)
    )
    items = db.session.scalars(query).all()
    if not items:
        run.state, run.live, run.finished_at = FeeRunState.DONE, False, clock.now()
        record("finished", run, "The late fees of this run were charged.")
        return False
    drafts = charge_items(items, on=run.as_of)
    if run.posts and drafts:
        db.session.flush()
        post_invoices([draft.id for draft in drafts], by=run.started_by)
    return True
