"""Which edit is allowed in which state: the one table (servicetitan-rules §2.1).

Services ask `require_allowed`; they do not know who acts. Pages ask `why_not`, which also looks
at the role, and show the answer beside what they disable. Both check in one order: permission,
period, export status, field (ARCHITECTURE, decision 12); values are checked by each service.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from portal.access import Ability
from portal.invoices.wording import document_word
from portal.kernel.errors import InvalidTransition
from portal.kernel.money import ZERO
from portal.ledger import closed_sentence, is_open, require_open_period
from portal.models import Invoice, InvoiceKind, InvoiceState


class Edit(StrEnum):
    """Everything somebody may want to do to an invoice or with it."""

    LINES = "lines"
    FACTS = "facts"
    TAX = "tax"
    SUMMARY = "summary"
    LOCATION = "location"
    BUSINESS_UNIT = "business_unit"
    BILL_TO = "bill_to"
    REVIEW = "review"
    ASSIGN = "assign"
    APPROVE = "approve"
    CANCEL = "cancel"
    POST = "post"
    UNPOST = "unpost"
    PAY = "pay"
    UNAPPLY = "unapply"
    ADJUST = "adjust"
    CREDIT = "credit"
    WRITE_OFF = "write_off"


# Allowed, allowed to whom has one more ability, or refused with this sentence.
Answer = bool | Ability | str


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    `bound` says that the month of the invoice must be open. Payments and corrections have a day
    of their own, and their services look at that one; reviewing changes no document.
    """

    ability: Ability
    pending: Answer
    posted: Answer
    exported: Answer
    bound: bool = True
    cancelled: Answer = "{Document} {number} is cancelled."


_POSTED = (
    "{Document} {number} is posted and cannot be edited. "
    "Unpost it, or correct it with an adjustment or a credit note."
)
_EXPORTED = (
    "{Document} {number} was exported and cannot be edited. "
    "Correct it with an adjustment or a credit note."
)
_FINAL = (_POSTED, _EXPORTED)
_REVIEWED = ("{Document} {number} is posted: its review is over.",) * 2
_DRAFT = "{Document} {number} is still Pending: edit it directly."
_A = Ability

RULES: dict[Edit, Rule] = {
    Edit.LINES: Rule(_A.EDIT_INVOICES, True, *_FINAL),
    Edit.FACTS: Rule(_A.EDIT_INVOICES, True, *_FINAL),
    Edit.TAX: Rule(_A.EDIT_INVOICES, True, *_FINAL),
    Edit.SUMMARY: Rule(_A.EDIT_INVOICES, True, True, True, bound=False, cancelled=True),
    Edit.LOCATION: Rule(_A.EDIT_INVOICES, True, True, _EXPORTED),
    Edit.BUSINESS_UNIT: Rule(_A.EDIT_INVOICES, True, True, _EXPORTED),
    Edit.BILL_TO: Rule(
        _A.EDIT_INVOICES,
        "Who owes an invoice cannot change. Cancel it and begin one for the right customer.",
        "Who owes an invoice cannot change. Unpost it, cancel it and begin one for the right "
        "customer.",
        "Who owes an exported invoice cannot change. Take it back with a credit note and bill "
        "the right customer.",
    ),
    Edit.REVIEW: Rule(_A.EDIT_INVOICES, True, *_REVIEWED, bound=False),
    Edit.ASSIGN: Rule(_A.ASSIGN_INVOICES, True, *_REVIEWED, bound=False),
    Edit.APPROVE: Rule(_A.APPROVE_INVOICES, True, *_REVIEWED, bound=False),
    Edit.CANCEL: Rule(_A.EDIT_INVOICES, True, *_FINAL),
    Edit.POST: Rule(
        _A.POST_INVOICES,
        True,
        "Cannot post {document} {number}: it is already posted.",
        "Cannot post {document} {number}: it is already exported.",
        cancelled="Cannot post {document} {number}: it is already cancelled.",
    ),
    Edit.UNPOST: Rule(
        _A.UNPOST_INVOICES, "{Document} {number} is not posted.", True,
        "{Document} {number} was exported and cannot be unposted. "
        "Correct it with an adjustment or a credit note.",
    ),
    Edit.PAY: Rule(_A.TAKE_PAYMENTS, True, True, True, bound=False),
    Edit.UNAPPLY: Rule(_A.UNAPPLY_PAYMENTS, True, True, _A.UNAPPLY_EXPORTED, bound=False),
    Edit.ADJUST: Rule(_A.CORRECT_INVOICES, _DRAFT, True, True, bound=False),
    Edit.CREDIT: Rule(_A.CORRECT_INVOICES, _DRAFT, True, True, bound=False),
    Edit.WRITE_OFF: Rule(_A.WRITE_OFF, _DRAFT, True, True, bound=False),
}  # fmt: skip


