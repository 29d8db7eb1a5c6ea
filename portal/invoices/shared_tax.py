"""Credit notes that become final together share the cents of tax that were charged."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from portal.audit import record
from portal.db import db
from portal.invoices.crediting import Room
from portal.invoices.totals import credit_tax_problem, take_what_is_left
from portal.kernel.money import Money
from portal.models import Invoice, InvoiceKind, InvoiceState


def share_the_tax(
    note: Invoice, room: Room, batch_id: int | None, problem: str, ask: Callable[[], str | None]
) -> str | None:
    """Of credit notes that become final together, the later one takes the tax that is left.

    Gives what `ask` finds then. Where anything else keeps it from being posted, it stays as it
    was: a draft that is refused is not rewritten.
    """
    beside = room.notes_before(note)
    if not beside and not _follows_in_batch(note, batch_id):
        return problem
    if not credit_tax_problem(note, beside):
        return problem
    before = note.shown(note.tax_total), note.shown(note.total)
    with db.session.begin_nested() as attempt:
        take_what_is_left(note, beside)
        if left := ask():
            attempt.rollback()
            return left
        _tell(note, before)
    return None


def _tell(note: Invoice, before: tuple[Money, Money]) -> None:
    after = note.shown(note.tax_total), note.shown(note.total)
    tax, total = ([str(was), str(now)] for was, now in zip(before, after, strict=True))
    words = "An earlier credit note of the same run took its part of the tax"
    sentence = f"{words}: {' → '.join(tax)}, in all {' → '.join(total)}."
    record("tax refreshed", note, sentence, {"tax": tax, "total": total})


def _follows_in_batch(note: Invoice, batch_id: int | None) -> bool:
    """Whether an earlier part of the same batch made another note of its original final."""
    if batch_id is None or note.kind is not InvoiceKind.CREDIT_NOTE:
        return False
    query = sa.select(Invoice.id).where(
        Invoice.adjusts_id == note.adjusts_id,
        Invoice.kind == InvoiceKind.CREDIT_NOTE,
        Invoice.batch_id == batch_id,
        Invoice.state == InvoiceState.POSTED,
    )
    return db.session.scalar(query.limit(1)) is not None
