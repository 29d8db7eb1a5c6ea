"""What is asked before invoices are made final or leave the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from flask import Response, request
from flask_babel import gettext as _

from portal.invoices import (
    PreviewRow,
    active_rules,
    billing_addresses,
    get_invoice,
    posting_preview,
    posting_problem,
    sending_problem,
    tax_is_stale,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.ledger import is_open, next_open_day
from portal.models import ApprovalRule, Invoice, InvoiceState, ReviewState
from portal.sendings import sent_marks
from portal.web import render_page


@dataclass(frozen=True)
class Asked:
    """One invoice of the question: what to look out for, and why it cannot be done if so."""

    invoice: Invoice
    notes: Sequence[str]
    problem: str | None
    goes_to: Sequence[str] = ()
    open_day: date | None = None  # when only the closed month of its date stands in the way
    mark: str = ""  # what was sent about it so far, where that is the question

    @property
    def seen(self) -> str:
        """The invoice as it was shown; it changes when anybody saves it, or sends it too."""
        mark = f".{self.mark}" if self.mark else ""
        return f"{self.invoice.id}.{self.invoice.version}{mark}"


@dataclass(frozen=True)
class Question:
    """Everything the page says before it is done: about whom, how much, and what looks odd."""

    verb: str
    rows: Sequence[Asked]

    @property
    def ready(self) -> list[Asked]:
        return [one for one in self.rows if one.problem is None]

    @property
    def total(self) -> Money:
        together = Money.total(one.invoice.total for one in self.ready)
        return -together if all(one.invoice.sign < 0 for one in self.ready) else together

    @cached_property
    def preview(self) -> list[PreviewRow]:
        """What posting those that can be posted would write into the journal."""
        return posting_preview([one.invoice for one in self.ready])

    @property
    def debits(self) -> Money:
        return Money.total(row.debit for row in self.preview)

    @property
    def credits(self) -> Money:
        return Money.total(row.credit for row in self.preview)


def posting_question(ids: Sequence[int]) -> Question:
    open_months: dict[date, bool] = {}
    rules = active_rules()
    return _question("post", ids, lambda one: _before_posting(one, open_months, rules))


def sending_question(ids: Sequence[int]) -> Question:
    marks = sent_marks(ids)
    return _question("send", ids, lambda one: _before_sending(one, marks[one.id]))


def is_answered(question: Question) -> bool:
    """Whether somebody said yes to these very invoices, unchanged since they were shown."""
    if request.form.get("confirmed") != "yes":
        return False
    seen = request.form.getlist("seen")
    return set(seen) == {one.seen for one in question.rows}


def ask(question: Question, *, address: str, back: str) -> Response:
    """The question as a page of its own, so that it is asked without scripts too."""
    return render_page(
        "staff/invoices/question.html", question=question, address=address, back=back,
        again=request.form.get("confirmed") == "yes",
    )  # fmt: skip


def ticked() -> list[int]:
    """The invoices ticked in the list, in its order; DomainError when there are none."""
    ids = list(dict.fromkeys(request.form.getlist("ids", type=int)))
    if not ids:
        raise DomainError(_("Tick the invoices this is about first."))
    return ids


def needs_a_look(invoice: Invoice) -> bool:
    """A draft nobody reviewed yet."""
    is_draft = invoice.state is InvoiceState.PENDING
    return is_draft and invoice.review_state is not ReviewState.REVIEWED


def _question(verb: str, ids: Sequence[int], look: Callable[[Invoice], Asked]) -> Question:
    return Question(verb, [look(get_invoice(one)) for one in ids])


def _before_posting(
    invoice: Invoice, open_months: dict[date, bool], rules: Sequence[ApprovalRule]
) -> Asked:
    problem = posting_problem(invoice, open_months, rules=rules)
    day = invoice.invoice_date
    if day is None or invoice.state is not InvoiceState.PENDING or is_open(day):
        return Asked(invoice, _notes(invoice), problem)
    return Asked(invoice, _notes(invoice), problem, open_day=next_open_day(day))


def _before_sending(invoice: Invoice, mark: str) -> Asked:
    notes = _notes(invoice) if invoice.state is InvoiceState.PENDING else []
    if invoice.state is InvoiceState.PENDING:
        notes = [_("It is a draft: the customer gets it marked so, with a link to pay."), *notes]
    addresses = billing_addresses(invoice)
    return Asked(invoice, notes, _sending_problem(invoice, addresses), addresses, mark=mark)


def _sending_problem(invoice: Invoice, addresses: Sequence[str]) -> str | None:
    if problem := sending_problem(invoice):
        return problem
    return None if addresses else str(_("Nobody at this customer has an email address."))


def _notes(invoice: Invoice) -> list[str]:
    """What a careful colleague would mention."""
    notes = []
    if invoice.review_state is ReviewState.ON_HOLD:
        notes.append(_("It is on hold: %(n)s", n=invoice.review_note))
    elif invoice.review_state is not ReviewState.REVIEWED:
        notes.append(_("Nobody reviewed it yet."))
    if invoice.tax_zone is None and not invoice.customer.tax_exempt:
        notes.append(_("It has no tax zone: no sales tax is charged."))
    elif tax_is_stale(invoice):
        notes.append(_("The tax zone or its rate changed since the tax was computed."))
    if not invoice.total:
        notes.append(_("Its total is zero."))
    return notes
