"""Posting a batch: asked for by a person, done by the worker, nothing lost when it is killed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.audit import acting_as, record
from portal.batches.filling import take_out
from portal.batches.keeping import sum_of
from portal.db import claim, db, in_transaction, lock_rows
from portal.invoices import in_date_order, lock_in_order, post_invoices
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import (
    BATCH,
    Batch,
    BatchRefusal,
    BatchState,
    Invoice,
    InvoiceState,
    Payment,
    PaymentState,
    User,
    WhenRefused,
)
from portal.payments import post_payments
from portal.tasks import lease, note_progress, read_progress, wake

LEASE = 120  # seconds until another worker may take over; the row stays locked while one posts
CHUNK = 500


@dataclass(frozen=True)
class Progress:
    """How far a posting is: rows, rows per second, seconds that remain (None: not known yet)."""

    done: int
    total: int
    rate: float
    remaining: float | None


def ask_for_posting(batch: Batch, *, when_refused: WhenRefused, by: User | None) -> None:
    """Have the worker post every member; from now on none comes or goes.

    Raises InvalidTransition, or DomainError for an empty batch.
    """
    lock_rows(Batch, [batch.id])
    BATCH.after(batch.state, "post")
    members = sum_of(batch).members
    if not members:
        raise DomainError(f"Batch {batch.number} is empty. Put invoices or payments in first.")
    _forget_refusals(batch)
    batch.when_refused, batch.rows_total, batch.rows_done = when_refused, members, 0
    batch.failure, batch.started_at = "", None
    batch.started_by_id = by.id if by else None
    claim(batch, state=BatchState.POSTING, claimed_until=None)
    record("posting", batch, f"Posting of {members} was asked for.")
    wake("batch", batch.id)


def waiting_batches() -> Iterable[int]:
    """Batches whose wake-up was lost or whose worker died."""
    free = sa.or_(Batch.claimed_until.is_(None), Batch.claimed_until <= clock.now())
    query = sa.select(Batch.id).where(Batch.state == BatchState.POSTING, free)
    return db.session.scalars(query).all()


def look_at_batch(batch_id: int) -> None:
    """Post it or go on where the last worker stopped; safe to call twice and after a crash."""
    if not lease(Batch, batch_id, states=[BatchState.POSTING], seconds=LEASE):
        db.session.rollback()
        return
    mine = in_transaction(lambda: _begin(batch_id))
    with acting_as(mine.actor):
        try:
            if mine.whole:
                in_transaction(lambda: _post_whole(mine))
            else:
                _post_rest(mine)
        except Refusals as found:
            rows = found.rows
            in_transaction(lambda: _give_up(mine, rows))
        except DomainError as error:
            words = str(error)
            in_transaction(lambda: _break_off(mine, words))
        except Exception:
            in_transaction(lambda: _break_off(mine, "Something broke."))
            raise


def progress_of(batch: Batch) -> Progress:
    """How far the posting that is under way has come."""
    done = max(read_progress(_note(batch.id)), batch.rows_done)
    begun = batch.started_at
    seconds = (clock.now() - begun).total_seconds() if begun else 0.0
    rate = done / seconds if seconds > 0 else 0.0
    remaining = (batch.rows_total - done) / rate if rate else None
    return Progress(done, batch.rows_total, rate, remaining)


@dataclass(frozen=True)
class Refusal:
    """One member that cannot be posted; one of the two ids is given."""

    sentence: str
    invoice_id: int | None = None
    payment_id: int | None = None


class Refusals(Exception):
    """Nothing is posted because of these; what was done is rolled back."""

    def __init__(self, rows: Sequence[Refusal]) -> None:
        super().__init__(f"{len(rows)} members were refused")
        self.rows = rows


@dataclass(frozen=True)
class Hold:
    """What a worker leased; it may write only while the batch still says the same."""

    batch_id: int
    until: datetime | None
    whole: bool
    actor: str

    def batch(self) -> Batch | None:
        """The batch under lock until the commit; None when another worker has it."""
        batch = lock_rows(Batch, [self.batch_id])[0]
        still = batch.state is BatchState.POSTING and batch.claimed_until == self.until
        return batch if still else None


def _begin(batch_id: int) -> Hold:
    batch = db.session.get_one(Batch, batch_id, populate_existing=True)
    whole = batch.when_refused is WhenRefused.POST_NONE
    if whole or batch.started_at is None:
        batch.started_at = clock.now()
    note_progress(_note(batch_id), batch.rows_done)
    person = batch.started_by
    actor = f"{person.name} (staff {person.id})" if person else "system"
    return Hold(batch_id, batch.claimed_until, whole, actor)


def _post_whole(mine: Hold) -> None:
    """All members in one transaction; Refusals when one cannot be posted."""
    batch = mine.batch()
    if batch is None:
        return
    invoices, payments = _lock_members(batch)
    refused: list[Refusal] = []
    done = 0
    for table, ids in ((Invoice, invoices), (Payment, payments)):
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            refused += _post(batch, table, part)
            done += len(part)
            note_progress(_note(batch.id), done)
    if refused:
        raise Refusals(refused)
    batch.rows_done = done
    _finish(batch)


def _post_rest(mine: Hold) -> None:
    """Chunk after chunk, each in its own transaction; what was refused is passed over."""
    going: Hold | None = mine
    while going is not None:
        held = going
        going = in_transaction(lambda held=held: _post_chunk(held))  # type: ignore[misc]


def _post_chunk(mine: Hold) -> Hold | None:
    """Post some of what is left and lease on; None when there was nothing left or it was lost."""
    batch = mine.batch()
    if batch is None:
        return None
    table, ids = _next_members(batch)
    if not ids:
        _finish(batch)
        return None
    _keep_refusals(batch, _post(batch, table, ids))
    batch.rows_done += len(ids)
    batch.claimed_until = clock.now() + timedelta(seconds=LEASE)
    note_progress(_note(batch.id), batch.rows_done)
    return Hold(batch.id, batch.claimed_until, mine.whole, mine.actor)


def _post(batch: Batch, table: type[Invoice] | type[Payment], ids: Sequence[int]) -> list[Refusal]:
    if table is Invoice:
        invoices = post_invoices(ids, by=batch.started_by, batch_id=batch.id)
        return [Refusal(why, invoice_id=one.id) for one, why in invoices.refused]
    payments = post_payments(ids)
    return [Refusal(why, payment_id=one.id) for one, why in payments.refused]


def _lock_members(batch: Batch) -> tuple[list[int], list[int]]:
    """All of them in the order everybody locks, given back in the order they are numbered."""
    members = sa.select(Invoice.id).where(Invoice.batch_id == batch.id)
    lock_in_order(list(db.session.scalars(members)))
    dated = in_date_order(list(db.session.scalars(members)))  # who left meanwhile is not held up
    payments = sa.select(Payment.id).where(Payment.batch_id == batch.id)
    locked = payments.order_by(Payment.id).with_for_update(of=Payment)
    return dated, list(db.session.scalars(locked))


def _next_members(batch: Batch) -> tuple[type[Invoice] | type[Payment], list[int]]:
    """Invoices by date first, then payments: Pending ones that were not refused yet."""
    invoices = (
        sa.select(Invoice.id)
        .where(Invoice.batch_id == batch.id, Invoice.state == InvoiceState.PENDING)
        .where(Invoice.id.not_in(_refused(batch, BatchRefusal.invoice_id)))
        .order_by(Invoice.invoice_date, Invoice.id)
    )
    ids = list(db.session.scalars(invoices.limit(CHUNK)))
    if ids:
        return Invoice, ids
    payments = (
        sa.select(Payment.id)
        .where(Payment.batch_id == batch.id, Payment.state == PaymentState.PENDING)
        .where(Payment.id.not_in(_refused(batch, BatchRefusal.payment_id)))
        .order_by(Payment.id)
    )
    return Payment, list(db.session.scalars(payments.limit(CHUNK)))


def _refused(
    batch: Batch, column: sa.orm.InstrumentedAttribute[int | None]
) -> sa.Select[int | None]:
    return sa.select(column).where(BatchRefusal.batch_id == batch.id, column.is_not(None))


def _finish(batch: Batch) -> None:
    """Posted, or Pending again when nothing could be; refused members leave a posted batch."""
    refused = db.session.execute(
        sa.select(BatchRefusal.invoice_id, BatchRefusal.payment_id).where(
            BatchRefusal.batch_id == batch.id
        )
    ).all()
    members = sum_of(batch).members
    if len(refused) >= members:
        _back_to_pending(batch)
        return
    for table, ids in (
        (Invoice, [row.invoice_id for row in refused if row.invoice_id]),
        (Payment, [row.payment_id for row in refused if row.payment_id]),
    ):
        take_out(batch, table, ids)
    batch.state = BATCH.after(batch.state, "finish")
    batch.posted_at, batch.claimed_until = clock.now(), None
    left = f"; {len(refused)} were refused and taken out" if refused else ""
    record("posted", batch, f"{members - len(refused)} were posted{left}.")


def _give_up(mine: Hold, refused: Sequence[Refusal]) -> None:
    batch = mine.batch()
    if batch is not None:
        _keep_refusals(batch, refused)
        _back_to_pending(batch)


def _break_off(mine: Hold, words: str) -> None:
    """It cannot go on: the whole is Pending again; of the rest, what was posted stays so."""
    batch = mine.batch()
    if batch is None:
        return
    batch.failure = f"{words} What is not posted can be tried again."
    if not mine.whole:
        _refuse_what_is_left(batch, words)
        _finish(batch)
    else:
        _back_to_pending(batch)


def _refuse_what_is_left(batch: Batch, words: str) -> None:
    sentence = f"Its turn did not come: {words}"
    while True:
        table, ids = _next_members(batch)
        if not ids:
            return
        name = "invoice_id" if table is Invoice else "payment_id"
        _keep_refusals(batch, [Refusal(sentence, **{name: one}) for one in ids])


def _back_to_pending(batch: Batch) -> None:
    batch.state = BATCH.after(batch.state, "give up")
    batch.claimed_until, batch.rows_done = None, 0
    record("not posted", batch, "Nothing was posted.")


def _keep_refusals(batch: Batch, refused: Sequence[Refusal]) -> None:
    if refused:
        db.session.execute(
            sa.insert(BatchRefusal),
            [
                {"batch_id": batch.id, "invoice_id": one.invoice_id,
                 "payment_id": one.payment_id, "sentence": one.sentence}
                for one in refused
            ],
        )  # fmt: skip


def _forget_refusals(batch: Batch) -> None:
    db.session.execute(sa.delete(BatchRefusal).where(BatchRefusal.batch_id == batch.id))


def _note(batch_id: int) -> str:
    return f"batch {batch_id}"
