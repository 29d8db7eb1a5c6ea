"""Members come and go while a batch is Pending; each is in one batch at most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa

from portal.audit import Happening, record, record_many
from portal.batches.keeping import lock_open
from portal.batches.readiness import FreePayments, held_back, ready_invoice
from portal.company import today
from portal.db import db
from portal.invoices import InvoiceChanged, InvoiceFilter, ids_of_invoices
from portal.kernel.errors import Conflict
from portal.models import Batch, Invoice, InvoiceState, Payment, PaymentOrigin, PaymentState

AT_ONCE = 5_000  # values one statement may carry on both engines
UNBATCHED = "unbatched"  # what the trail calls leaving a batch; the hourly rules read it

NO_MONEY_MOVED = "It is a document's credit: no money moved."

Member = type[Invoice] | type[Payment]
PENDING: dict[Member, Any] = {Invoice: InvoiceState.PENDING, Payment: PaymentState.PENDING}


@dataclass
class FillingOutcome:
    """How many came in, and why each of the others did not."""

    added: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def add_invoices(batch: Batch, ids: Sequence[int]) -> FillingOutcome:
    """Put these Pending invoices in; the others are named with their reason.

    What is on hold, waits for approval or was rejected stays out until somebody decides.
    Raises DomainError when the batch takes no more.
    """
    lock_open(batch)
    query = sa.select(Invoice.id, Invoice.state, Invoice.batch_id, _NUMBER, Invoice.review_state)
    return _add(batch, Invoice, query, ids)


def add_payments(batch: Batch, ids: Sequence[int]) -> FillingOutcome:
    """Put these Pending payments in; the others are named with their reason."""
    lock_open(batch)
    query = sa.select(
        Payment.id,
        Payment.state,
        Payment.batch_id,
        sa.cast(Payment.id, sa.String).label("number"),
        Payment.origin,
    )
    return _add(batch, Payment, query, ids)


def add_matching_invoices(batch: Batch, wanted: InvoiceFilter) -> int:
    """Put in everything the filter lets through that is ready and in no batch; returns how many."""
    lock_open(batch)
    matching = Invoice.id.in_(ids_of_invoices(wanted, on=today()))
    return put_in(batch, Invoice, [matching, ready_invoice()])


def add_matching_payments(batch: Batch, wanted: FreePayments) -> int:
    """Put in every Pending payment the filter lets through that is in no batch."""
    lock_open(batch)
    return put_in(batch, Payment, wanted.wheres())


def put_in(batch: Batch, table: Member, wheres: Sequence[sa.ColumnElement[bool]]) -> int:
    """Lock what fits in id order, then put it in; the batch is locked already."""
    query = sa.select(table.id).where(*wheres).order_by(table.id).with_for_update(of=table)
    ids = list(db.session.scalars(query))
    _put(batch, table, ids)
    return len(ids)


def remove_invoices(batch: Batch, ids: Sequence[int]) -> int:
    """Take these out; those that are not in it are passed over. Returns how many left."""
    lock_open(batch)
    return take_out(batch, Invoice, ids)


def remove_payments(batch: Batch, ids: Sequence[int]) -> int:
    """Take these out; those that are not in it are passed over. Returns how many left."""
    lock_open(batch)
    return take_out(batch, Payment, ids)


def take_out(batch: Batch, table: Member, ids: Sequence[int]) -> int:
    """Take members out and say so in each timeline; the batch is locked already."""
    left: list[int] = []
    for some in _parts(sorted(ids)):
        mine = sa.select(table.id).where(table.id.in_(some), table.batch_id == batch.id)
        found = list(db.session.scalars(mine.order_by(table.id).with_for_update(of=table)))
        _set(table, found, [table.batch_id == batch.id], None)
        left += found
    _tell(batch, table, left, UNBATCHED, "Taken out of", "taken out")
    return len(left)


def leave_batch(event: InvoiceChanged) -> None:
    """A cancelled invoice is nothing to post any more."""
    invoice = event.invoice
    if invoice.state is InvoiceState.CANCELLED and invoice.batch_id is not None:
        number = invoice.batch.number if invoice.batch else ""
        invoice.batch_id = None
        record(UNBATCHED, invoice, f"Taken out of batch {number}, since it was cancelled.")


def _add(
    batch: Batch, table: Member, query: sa.Select[*tuple[Any, ...]], ids: Sequence[int]
) -> FillingOutcome:
    outcome, fitting, elsewhere = FillingOutcome(), [], []
    kept_out: dict[Any, str] = {one: str(words) for one, words in held_back().items()}
    kept_out[PaymentOrigin.DOCUMENT] = NO_MONEY_MOVED
    for some in _parts(sorted(set(ids))):
        locked = query.where(table.id.in_(some)).order_by(table.id).with_for_update(of=table)
        for row_id, state, batch_id, number, word in db.session.execute(locked):
            if state != PENDING[table]:
                outcome.refused.append((number, f"It is already {state}."))
            elif word in kept_out:
                outcome.refused.append((number, kept_out[word]))
            elif batch_id is None:
                fitting.append(row_id)
            else:
                elsewhere.append((number, batch_id))
    _put(batch, table, fitting)
    outcome.added = len(fitting)
    outcome.refused += _in_words(elsewhere)
    return outcome


def _in_words(elsewhere: Sequence[tuple[str, int]]) -> list[tuple[str, str]]:
    wanted = sorted({batch_id for _, batch_id in elsewhere})
    query = sa.select(Batch.id, Batch.number).where(Batch.id.in_(wanted))
    names = dict(db.session.execute(query).all()) if wanted else {}
    return [(number, f"It is already in batch {names[one]}.") for number, one in elsewhere]


def _put(batch: Batch, table: Member, ids: Sequence[int]) -> None:
    for some in _parts(ids):
        free = [table.batch_id.is_(None), table.state == PENDING[table]]
        if _set(table, some, free, batch.id) != len(some):
            raise Conflict("Somebody else put one of them into a batch. Look again, then retry.")
    _tell(batch, table, ids, "batched", "Put into", "put in")


def _set(
    table: Member, ids: Sequence[int], still: Sequence[sa.ColumnElement[bool]], to: int | None
) -> int:
    """Compare-and-set; the version stays, since nothing of what people edit changed."""
    query = sa.update(table).where(table.id.in_(ids), *still).values(batch_id=to)
    return cast(sa.CursorResult[Any], db.session.execute(query)).rowcount if ids else 0


def _tell(batch: Batch, table: Member, ids: Sequence[int], verb: str, did: str, done: str) -> None:
    if not ids:
        return
    noun = table.__name__.lower()
    record_many([Happening(verb, noun, one, f"{did} batch {batch.number}.") for one in ids])
    words = f"One {noun} was" if len(ids) == 1 else f"{len(ids)} {noun}s were"
    record(verb, batch, f"{words} {done}.")


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


_NUMBER = sa.func.coalesce(Invoice.document_number, Invoice.reference_number)
