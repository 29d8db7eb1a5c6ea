"""Financing: another party takes over what is owed, in two documents that live and die together.

The customer's half takes the amount off the invoice, the payer's half charges it to the payer;
both go over Finance Clearing, where each pair adds up to zero (servicetitan-rules §15,
docs/decisions/0007).
"""

from __future__ import annotations

from datetime import date

from portal.audit import Happening, record_many
from portal.company import today
from portal.db import db
from portal.invoices.editing import cancel_invoice
from portal.invoices.financing_pairs import Financing
from portal.invoices.locking import lock_in_order
from portal.invoices.posting import post_invoices
from portal.invoices.starting import default_term
from portal.invoices.totals import price_invoice
from portal.invoices.unposting import lock_to_unpost, unpost_invoices
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import account_id_for, closed_sentence, is_open, next_number, require_open_period
from portal.models import (
    AccountRole,
    Customer,
    Invoice,
    InvoiceKind,
    InvoiceLine,
    InvoiceState,
    ItemKind,
    ReviewState,
    User,
)


def financing_problem(invoice: Invoice) -> str | None:
    """The first reason why nobody can take over what is owed on it, in words, or None."""
    day = _day_for(invoice)
    if not is_open(day):
        return closed_sentence(day)
    if not invoice.is_on_the_books:
        return "Only what is posted can be taken over by somebody else."
    if invoice.kind is InvoiceKind.FINANCING:
        return "This is a financing already. Undo it to choose another payer."
    if invoice.balance <= ZERO:
        return f"Nothing is owed on invoice {invoice.number}."
    return None


def finance(
    invoice: Invoice, payer: Customer, amount: Money, *, because: str, by: User | None = None
) -> Financing:
    """Let `payer` owe `amount` instead: both halves are made and posted at once, or neither.

    The invoice is locked, so the amount never exceeds its balance. Raises PeriodClosed,
    DomainError with the reason, or InvalidFields for the payer, the amount or no reason.
    """
    lock_in_order([invoice.id])
    db.session.refresh(invoice)
    require_open_period(_day_for(invoice))
    if problem := financing_problem(invoice):
        raise DomainError(problem)
    _check(invoice, payer, amount, because.strip())
    with db.session.begin_nested():
        pair = _make(invoice, payer, amount, because.strip())
        outcome = post_invoices([pair.leaves.id, pair.arrives.id], by=by)
        if outcome.refused:
            raise DomainError(outcome.refused[0][1])
    _tell(pair, invoice, f"{payer.name} took over {amount}: {because.strip()}")
    return pair


def undoing_problem(pair: Financing) -> str | None:
    """Why the pair cannot be undone now, in words, or None."""
    if pair.arrives.state is InvoiceState.EXPORTED or pair.leaves.state is InvoiceState.EXPORTED:
        return "This financing was already exported. Correct it with a new document instead."
    if not pair.is_on_the_books:
        return "This financing was already undone."
    if pair.arrives.balance != pair.arrives.total:
        paid = pair.arrives.total - pair.arrives.balance
        return f"{paid} of {pair.arrives.number} is already paid. Take that payment back first."
    return None


def undo_financing(pair: Financing, *, because: str, by: User | None = None) -> None:
    """Take both halves off the books and cancel them: the customer owes the amount again.

    Raises DomainError with the reason; nothing is undone then.
    """
    lock_to_unpost([pair.leaves.id, pair.arrives.id])
    for half in (pair.leaves, pair.arrives):
        db.session.refresh(half)
    if problem := undoing_problem(pair):
        raise DomainError(problem)
    why = because.strip()
    if not why:
        raise InvalidFields({"because": "Say why the financing is undone."})
    ids = [pair.leaves.id, pair.arrives.id]
    with db.session.begin_nested():
        outcome = unpost_invoices(ids, because=why, by=by, financing=True)
        if outcome.refused:
            raise DomainError(outcome.refused[0][1])
        for half in (pair.arrives, pair.leaves):
            cancel_invoice(half, because=why)
    assert pair.leaves.adjusts is not None
    _tell(pair, pair.leaves.adjusts, f"The financing of {pair.amount} was undone: {why}")


def _day_for(invoice: Invoice) -> date:
    return max(today(), invoice.invoice_date or today())


def _check(invoice: Invoice, payer: Customer, amount: Money, because: str) -> None:
    errors = {}
    if payer.id == invoice.customer_id:
        errors["customer"] = "This customer owes it already. Choose who pays instead."
    elif not payer.active:
        errors["customer"] = f"{payer.name} is deactivated. Reactivate the customer first."
    if amount <= ZERO:
        errors["amount"] = "Give an amount of at least one cent."
    elif amount > invoice.balance:
        errors["amount"] = f"Only {invoice.balance} is still owed."
    if not because:
        errors["because"] = "Say why somebody else pays, e.g. the number of the contract."
    if errors:
        raise InvalidFields(errors)


def _make(invoice: Invoice, payer: Customer, amount: Money, because: str) -> Financing:
    taken = f"Taken over by {payer.name}: {because}"
    leaves = _half(invoice, invoice.customer, -1, amount, taken, because)
    leaves.adjusts = invoice
    whose = f"{invoice.customer.name}, invoice {invoice.number}"
    arrives = _half(invoice, payer, 1, amount, f"Taken over from {whose}: {because}", because)
    arrives.transfers = leaves
    arrives.term = default_term(payer)
    arrives.due_date = arrives.term.due_date(_day_for(invoice))
    for half in (leaves, arrives):
        with db.session.no_autoflush:
            price_invoice(half)
        half.reference_number = next_number("M", _day_for(invoice))[0]
        db.session.add(half)
        db.session.flush()
    return Financing(leaves, arrives)


def _half(
    invoice: Invoice, customer: Customer, sign: int, amount: Money, words: str, because: str
) -> Invoice:
    """One untaxed line on Finance Clearing, dated today."""
    return Invoice(
        kind=InvoiceKind.FINANCING,
        customer=customer,
        business_unit_id=invoice.business_unit_id,
        invoice_date=_day_for(invoice),
        review_state=ReviewState.REVIEWED,
        reason=because,
        lines=[
            InvoiceLine(
                position=0,
                kind=ItemKind.FEE,
                description=words,
                quantity=Quantity.of(sign),
                unit_price=UnitPrice.of(amount.amount),
                taxable=False,
                income_account_id=account_id_for(AccountRole.FINANCE_CLEARING),
            )
        ],
        taxes=[],
    )


def _tell(pair: Financing, original: Invoice, what: str) -> None:
    """One line in the timeline of all three."""
    halves = f"({pair.leaves.number} and {pair.arrives.number})"
    record_many(
        [
            Happening("financing", "invoice", one.id, f"{what} {halves}.")
            for one in (original, pair.leaves, pair.arrives)
        ]
    )
