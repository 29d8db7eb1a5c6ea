"""The menu of what may be done with a final document, and why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import lazy_gettext as later

from portal.access import Ability
from portal.invoices import correction_problem, unposting_problem
from portal.late_fees import taking_back_problem
from portal.models import Invoice, InvoiceKind


@dataclass(frozen=True)
class Way:
    """One entry of the menu; `problem` says why it cannot be done now."""

    label: Any
    hint: Any
    icon: str
    url: str
    ability: Ability
    problem: str | None


def _of(kind: InvoiceKind) -> Callable[[Invoice], str | None]:
    return lambda invoice: correction_problem(invoice, kind)


WAYS: tuple[tuple[Any, Any, str, str, Ability, Callable[[Invoice], str | None]], ...] = (
    (later("Adjustment"), later("Charge more or less in a document of its own"), "plus-minus",
     "staff.corrections.adjustment", Ability.CORRECT_INVOICES, _of(InvoiceKind.ADJUSTMENT)),
    (later("Credit note"), later("Take lines of it back"), "receipt-refund",
     "staff.corrections.credit_note", Ability.CORRECT_INVOICES, _of(InvoiceKind.CREDIT_NOTE)),
    (later("Write off the balance"), later("Give up what is still owed"), "file-x",
     "staff.corrections.write_off_question", Ability.WRITE_OFF, _of(InvoiceKind.WRITE_OFF)),
    (later("Unpost"), later("Make it a draft again"), "lock-open",
     "staff.corrections.unposting", Ability.UNPOST_INVOICES, unposting_problem),
)  # fmt: skip
OF_INTEREST = (
    later("Take the late fee back"), later("Credit it; its days are not charged again"),
    "arrow-back-up", "staff.late_fees.taking_back", Ability.CORRECT_INVOICES, taking_back_problem,
)  # fmt: skip


def ways_to_correct(invoice: Invoice) -> list[Way]:
    """What a final document's page offers; nothing for drafts, which are simply edited."""
    if not invoice.is_on_the_books:
        return []
    ways = WAYS if invoice.kind is not InvoiceKind.INTEREST else (*WAYS, OF_INTEREST)
    return [
        Way(label, hint, icon, url_for(endpoint, invoice_id=invoice.id), ability, problem(invoice))
        for label, hint, icon, endpoint, ability, problem in ways
    ]
