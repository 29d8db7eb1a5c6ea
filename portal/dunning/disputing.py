"""Disputes of invoices: what a customer contests is left out of reminders until it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.company import today
from portal.db import Page, PageRequest, claim, db, lock_rows, paginate
from portal.dunning.cases import refresh_cases
from portal.invoices import disputed_amounts
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.kernel.money import ZERO, Money
from portal.models import (
    INVOICE_DISPUTE,
    Invoice,
    InvoiceDispute,
    InvoiceDisputeReason,
    InvoiceDisputeState,
    InvoiceLine,
    User,
)


@dataclass(frozen=True)
class DisputeWords:
    """A dispute as typed; without an amount the whole balance, or the line's total."""

    reason: InvoiceDisputeReason
    words: str = ""
    line_id: int | None = None
    amount: Money | None = None
    owner: User | None = None


def dispute_invoice(
    invoice: Invoice, words: DisputeWords, *, by: User | None = None
) -> InvoiceDispute:
    """Note that a customer contests an invoice or one line of it.

    Reminders and interest leave that part alone from now on. Raises DomainError for an invoice
    nothing is owed on, InvalidFields for an amount beyond what is owed and not contested yet,
    or a line that is another invoice's or contested already.
    """
    lock_rows(Invoice, [invoice.id])
    if not invoice.is_on_the_books or invoice.balance <= ZERO:
        raise DomainError("Nothing is owed on this invoice, so nothing can be contested.")
    line = _line(invoice, words.line_id)
    row = InvoiceDispute(
        invoice_id=invoice.id,
        line_id=line.id if line else None,
        line_words=line.description if line else "",
        amount=_amount(invoice, line, words.amount),
        reason=words.reason,
        words=words.words.strip(),
        owner_id=words.owner.id if words.owner else None,
        opened_on=today(),
        opened_by=by.name if by else invoice.customer.name,
    )
    db.session.add(row)
    db.session.flush()
    what = f"{row.amount} of invoice {invoice.number}"
    record("disputed", invoice, f"The customer contests {what}: {_said(row)}")
    refresh_cases([invoice.customer_id])
    return row


def resolve_dispute(row: InvoiceDispute, *, outcome: str) -> None:
    """It is decided, for the customer or against; what follows is a document of its own."""
    _end(row, "resolve", outcome)


def withdraw_dispute(row: InvoiceDispute, *, because: str) -> None:
    """The customer took it back, or it was a mistake."""
    _end(row, "withdraw", because)


def get_invoice_dispute(dispute_id: int) -> InvoiceDispute:
    """One dispute; NotFound otherwise."""
    row = db.session.get(InvoiceDispute, dispute_id)
    if row is None:
        raise NotFound("No such dispute.")
    return row


def disputes_of_customer(customer_id: int) -> Sequence[InvoiceDispute]:
    """Every dispute about the customer's invoices, open ones first."""
    query = (
        sa.select(InvoiceDispute)
        .join(Invoice, Invoice.id == InvoiceDispute.invoice_id)
        .where(Invoice.customer_id == customer_id)
        .options(joinedload(InvoiceDispute.invoice), joinedload(InvoiceDispute.owner))
        .order_by(InvoiceDispute.state != InvoiceDisputeState.OPEN, InvoiceDispute.id.desc())
    )
    return db.session.scalars(query).all()


def find_invoice_disputes(
    page: PageRequest, *, state: InvoiceDisputeState | None = None, owner_id: int | None = None
) -> Page[InvoiceDispute]:
    """Disputes of all customers, oldest first."""
    query = sa.select(InvoiceDispute)
    if state is not None:
        query = query.where(InvoiceDispute.state == state)
    if owner_id is not None:
        query = query.where(InvoiceDispute.owner_id == owner_id)
    rows = query.options(
        joinedload(InvoiceDispute.invoice).joinedload(Invoice.customer),
        joinedload(InvoiceDispute.owner),
    )
    sorts = {"opened": InvoiceDispute.opened_on, "amount": InvoiceDispute.amount}
    return paginate(query, page, sorts=sorts, default="opened", rows=rows)


def _end(row: InvoiceDispute, verb: str, words: str) -> None:
    if not words.strip():
        raise InvalidFields({"outcome": "Say how it was decided."})
    lock_rows(Invoice, [row.invoice_id])
    after = INVOICE_DISPUTE.after(row.state, verb)
    claim(row, state=after, ended_at=clock.now())
    row.outcome = words.strip()
    sentence = f"The dispute about {row.amount} of invoice {row.invoice.number} is {after}: "
    record(str(after), row.invoice, sentence + row.outcome)
    refresh_cases([row.invoice.customer_id])


def _line(invoice: Invoice, line_id: int | None) -> InvoiceLine | None:
    if line_id is None:
        return None
    line = next((one for one in invoice.lines if one.id == line_id), None)
    if line is None:
        raise InvalidFields({"line_id": "This line is not on the invoice any more."})
    open_one = sa.select(InvoiceDispute.id).where(
        InvoiceDispute.line_id == line_id, InvoiceDispute.state == InvoiceDisputeState.OPEN
    )
    if db.session.scalar(open_one) is not None:
        raise InvalidFields({"line_id": "This line is contested already."})
    return line


def _amount(invoice: Invoice, line: InvoiceLine | None, typed: Money | None) -> Money:
    free = invoice.balance - disputed_amounts([invoice.id]).get(invoice.id, ZERO)
    if free <= ZERO:
        raise InvalidFields({"amount": "All that is owed on it is contested already."})
    amount = typed if typed is not None else min(line.total if line else free, free)
    if amount <= ZERO or amount > free:
        raise InvalidFields({"amount": f"Give an amount above zero, at most {free}."})
    return amount


def _said(row: InvoiceDispute) -> str:
    reason = str(row.reason).replace("_", " ")
    about = f" ({row.line_words})" if row.line_words else ""
    return f"{reason}{about}. {row.words}".strip()
