"""Runs of late fees and what is in them."""

from __future__ import annotations

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


def sums_of(run: LateFeeRun) -> dict[FeeItemState, tuple[int, Money]]:
    """By state, how many invoices and what they come to; every state is there."""
    query = (
        sa.select(LateFeeItem.state, sa.func.count(), total_of(LateFeeItem.amount))
        .where(LateFeeItem.run_id == run.id)
        .group_by(LateFeeItem.state)
    )
    found = {row[0]: (row[1], row[2] or ZERO) for row in db.session.execute(query)}
    return {state: found.get(state, (0, ZERO)) for state in FeeItemState}
