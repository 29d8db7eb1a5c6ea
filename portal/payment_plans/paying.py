"""Paying a plan online: what is due next, laid out over its invoices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, PaymentPlan
from portal.payment_collection import minimum_payment


def due_now(plan: PaymentPlan, on: date) -> Money:
    """What is due by that day and not paid, else the next instalment; zero when all is paid."""
    open_ones = [one for one in plan.progress(on) if one.open]
    due = Money.total(one.open for one in open_ones if one.instalment.due_on <= on)
    return due or next((one.open for one in open_ones), ZERO)


def shares_to_pay(plan: PaymentPlan, amount: Money) -> list[tuple[int, Money]]:
    """The amount over the plan's open invoices, oldest due first, for one charge.

    A last part below what can be paid online borrows from the one before; alone it is raised.
    DomainError when it covers another customer's invoice.
    """
    if any(share.invoice.customer_id != plan.customer_id for share in plan.shares):
        raise DomainError(f"Payment plan {plan.number} covers another customer's invoice.")
    left, parts = amount, []
    for share in sorted(plan.shares, key=lambda one: (one.invoice.due_date or date.max, one.id)):
        part = min(left, share.open)
        if part > ZERO:
            left -= part
            parts.append((share.invoice, part))
    return [(invoice.id, part) for invoice, part in _payable(parts)]


def _payable(parts: Sequence[tuple[Invoice, Money]]) -> list[tuple[Invoice, Money]]:
    found: list[tuple[Invoice, Money]] = []
    for invoice, part in parts:
        missing = max(minimum_payment(invoice.balance) - part, ZERO)
        if missing and found:
            before, lent = found[-1]
            if lent - missing >= minimum_payment(before.balance):
                found[-1] = (before, lent - missing)
        found.append((invoice, part + missing))
    return found
