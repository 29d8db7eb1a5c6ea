"""Paying a plan online: what is due next, laid out over its invoices."""

from __future__ import annotations

from datetime import date

from portal.kernel.money import ZERO, Money
from portal.models import PaymentPlan
from portal.payment_collection import minimum_payment


def due_now(plan: PaymentPlan, on: date) -> Money:
    """What is due by that day and not paid, else the next instalment; zero when all is paid."""
    open_ones = [one for one in plan.progress(on) if one.open]
    due = Money.total(one.open for one in open_ones if one.instalment.due_on <= on)
    return due or next((one.open for one in open_ones), ZERO)


def shares_to_pay(plan: PaymentPlan, amount: Money) -> list[tuple[int, Money]]:
    """The amount over the plan's open invoices, oldest due first, for one checkout.

    A last part below what can be paid online is raised to that minimum.
    """
    left, shares = amount, []
    for share in sorted(plan.shares, key=lambda one: (one.invoice.due_date or date.max, one.id)):
        part = min(left, share.open)
        if part > ZERO:
            left -= part
            shares.append((share.invoice_id, max(part, minimum_payment(share.invoice.balance))))
    return shares
