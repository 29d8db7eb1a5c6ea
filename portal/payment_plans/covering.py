"""Which invoices a plan covers, with what the guard has to know of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import db
from portal.invoices import live_plans_of
from portal.kernel.errors import InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    HAS_BALANCE,
    ON_THE_BOOKS,
    Customer,
    Invoice,
    InvoiceState,
    PaymentPlan,
)
from portal.payment_plans.guarding import Covered, invoice_problem
from portal.payments import disputed_invoices


@dataclass(frozen=True)
class Choice:
    """An open invoice of a customer, and why it cannot be on a plan if so."""

    invoice: Invoice
    problem: str


def covered_by(
    shares: Sequence[tuple[Invoice, Money]], *, besides: Sequence[PaymentPlan] = ()
) -> list[Covered]:
    """The guard's facts; the plans `besides` do not count as another plan."""
    ids = [invoice.id for invoice, _ in shares]
    disputed = disputed_invoices(ids)
    own = {plan.id for plan in besides}
    plans = {key: plan for key, plan in live_plans_of(ids).items() if plan.id not in own}
    return [
        Covered(
            number=invoice.number,
            share=share,
            balance=invoice.balance,
            on_the_books=invoice.is_on_the_books,
            cancelled=invoice.state is InvoiceState.CANCELLED,
            credit=invoice.total < ZERO,
            disputed=invoice.id in disputed,
            other_plan=plans[invoice.id].number if invoice.id in plans else "",
            customer_id=invoice.customer_id,
        )
        for invoice, share in shares
    ]


def share_out(amount: Money, invoices: Sequence[Invoice]) -> list[tuple[Invoice, Money]]:
    """The amount over the invoices' balances, oldest due first; the last may get a part only.

    InvalidFields when it is more than they owe.
    """
    left, shares = amount, []
    for invoice in sorted(invoices, key=_oldest_first):
        part = min(left, invoice.balance)
        if part > ZERO:
            shares.append((invoice, part))
            left -= part
    if left > ZERO:
        owed = Money.total(one.balance for one in invoices)
        raise InvalidFields({"amount": f"Only {owed} is owed on the chosen invoices."})
    return shares


def choices_for(customer: Customer, *, besides: Sequence[PaymentPlan] = ()) -> list[Choice]:
    """The customer's posted invoices with a balance, oldest due first, each with its problem."""
    query = sa.select(Invoice).where(
        HAS_BALANCE, Invoice.customer_id == customer.id, Invoice.state.in_(ON_THE_BOOKS)
    )
    invoices = sorted(db.session.scalars(query), key=_oldest_first)
    facts = covered_by([(one, one.balance) for one in invoices], besides=besides)
    problems = [invoice_problem(fact) for fact in facts]
    return [
        Choice(invoice, problem[1] if problem else "")
        for invoice, problem in zip(invoices, problems, strict=True)
    ]


def _oldest_first(invoice: Invoice) -> tuple[object, int]:
    return (invoice.due_date or invoice.invoice_date, invoice.id)
