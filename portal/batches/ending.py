"""How a posting ends: posted, Pending again, and what was refused on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.audit import record
from portal.batches.filling import take_out
from portal.db import db
from portal.kernel import clock
from portal.models import BATCH, Batch, BatchRefusal, Invoice, InvoiceState, Payment, PaymentState


@dataclass(frozen=True)
class Refusal:
    """One member that cannot be posted; one of the two ids is given."""

    sentence: str
    invoice_id: int | None = None
    payment_id: int | None = None


def finish(batch: Batch) -> None:
    """Posted, or Pending again when nothing could be; refused members leave a posted batch."""
    refused = db.session.execute(
        sa.select(BatchRefusal.invoice_id, BatchRefusal.payment_id).where(
            BatchRefusal.batch_id == batch.id
        )
    ).all()
    posted = _count(batch, Invoice, InvoiceState.POSTED) + _count(
        batch, Payment, PaymentState.POSTED
    )
    if not posted:
        back_to_pending(batch)
        return
    for table, ids in (
        (Invoice, [row.invoice_id for row in refused if row.invoice_id]),
        (Payment, [row.payment_id for row in refused if row.payment_id]),
    ):
        take_out(batch, table, ids)
    batch.state = BATCH.after(batch.state, "finish")
    batch.posted_at, batch.claimed_until = clock.now(), None
    left = f"; {len(refused)} were refused and taken out" if refused else ""
    record("posted", batch, f"{posted} were posted{left}.")


def _count(
    batch: Batch, table: type[Invoice] | type[Payment], state: InvoiceState | PaymentState
) -> int:
    query = sa.select(sa.func.count()).select_from(table)
    found = query.where(table.batch_id == batch.id, table.state == state)
    return db.session.scalar(found) or 0


def back_to_pending(batch: Batch) -> None:
    batch.state = BATCH.after(batch.state, "give up")
    batch.claimed_until, batch.rows_done = None, 0
    record("not posted", batch, "Nothing was posted.")


def keep_refusals(batch: Batch, refused: Sequence[Refusal]) -> None:
    if refused:
        db.session.execute(
            sa.insert(BatchRefusal),
            [
                {"batch_id": batch.id, "invoice_id": one.invoice_id,
                 "payment_id": one.payment_id, "sentence": one.sentence}
                for one in refused
            ],
        )  # fmt: skip


def forget_refusals(batch: Batch) -> None:
    db.session.execute(sa.delete(BatchRefusal).where(BatchRefusal.batch_id == batch.id))


def refused_ids(
    batch: Batch, column: sa.orm.InstrumentedAttribute[int | None]
) -> sa.Select[int | None]:
    return sa.select(column).where(BatchRefusal.batch_id == batch.id, column.is_not(None))
