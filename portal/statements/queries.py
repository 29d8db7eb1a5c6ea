"""Reading runs, their items, and statements as they were sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import Page, PageRequest, db, holds, paginate
from portal.kernel import clock
from portal.kernel.errors import NotFound
from portal.models import (
    STATEMENT_TO_PRINT,
    Statement,
    StatementItem,
    StatementItemState,
    StatementRun,
)

State = StatementItemState


@dataclass(frozen=True)
class StatementFilter:
    """What the list of sent statements is narrowed to."""

    q: str = ""
    customer_id: int | None = None
    run_id: int | None = None
    printing: bool | None = None  # yes: waits on the list to print


@dataclass(frozen=True)
class RunFigures:
    """How far a run is; `rate` is customers per second so far, 0 while nothing is known."""

    waiting: int
    queued: int
    to_print: int
    left_out: int
    rate: float

    @property
    def done(self) -> int:
        return self.queued + self.to_print + self.left_out

    @property
    def seconds_left(self) -> float:
        return self.waiting / self.rate if self.rate else 0.0


def get_run(run_id: int) -> StatementRun:
    """One run; NotFound otherwise."""
    run = db.session.get(StatementRun, run_id)
    if run is None:
        raise NotFound("No such run of statements.")
    return run


def get_statement(statement_id: int) -> Statement:
    """One statement as it was sent; NotFound otherwise."""
    statement = db.session.get(Statement, statement_id)
    if statement is None:
        raise NotFound("No such statement.")
    return statement


def find_runs(page: PageRequest) -> Page[StatementRun]:
    """The newest first."""
    query = sa.select(StatementRun).options(joinedload(StatementRun.started_by))
    return paginate(query, page, sorts={"newest": StatementRun.id}, default="-newest")


def figures_of(runs: Collection[StatementRun]) -> dict[int, RunFigures]:
    """Counted from the items, so true after a restart too; one statement for all runs."""
    query = (
        sa.select(StatementItem.run_id, StatementItem.state, sa.func.count())
        .where(StatementItem.run_id.in_([one.id for one in runs]))
        .group_by(StatementItem.run_id, StatementItem.state)
    )
    found: dict[int, dict[State, int]] = {one.id: {} for one in runs}
    for run_id, state, number in db.session.execute(query):
        found[run_id][state] = number
    return {one.id: _figures(one, found[one.id]) for one in runs}


def find_items(
    run: StatementRun, page: PageRequest, *, state: State | None = None
) -> Page[StatementItem]:
    """What became of each customer."""
    query = (
        sa.select(StatementItem)
        .where(StatementItem.run_id == run.id)
        .options(joinedload(StatementItem.customer))
    )
    if state is not None:
        query = query.where(StatementItem.state == state)
    return paginate(query, page, sorts={"row": StatementItem.id}, default="row")


def statements_of_items(item_ids: Collection[int]) -> dict[int, int]:
    """The statement each item became, by the item's id."""
    query = sa.select(Statement.item_id, Statement.id).where(Statement.item_id.in_(item_ids))
    return {item: statement for item, statement in db.session.execute(query) if item}


def find_statements(wanted: StatementFilter, page: PageRequest) -> Page[Statement]:
    """Sent ones, the newest first; the list to print goes by postcode."""
    query = sa.select(Statement).options(joinedload(Statement.customer))
    if wanted.q.strip():
        found = sa.or_(holds(Statement.customer_name, wanted.q), holds(Statement.sent_to, wanted.q))
        query = query.where(found)
    if wanted.customer_id is not None:
        query = query.where(Statement.customer_id == wanted.customer_id)
    if wanted.run_id is not None:
        query = query.where(Statement.run_id == wanted.run_id)
    if wanted.printing:
        query = query.where(STATEMENT_TO_PRINT)
    sorts = {
        "newest": Statement.id,
        "postcode": Statement.postal_code,
        "customer": Statement.customer_name,
        "due": Statement.due,
    }
    usual = "postcode" if wanted.printing else "-newest"
    return paginate(query, page, sorts=sorts, default=usual)


def ids_to_print(*, run_id: int | None = None) -> list[int]:
    """The list to print, in the order of postcodes: what one PDF of all is made of."""
    query = sa.select(Statement.id).where(STATEMENT_TO_PRINT)
    if run_id is not None:
        query = query.where(Statement.run_id == run_id)
    return list(db.session.scalars(query.order_by(Statement.postal_code, Statement.id)))


def statements_of(customer_ids: Sequence[int], *, limit: int = 50) -> list[Statement]:
    """The newest statements that were sent to these customers."""
    query = (
        sa.select(Statement)
        .where(Statement.customer_id.in_(customer_ids))
        .options(joinedload(Statement.customer))
        .order_by(Statement.id.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))


def _figures(run: StatementRun, found: dict[State, int]) -> RunFigures:
    waiting = found.get(State.WAITING, 0)
    seconds = ((run.finished_at or clock.now()) - run.created_at).total_seconds()
    return RunFigures(
        waiting=waiting,
        queued=found.get(State.QUEUED, 0),
        to_print=found.get(State.TO_PRINT, 0),
        left_out=found.get(State.LEFT_OUT, 0),
        rate=(run.rows_total - waiting) / seconds if seconds > 0 else 0.0,
    )
