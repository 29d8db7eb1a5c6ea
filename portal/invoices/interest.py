"""Interest on an overdue invoice, charged by hand: a draft of its own that hangs on it.

Source: servicetitan-rules §9.3 and §15; charging by the term's rule is `portal.late_fees`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

from portal.audit import Happening, record_many
from portal.company import today
from portal.db import db
from portal.invoices.in_dispute import disputed_amounts
from portal.invoices.lines import LineWords
from portal.invoices.locking import lock_in_order
from portal.invoices.on_plans import plans_in_good_standing
from portal.invoices.starting import ManualInvoice, start_manual_invoice
from portal.kernel import calendar
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.ledger import account_id_for
from portal.models import AccountRole, Invoice, InvoiceKind, InvoiceState, ItemKind

DAYS_OF_A_YEAR = 365


@dataclass(frozen=True)
class InterestProposal:
    """What would be charged and how it comes about; `since` is the first day not charged yet."""

    amount: Money
    since: date
    days: int
    sentence: str


def interest_problem(invoice: Invoice, *, on: date) -> str | None:
    """The first reason why no interest can be charged that day, in words, or None.

    Money that a payer's bank is asking back counts as paid until that is decided, so it is not
    in the balance and bears no interest.
    """
    if not invoice.is_on_the_books:
        return "Interest is charged on posted invoices only."
    if invoice.kind is InvoiceKind.INTEREST:
        return "No interest is charged on interest."
    if not invoice.is_overdue(on):
        return "Nothing on this invoice is past due."
    if not _undisputed(invoice):
        return "All that is owed on it is disputed: no interest meanwhile."
    if plan := plans_in_good_standing([invoice.id], on=on).get(invoice.id):
        return f"It is on payment plan {plan.number}, which is kept to: no interest meanwhile."
    if earlier := _charged_in_month(invoice, on):
        return f"Interest was already charged this month: {earlier.number}."
    return None


def propose_interest(
    invoice: Invoice, *, rate: Rate | None = None, flat: Money | None = None, on: date
) -> InterestProposal:
    """The amount by a yearly rate over the days not charged yet, or the flat amount.

    Simple interest on what is owed today and not disputed: that × rate × days ÷ 365, rounded half
    up once.
    Raises InvalidFields when neither or both are given, or nothing comes out.
    """
    if (rate is None) == (flat is None):
        raise InvalidFields({"rate": "Give either a rate per year or an amount."})
    since = _uncharged_since(invoice)
    days, base = (on - since).days, _undisputed(invoice)
    if flat is not None:
        amount, how = flat, f"{base} is {days} days past due: a flat {flat}"
    else:
        assert rate is not None
        amount = base.times(rate.value * Decimal(days) / DAYS_OF_A_YEAR)
        percent = f"{rate.as_percent.normalize():f}%"
        how = f"{base} × {percent} per year × {days} days ÷ 365 = {amount}"
    if amount <= ZERO:
        raise InvalidFields({"rate" if flat is None else "flat": "That comes to nothing."})
    return InterestProposal(amount, since, days, how)


def charge_interest(
    invoice: Invoice, *, rate: Rate | None = None, flat: Money | None = None
) -> Invoice:
    """A draft of kind interest, dated today, with one untaxed line; once per invoice and month.

    The invoice is locked, so that of two who press at once the second is told of the first
    one's. Raises DomainError with the reason, PeriodClosed or InvalidFields.
    """
    lock_in_order([invoice.id])
    db.session.refresh(invoice)
    on = today()
    if problem := interest_problem(invoice, on=on):
        raise DomainError(problem)
    proposal = propose_interest(invoice, rate=rate, flat=flat, on=on)
    return start_interest_invoice(
        invoice, proposal.amount, first=proposal.since, last=on, sentence=proposal.sentence
    )


def start_interest_invoice(
    invoice: Invoice, amount: Money, *, first: date, last: date, sentence: str
) -> Invoice:
    """The draft for an amount somebody computed for these days; both timelines tell of it.

    The invoice is locked by the caller. Raises PeriodClosed, or DomainError when the customer
    is deactivated.
    """
    draft = start_manual_invoice(
        ManualInvoice(
            customer=invoice.customer,
            kind=InvoiceKind.INTEREST,
            location=invoice.location,
            invoice_date=today(),
            business_unit_id=invoice.business_unit_id,
            adjusts=invoice,
            reason=sentence,
            summary=f"Interest on invoice {invoice.number}, due {invoice.due_date}",
        ),
        [_line(invoice, amount, first, last, sentence)],
    )
    _tell_both(invoice, draft, sentence)
    return draft


def _line(invoice: Invoice, amount: Money, first: date, last: date, sentence: str) -> LineWords:
    days = f"from {first.isoformat()} to {last.isoformat()}"
    return LineWords(
        description=f"Interest on invoice {invoice.number} {days}: {sentence}",
        quantity=Quantity.of(1),
        unit_price=UnitPrice.of(amount.amount),
        kind=ItemKind.FEE,
        taxable=False,
        income_account_id=account_id_for(AccountRole.INTEREST_INCOME),
    )


def _tell_both(invoice: Invoice, draft: Invoice, sentence: str) -> None:
    """One line in the timeline of each."""
    about_draft = f"Interest of {draft.total} was charged: draft {draft.number}."
    about_original = f"It charges interest on invoice {invoice.number}: {sentence}."
    record_many(
        [
            Happening("interest charged", "invoice", invoice.id, about_draft),
            Happening("interest charged", "invoice", draft.id, about_original),
        ]
    )


def _charged(invoice: Invoice) -> sa.Select[Invoice]:
    return sa.select(Invoice).where(
        Invoice.adjusts_id == invoice.id,
        Invoice.kind == InvoiceKind.INTEREST,
        Invoice.state != InvoiceState.CANCELLED,
    )


def _charged_in_month(invoice: Invoice, on: date) -> Invoice | None:
    month = sa.and_(
        Invoice.invoice_date >= calendar.month_start(on),
        Invoice.invoice_date <= calendar.month_end(on),
    )
    return db.session.scalars(_charged(invoice).where(month)).first()


def _undisputed(invoice: Invoice) -> Money:
    """What is owed and not contested."""
    return invoice.balance - disputed_amounts([invoice.id]).get(invoice.id, ZERO)


def _uncharged_since(invoice: Invoice) -> date:
    """The due date, or the day up to which interest was charged last."""
    assert invoice.due_date is not None
    days = [one.invoice_date for one in db.session.scalars(_charged(invoice)) if one.invoice_date]
    return max([invoice.due_date, *days])
