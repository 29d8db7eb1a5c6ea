"""Runs of late fees and what is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import Page, PageRequest, db, holds, paginate, total_of
from portal.kernel.errors import NotFound
from portal.kernel.money import ZERO, Money
from portal.models import Customer, FeeItemState, Invoice, LateFeeItem, LateFeeRun


@dataclass(frozen=True)
class ItemFilter:
    """What the list of a run is narrowed to."""

    q: str = ""
    state: str = ""


def find_fee_runs(page: PageRequest) -> Page[LateFeeRun]:
    return paginate(sa.select(LateFeeRun), page, sorts={"newest": LateFeeRun.id}, default="-newest")


def get_fee_run(run_id: int) -> LateFeeRun:
    """One run; NotFound otherwise."""
    run = db.session.get(LateFeeRun, run_id)
    if run is None:
        raise NotFound("No such run of late fees.")
    return run


def items_of(run: LateFeeRun, wanted: ItemFilter, page: PageRequest) -> Page[LateFeeItem]:
    """What a run proposes, charged or left, the largest amounts first."""
    query = (
        sa.select(LateFeeItem)
        .where(LateFeeItem.run_id == run.id)
        .options(
            joinedload(LateFeeItem.invoice).joinedload(Invoice.customer),
            joinedload(LateFeeItem.document),
        )
    )
    if wanted.state in set(FeeItemState):
        query = query.where(LateFeeItem.state == FeeItemState(wanted.state))
    if wanted.q.strip():
        query = query.join(Invoice, Invoice.id == LateFeeItem.invoice_id)
        query = query.join(Customer, Customer.id == Invoice.customer_id)
        query = query.where(holds(Customer.name, wanted.q))
    sorts = {"amount": LateFeeItem.amount, "invoice": LateFeeItem.invoice_id}
    return paginate(query, page, sorts=sorts, default="-amount")


Sums = dict[FeeItemState, tuple[int, Money]]


def sums_of(run: LateFeeRun) -> Sums:
    """By state, how many invoices and what they come to; every state is there."""
    return sums_of_runs([run])[run.id]


def sums_of_runs(runs: Sequence[LateFeeRun]) -> dict[int, Sums]:
    """The same by run, in one statement."""
    query = (
        sa.select(
            LateFeeItem.run_id,
            LateFeeItem.state,
            sa.func.count(),
            total_of(LateFeeItem.amount),
        )
        .where(LateFeeItem.run_id.in_([run.id for run in runs]))
        .group_by(LateFeeItem.run_id, LateFeeItem.state)
    )
    sums: dict[int, Sums] = {run.id: dict.fromkeys(FeeItemState, (0, ZERO)) for run in runs}
    for run_id, state, count, amount in db.session.execute(query):
        sums[run_id][state] = (count, amount or ZERO)
    return sums
