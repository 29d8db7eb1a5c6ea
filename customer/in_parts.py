"""Invoices paid in parts as agreed: they are not late, the next payment of their plan counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from portal.invoices import plans_in_good_standing
from portal.models import InstalmentProgress, Invoice, PaymentPlan


def paid_in_parts(invoices: Sequence[Invoice], *, on: date) -> dict[int, InstalmentProgress]:
    """By invoice, the next payment of the plan that is kept to and covers all that is open.

    What is not on the plan stays due as it was: an invoice that is on it in part is left out.
    """
    plans = plans_in_good_standing([one.id for one in invoices], on=on)
    found: dict[int, InstalmentProgress] = {}
    for invoice in invoices:
        plan = plans.get(invoice.id)
        following = plan.next_unpaid(on) if plan and _covers_all(plan, invoice) else None
        if following:
            found[invoice.id] = following
    return found


def _covers_all(plan: PaymentPlan, invoice: Invoice) -> bool:
    return any(
        share.invoice_id == invoice.id and share.open >= invoice.balance for share in plan.shares
    )
