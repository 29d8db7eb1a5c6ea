"""Posting a batch: asked for by a person, done by the worker, nothing lost when it is killed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.audit import acting_as
from portal.batches.asking import progress_key
from portal.batches.ending import Refusal, back_to_pending, finish, keep_refusals, refused_ids
from portal.batches.members import lock_members
from portal.db import db, in_transaction, lock_rows
from portal.invoices import hold_counters, post_invoices
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import (
    Batch,
    BatchRefusal,
    BatchState,
    Invoice,
    InvoiceState,
    Payment,
    PaymentState,
    WhenRefused,
)
from portal.payments import post_payments
from portal.tasks import lease, note_progress

LEASE = 120  # seconds until another worker may take over; the row stays locked while one posts
CHUNK = 500


def look_at_batch(batch_id: int) -> None:
    """Post it or go on where the last worker stopped; safe to call twice and after a crash."""
    if not lease(Batch, batch_id, states=[BatchState.POSTING], seconds=LEASE):
        db.session.rollback()
        return
    newest = mine = in_transaction(lambda: _begin(batch_id))
    with acting_as(mine.actor):
        try:
            if mine.whole:
                in_transaction(lambda: _post_whole(mine))
            else:
                for held in _post_rest(mine):
                    newest = held
        except Refusals as found:
            rows = found.rows
            in_transaction(lambda: _give_up(mine, rows))
        except DomainError as error:
            words = str(error)
            in_transaction(lambda: _break_off(newest, words))
        except Exception:
            in_transaction(lambda: _break_off(newest, "Something broke."))
            raise


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
    note_progress(progress_key(batch_id), batch.rows_done)
    person = batch.started_by
    actor = f"{person.name} (staff {person.id})" if person else "system"
    return Hold(batch_id, batch.claimed_until, whole, actor)


def _post_whole(mine: Hold) -> None:
    """All members in one transaction; Refusals when one cannot be posted."""
    batch = mine.batch()
    if batch is None:
        return
    invoices, payments = lock_members(batch)
    hold_counters(invoices)  # now, in one order: a later chunk may need an earlier series
    refused: list[Refusal] = []
    done = 0
    for table, ids in ((Invoice, invoices), (Payment, payments)):
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            refused += _post(batch, table, part)
            done += len(part)
            note_progress(progress_key(batch.id), done)
    if refused:
        raise Refusals(refused)
    batch.rows_done = done
    finish(batch)


def _post_rest(mine: Hold) -> Iterator[Hold]:
    """Chunk after chunk, each in its own transaction; what was refused is passed over.

    Yields the lease after each: whoever breaks off must hold the newest.
    """
    going = in_transaction(lambda: _post_chunk(mine))
    while going is not None:
        yield going
        held = going
        going = in_transaction(lambda held=held: _post_chunk(held))  # type: ignore[misc]


def _post_chunk(mine: Hold) -> Hold | None:
    """Post some of what is left and lease on; None when there was nothing left or it was lost."""
    batch = mine.batch()
    if batch is None:
        return None
    table, ids = _next_members(batch)
    if not ids:
        finish(batch)
        return None
    keep_refusals(batch, _post(batch, table, ids))
    batch.rows_done += len(ids)
    batch.claimed_until = clock.now() + timedelta(seconds=LEASE)
    note_progress(progress_key(batch.id), batch.rows_done)
    return Hold(batch.id, batch.claimed_until, mine.whole, mine.actor)


def _post(batch: Batch, table: type[Invoice] | type[Payment], ids: Sequence[int]) -> list[Refusal]:
    if table is Invoice:
        invoices = post_invoices(ids, by=batch.started_by, batch_id=batch.id)
        return [Refusal(why, invoice_id=one.id) for one, why in invoices.refused]
    payments = post_payments(ids)
    return [Refusal(why, payment_id=one.id) for one, why in payments.refused]


def _next_members(batch: Batch) -> tuple[type[Invoice] | type[Payment], list[int]]:
    """Invoices by date first, then payments: Pending ones that were not refused yet."""
    invoices = (
        sa.select(Invoice.id)
        .where(Invoice.batch_id == batch.id, Invoice.state == InvoiceState.PENDING)
        .where(Invoice.id.not_in(refused_ids(batch, BatchRefusal.invoice_id)))
        .order_by(Invoice.invoice_date, Invoice.id)
    )
    ids = list(db.session.scalars(invoices.limit(CHUNK)))
    if ids:
        return Invoice, ids
    payments = (
        sa.select(Payment.id)
        .where(Payment.batch_id == batch.id, Payment.state == PaymentState.PENDING)
        .where(Payment.id.not_in(refused_ids(batch, BatchRefusal.payment_id)))
        .order_by(Payment.id)
    )
    return Payment, list(db.session.scalars(payments.limit(CHUNK)))


def _give_up(mine: Hold, refused: Sequence[Refusal]) -> None:
    batch = mine.batch()
    if batch is not None:
        keep_refusals(batch, refused)
        back_to_pending(batch)


def _break_off(mine: Hold, words: str) -> None:
    """It cannot go on: the whole is Pending again; of the rest, what was posted stays so."""
    batch = mine.batch()
    if batch is None:
        return
    batch.failure = f"{words} What is not posted can be tried again."
    if not mine.whole:
        _refuse_what_is_left(batch, words)
        finish(batch)
    else:
        back_to_pending(batch)


def _refuse_what_is_left(batch: Batch, words: str) -> None:
    sentence = f"Its turn did not come: {words}"
    while True:
        table, ids = _next_members(batch)
        if not ids:
            return
        name = "invoice_id" if table is Invoice else "payment_id"
        keep_refusals(batch, [Refusal(sentence, **{name: one}) for one in ids])
