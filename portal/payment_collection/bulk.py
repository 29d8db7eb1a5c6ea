"""Bulk charge: many customers' saved methods by one press, previewed, charged once, stoppable."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import (
    claim,
    db,
    in_transaction,
    lock_rows,
    reading,
)
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.models import (
    CHARGE,
    ChargeRun,
    ChargeRunState,
    ChargeSource,
    ChargeState,
    PlannedCharge,
    User,
)
from portal.payment_collection.charge_words import keep_outcome
from portal.payment_collection.gateway import gateway
from portal.payment_collection.planned import carry_out_planned
from portal.payment_collection.standing import Standing, standings
from portal.tasks import lease, wake

LEASE = 120  # seconds
WORKING = (ChargeRunState.WAITING,)
CHUNK = 200  # waiting charges read at a time
NAMED = 1_000  # left-out customers kept by name


@dataclass(frozen=True)
class Preview:
    """Who would be charged how much, and who is left out for what reason."""

    ready: Sequence[Standing]
    left_out: Sequence[Standing]

    @property
    def total(self) -> Money:
        return Money.total(one.owed for one in self.ready)

    @property
    def seal(self) -> str:
        """What was shown, in short: other people or amounts make another one."""
        return f"{len(self.ready)}-{self.total.cents}"


def preview_charges(customer_ids: Collection[int]) -> Preview:
    """What a bulk charge of these customers would do now; changes nothing."""
    found = standings(customer_ids).values()
    return Preview([one for one in found if not one.reason], [one for one in found if one.reason])


def start_charge_run(customer_ids: Collection[int], *, seal: str, by: User | None) -> ChargeRun:
    """Plan one charge each for those who can be charged; the worker carries them out.

    Raises DomainError when it is not what was shown (`seal`) any more, or nobody is left.
    """
    gateway()
    preview = preview_charges(customer_ids)
    if not preview.ready:
        raise DomainError("Nobody of them can be charged.")
    if preview.seal != seal:
        raise DomainError("What they owe has changed since it was shown. Look at it again.")
    run = ChargeRun(
        rows_total=len(preview.ready),
        left_out=[[one.customer.name, one.reason] for one in preview.left_out[:NAMED]],
        started_by_id=by.id if by else None,
    )
    db.session.add(run)
    db.session.flush()
    db.session.execute(sa.insert(PlannedCharge), [_row(run, one) for one in preview.ready])
    record("started", run, f"{len(preview.ready)} customers are charged {preview.total} in all.")
    wake("charge_run", run.id)
    return run


def stop_charge_run(run: ChargeRun) -> None:
    """Begin no more charges; what was charged stays charged. DomainError when it is over."""
    if run.state is not ChargeRunState.WAITING:
        raise DomainError("This bulk charge is over already.")
    claim(run, state=ChargeRunState.STOPPED)
    run.claimed_until, run.finished_at = None, clock.now()
    for charge in lock_rows(PlannedCharge, _waiting_ids(run.id)):
        if charge.state is ChargeState.WAITING:
            charge.state = CHARGE.after(charge.state, "cancel")
            keep_outcome(charge, "The bulk charge was stopped before.")
    record("stopped", run, "The bulk charge was stopped.")


def waiting_charge_runs() -> Iterable[int]:
    """Bulk charges whose wake-up was lost or whose worker died."""
    return db.session.scalars(
        sa.select(ChargeRun.id).where(
            ChargeRun.state.in_(WORKING),
            sa.or_(ChargeRun.claimed_until.is_(None), ChargeRun.claimed_until <= clock.now()),
        )
    ).all()


def look_at_charge_run(run_id: int) -> None:
    """Carry out what waits in it, one after the other; safe to call twice and after a crash.

    The lease is renewed before each charge, so a worker that lost it stops; a charge that
    another worker holds is left to it, and the run is looked at again.
    """
    if not lease(ChargeRun, run_id, states=WORKING, seconds=LEASE):
        db.session.rollback()
        return
    db.session.commit()
    with reading():
        mine = db.session.get_one(ChargeRun, run_id, populate_existing=True).claimed_until
        db.session.rollback()
    last = 0
    while mine is not None:
        held, waiting = mine, _waiting_ids(run_id, beyond=last, most=CHUNK)
        db.session.rollback()
        if not waiting:
            in_transaction(lambda: _finish(run_id, held))  # noqa: B023
            return
        last = waiting[-1]
        mine = _carry_out(run_id, waiting, held)


def _carry_out(run_id: int, charge_ids: Sequence[int], mine: datetime) -> datetime | None:
    """These, one after the other; until when the run is ours then, None when it is no more."""
    for charge_id in charge_ids:
        carry_out_planned(charge_id)
        held = mine
        renewed = in_transaction(lambda: _renewed(run_id, held))  # noqa: B023
        if renewed is None:
            return None
        mine = renewed
    return mine


def _row(run: ChargeRun, one: Standing) -> dict[str, Any]:
    return {
        "customer_id": one.customer.id, "source": ChargeSource.BULK, "run_id": run.id,
        "amount": one.owed, "charge_on": today(),
    }  # fmt: skip


def _waiting_ids(run_id: int, *, beyond: int = 0, most: int | None = None) -> list[int]:
    query = (
        sa.select(PlannedCharge.id)
        .where(
            PlannedCharge.run_id == run_id,
            PlannedCharge.id > beyond,
            PlannedCharge.state == ChargeState.WAITING,
        )
        .order_by(PlannedCharge.id)
        .limit(most)
    )
    return list(db.session.scalars(query))


def _renewed(run_id: int, held: datetime) -> datetime | None:
    """Until when the run is ours from now on; None when it was stopped or is another's."""
    run = lock_rows(ChargeRun, [run_id])[0]
    if run.state is not ChargeRunState.WAITING or run.claimed_until != held:
        return None
    run.claimed_until = clock.now() + timedelta(seconds=LEASE)
    return run.claimed_until


def _finish(run_id: int, held: datetime) -> None:
    """Done, unless a row is still in the hands of a worker that may have died."""
    run = lock_rows(ChargeRun, [run_id])[0]
    if run.state is not ChargeRunState.WAITING or run.claimed_until != held:
        return
    if _waiting_ids(run_id, most=1):
        return  # the sweep comes back when this lease has run out
    run.state, run.claimed_until, run.finished_at = ChargeRunState.DONE, None, clock.now()
    record("finished", run, "The bulk charge was carried out.")
