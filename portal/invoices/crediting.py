"""How much of a document may still be credited, and whether a correction fits into it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from portal.db import db, total_of
from portal.invoices.wording import document_word
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import ON_THE_BOOKS, Invoice, InvoiceKind

# These take off what is still owed, and no more: bad debt, or a debt that somebody else takes over.
ONLY_WHAT_IS_OWED = frozenset({InvoiceKind.WRITE_OFF, InvoiceKind.FINANCING})


class Room:
    """What each original still has room for; remembers what this run already takes of it.

    The originals must be locked for the answer to hold.
    """

    def __init__(self) -> None:
        self._taken: dict[int, Money] = defaultdict(lambda: ZERO)
        self._posting: set[int] = set()
        self._corrections: dict[int, list[Invoice]] = defaultdict(list)

    def problem(self, correction: Invoice) -> str | None:
        """Why a correction cannot become final, in words, or None (servicetitan-rules §7)."""
        original = correction.adjusts
        if original is None:
            if correction.total >= ZERO:
                return None
            return "The total is negative. Give the money back with a credit note instead."
        if not original.is_on_the_books and original.id not in self._posting:
            return f"Invoice {original.number}, which it corrects, is not posted."
        if original.customer_id != correction.customer_id:
            return f"Invoice {original.number}, which it corrects, is another customer's."
        assert original.invoice_date is not None
        if correction.invoice_date and correction.invoice_date < original.invoice_date:
            return f"It is dated before invoice {original.number}, which it corrects."
        return self.too_much(correction, original)

    def take(self, invoice: Invoice) -> None:
        """Count a document that is about to be posted when the next ones are looked at."""
        self._posting.add(invoice.id)
        if invoice.adjusts_id is not None:
            self._taken[invoice.adjusts_id] += -min(invoice.total, ZERO)
            self._corrections[invoice.adjusts_id].append(invoice)

    def notes_before(self, note: Invoice) -> list[Invoice]:
        """Credit notes of the same original that this run already counted."""
        corrections = self._corrections[note.adjusts_id] if note.adjusts_id else []
        return [one for one in corrections if one.kind is InvoiceKind.CREDIT_NOTE]

    def too_much(self, correction: Invoice, original: Invoice) -> str | None:
        """The sentence that names what is left when a correction takes off more than that."""
        if correction.total >= ZERO:
            return None
        taken = self._taken[original.id]
        left = left_to_credit(original) - taken
        if correction.kind in ONLY_WHAT_IS_OWED:
            left = min(left, original.balance - taken)
        if -correction.total <= max(left, ZERO):
            return None
        return (
            f"This {document_word(correction).lower()} takes {-correction.total} off invoice "
            f"{original.number}, of which only {max(left, ZERO)} is left{self._others(original)}."
        )

    def _others(self, original: Invoice) -> str:
        """Which documents of the same run took what is missing, in words."""
        named = [
            f"{document_word(one).lower()} {one.number} takes {-one.total}"
            for one in self._corrections[original.id]
            if one.total < ZERO
        ]
        return f": {', '.join(named)} in the same go" if named else ""


def left_to_credit(original: Invoice) -> Money:
    """Its total less every final document that already took something off it."""
    taken = sa.select(total_of(Invoice.total)).where(
        Invoice.adjusts_id == original.id,
        Invoice.total < ZERO,
        Invoice.state.in_(ON_THE_BOOKS),
    )
    with db.session.no_autoflush:
        return original.total + (db.session.scalar(taken) or ZERO)


@contextmanager
def undone_when_refused(invoice: Invoice) -> Iterator[None]:
    """What is done inside to a correction is taken back when it does not fit the original.

    So that a page can show what was refused beside what is saved.
    """
    if invoice.adjusts_id is None:
        yield
        return
    with db.session.begin_nested():
        yield
        db.session.flush()


def require_room(correction: Invoice) -> None:
    """At saving: never more than the original has left; drafts of others do not count yet.

    Raises DomainError that names what is left.
    """
    if correction.adjusts is None:
        return
    if problem := Room().too_much(correction, correction.adjusts):
        raise DomainError(problem)
