"""Batches themselves: begun, named, listed, with what they add up to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.company import today
from portal.db import Page, PageRequest, bump, db, holds, holds_code, lock_rows, paginate, total_of
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.money import ZERO, Money
from portal.ledger import next_number
from portal.models import BATCH, Batch, BatchState, Invoice, Payment, User

LONGEST_NAME = 200


@dataclass(frozen=True)
class BatchFilter:
    """What the list of batches is narrowed to."""

    q: str = ""
    state: BatchState | None = None


@dataclass(frozen=True)
class BatchSum:
    """How many members a batch has and what they add up to."""

    invoices: int = 0
    invoices_total: Money = ZERO
    payments: int = 0
    payments_total: Money = ZERO

    @property
    def members(self) -> int:
        return self.invoices + self.payments


def start_batch(name: str, *, by: User | None = None, rule_id: int | None = None) -> Batch:
    """Begin an empty batch; the house gives the number. InvalidFields without a name."""
    wanted = _checked(name)
    batch = Batch(
        name=wanted,
        number=next_number("B", today())[0],
        created_by_id=by.id if by else None,
        rule_id=rule_id,
    )
    db.session.add(batch)
    record("created", batch, f"Batch {batch.number} was begun: {wanted}.")
    return batch


def rename_batch(batch: Batch, name: str, *, version: int) -> None:
    """Give it another name; Conflict when somebody else saved it meanwhile."""
    bump(batch, version)
    wanted = _checked(name)
    if wanted != batch.name:
        old, batch.name = batch.name, wanted
        record("changed", batch, f"Batch {batch.number} was renamed.", {"name": [old, wanted]})


def get_batch(batch_id: int) -> Batch:
    """One batch; NotFound otherwise."""
    batch = db.session.get(
        Batch, batch_id, options=[joinedload(Batch.created_by), joinedload(Batch.started_by)]
    )
    if batch is None:
        raise NotFound("No such batch.")
    return batch


def find_batches(wanted: BatchFilter, page: PageRequest) -> Page[Batch]:
    query = sa.select(Batch).options(joinedload(Batch.created_by), joinedload(Batch.started_by))
    if wanted.q.strip():
        query = query.where(sa.or_(holds(Batch.name, wanted.q), holds_code(Batch.number, wanted.q)))
    if wanted.state:
        query = query.where(Batch.state == wanted.state)
    sorts = {"number": Batch.id, "name": Batch.name, "posted": Batch.posted_at}
    return paginate(query, page, sorts=sorts, default="-number")


def open_batches(*, limit: int = 100) -> list[Batch]:
    """Batches that still take members, the newest first."""
    query = sa.select(Batch).where(Batch.state == BatchState.PENDING)
    return list(db.session.scalars(query.order_by(Batch.id.desc()).limit(limit)))


def sums_of(batch_ids: Sequence[int]) -> dict[int, BatchSum]:
    """What each of some batches holds, in two statements."""
    invoices = _sums(Invoice.batch_id, Invoice.total, batch_ids)
    payments = _sums(Payment.batch_id, Payment.amount, batch_ids)
    nothing = (0, ZERO)
    return {
        one: BatchSum(*invoices.get(one, nothing), *payments.get(one, nothing)) for one in batch_ids
    }


def sum_of(batch: Batch) -> BatchSum:
    return sums_of([batch.id])[batch.id]


def lock_open(batch: Batch) -> None:
    """Keep the batch from being posted until this transaction ends, and read it afresh.

    Batches are locked before invoices, invoices before payments. Raises DomainError when it
    takes and gives no members any more.
    """
    lock_rows(Batch, [batch.id])
    if not BATCH.allows(batch.state, "fill"):
        raise DomainError(f"Batch {batch.number} {_CLOSED[batch.state]}")


_CLOSED = {
    BatchState.POSTING: "is being posted right now. Wait until that is done.",
    BatchState.POSTED: "is already posted. Unpost it first, or make a new batch.",
    BatchState.EXPORTED: "is already exported and stays as it is. Make a new batch.",
}


def _checked(name: str) -> str:
    wanted = " ".join(name.split())
    if not wanted:
        raise InvalidFields({"name": "Give the batch a name, such as the day and what is in it."})
    if len(wanted) > LONGEST_NAME:
        raise InvalidFields({"name": f"A name has at most {LONGEST_NAME} characters."})
    return wanted


def _sums(
    column: sa.orm.InstrumentedAttribute[int | None],
    amount: sa.orm.InstrumentedAttribute[Money],
    batch_ids: Sequence[int],
) -> dict[int, tuple[int, Money]]:
    query = (
        sa.select(column, sa.func.count(), total_of(amount))
        .where(column.in_(batch_ids))
        .group_by(column)
    )
    return {one: (count, total) for one, count, total in db.session.execute(query) if one}
