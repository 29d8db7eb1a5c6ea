"""What invoices tell the rest of the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.kernel.events import Event
from portal.kernel.money import ZERO, Money
from portal.models import Invoice


@dataclass(frozen=True)
class InvoicesPosted(Event):
    """These invoices became final and are on the books."""

    invoices: Sequence[Invoice]


@dataclass(frozen=True)
class InvoiceShrinking(Event):
    """A Pending invoice is about to cost less than was already applied to it.

    Whoever keeps the applications takes `excess` back before the new total is saved.
    """

    invoice: Invoice
    excess: Money


@dataclass(frozen=True)
class InvoiceChanged(Event):
    """What is owed changed, or the invoice was cancelled: open checkouts are out of date.

    `dearer_by` is how much more it costs than before (negative: less); zero when money moved.
    """

    invoice: Invoice
    dearer_by: Money = ZERO


@dataclass(frozen=True)
class DocumentsCredited(Event):
    """These documents with a negative total are on the books: the customer has that in credit.

    They and what they correct are locked. Whoever keeps the credit makes a row for each and
    uses it for the corrected invoice first (decisions/0007).
    """

    documents: Sequence[Invoice]


@dataclass(frozen=True)
class CreditWithdrawn(Event):
    """These documents are about to leave the books: what became of their credit is undone.

    `locked` are the ids of all invoices that are held: these, what they correct, and whatever
    their credit was used for a moment ago. Refused when part of it was given back in money.
    """

    documents: Sequence[Invoice]
    because: str
    locked: frozenset[int]
