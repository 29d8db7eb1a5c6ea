"""Taking a posted batch back: all of it or nothing (servicetitan-rules §2.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlalchemy as sa

from portal.audit import record
from portal.db import claim, db, lock_rows
from portal.invoices import lock_to_unpost, unpost_invoices
from portal.kernel.errors import DomainError
from portal.models import BATCH, Batch, BatchState, Invoice, Payment
from portal.payments import unpost_payments

CHUNK = 500
NAMED = 10  # refusals told in full


def unpost_batch(
    batch: Batch, *, because: str, note: Callable[[int], None] = lambda _done: None
) -> None:
    """Make every member a draft again; numbers are kept, the batch is Pending.

    In the transaction of whoever calls: the worker (unpost_runs), which has `note` say how many
    are done.

    Raises InvalidTransition (exported, or not posted), DomainError naming the members that
    cannot be unposted (closed period, exported, corrected since, credit paid out).
    """
    lock_rows(Batch, [batch.id])
    BATCH.after(batch.state, "unpost")
    if not because.strip():
        raise DomainError("Say why the batch leaves the books.", field="because")
    invoices = db.session.scalars(
        sa.select(Invoice.id).where(Invoice.batch_id == batch.id).order_by(Invoice.id)
    ).all()
    payments = db.session.scalars(
        sa.select(Payment.id).where(Payment.batch_id == batch.id).order_by(Payment.id)
    ).all()
    _lock(invoices, payments)
    left = unpost_invoices(invoices, because=because, note=note)
    refused = [
        *((one.number, why) for one, why in left.refused),
        *((f"Payment {one.id}", why) for one, why in unpost_payments(payments).refused),
    ]
    if refused:
        raise DomainError(_in_words(refused))
    note(len(invoices) + len(payments))
    batch.posted_at = None
    claim(batch, state=BatchState.PENDING)
    record("unposted", batch, f"Unposted: {because.strip()}")


def _lock(invoices: Sequence[int], payments: Sequence[int]) -> None:
    """Every invoice first, then every payment, members and credits alike: everybody's order."""
    lock_to_unpost(invoices)
    wanted = set(payments)
    for start in range(0, len(invoices), CHUNK):
        part = Payment.document_id.in_(invoices[start : start + CHUNK])
        wanted.update(db.session.scalars(sa.select(Payment.id).where(part)))
    for start in range(0, len(wanted), CHUNK):
        part = Payment.id.in_(sorted(wanted)[start : start + CHUNK])
        query = sa.select(Payment.id).where(part).order_by(Payment.id)
        db.session.execute(query.with_for_update(of=Payment)).all()


def _in_words(refused: list[tuple[str, str]]) -> str:
    named = " ".join(f"{number}: {why}" for number, why in refused[:NAMED])
    more = f" And {len(refused) - NAMED} more." if len(refused) > NAMED else ""
    return f"Nothing was unposted. {named}{more}"