def why_not(
    edit: Edit, invoice: Invoice, *, abilities: Collection[str], moves_to: date | None = None
) -> str | None:
    """The first reason in words why somebody with these abilities may not do this, or None.

    `moves_to` is the day the invoice would have afterwards, when the edit gives it another one.
    """
    rule = RULES[edit]
    answer = _answer(rule, invoice)
    wanted = {rule.ability} | ({answer} if isinstance(answer, Ability) else set())
    if lacking := sorted(wanted - set(abilities)):
        return f"Your role does not allow to {lacking[0]}. Ask an administrator."
    return (
        _period_reason(rule, invoice, moves_to)
        or _state_reason(answer, invoice)
        or _kind_reason(edit, invoice)
        or _field_reason(edit, invoice)
    )


def require_allowed(edit: Edit, invoice: Invoice, *, moves_to: date | None = None) -> None:
    """Raises PeriodClosed, then InvalidTransition; the month stays open until the commit."""
    rule = RULES[edit]
    if rule.bound and (day := moves_to or invoice.invoice_date):
        require_open_period(day)
    if reason := _state_reason(_answer(rule, invoice), invoice) or _kind_reason(edit, invoice):
        raise InvalidTransition(reason)


# Made whole by a service of their own: lines, tax and day follow from what they correct.
_AGAIN = {
    InvoiceKind.WRITE_OFF: "A write-off is not edited: cancel it and write off again.",
    InvoiceKind.REFUND: "A refund is not edited: cancel it and refund again.",
}


def _kind_reason(edit: Edit, invoice: Invoice) -> str | None:
    """Also while it is unposted, when its state alone would allow the edit."""
    return _AGAIN.get(invoice.kind) if edit in (Edit.LINES, Edit.FACTS, Edit.TAX) else None


def _answer(rule: Rule, invoice: Invoice) -> Answer:
    match invoice.state:
        case InvoiceState.PENDING:
            return rule.pending
        case InvoiceState.POSTED:
            return rule.posted
        case InvoiceState.EXPORTED:
            return rule.exported
        case InvoiceState.CANCELLED:
            return rule.cancelled


def _period_reason(rule: Rule, invoice: Invoice, moves_to: date | None) -> str | None:
    day = moves_to or invoice.invoice_date
    return closed_sentence(day) if rule.bound and day and not is_open(day) else None


def _state_reason(answer: Answer, invoice: Invoice) -> str | None:
    """Without an ability of its own inside: who may do it was asked before."""
    is_sentence = isinstance(answer, str) and not isinstance(answer, Ability)
    if not is_sentence:
        return None
    word = document_word(invoice)
    inside = word[0].lower() + word[1:]
    return str(answer).format(number=invoice.number, Document=word, document=inside)


def _field_reason(edit: Edit, invoice: Invoice) -> str | None:
    rule = _FIELDS.get(edit)
    return rule(invoice) if rule else None


def _applied(invoice: Invoice) -> str | None:
    """Money on it has to go back to the customer's credit before the invoice goes away."""
    if not invoice.applied:
        return None
    return f"{invoice.applied} is already applied to this invoice. Take the payment back first."


def _settled(invoice: Invoice) -> str | None:
    return None if invoice.balance > ZERO else f"Nothing is owed on invoice {invoice.number}."


_FIELDS: dict[Edit, Callable[[Invoice], str | None]] = {
    Edit.CANCEL: _applied,
    Edit.PAY: _settled,
    Edit.WRITE_OFF: _settled,
}
