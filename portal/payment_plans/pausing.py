"""When a running plan waits, and why."""

from __future__ import annotations

from portal.models import AttemptState, InvoiceState, PaymentPlan
from portal.payment_collection import live_attempts_on
from portal.payments import disputed_invoices


def paused_because(plan: PaymentPlan) -> str:
    """Why a running plan waits, in words; empty when it goes on."""
    ids = [share.invoice_id for share in plan.shares]
    disputed = disputed_invoices(ids)
    for share in plan.shares:
        invoice = share.invoice
        if invoice.id in disputed:
            return f"Invoice {invoice.number} is disputed: the plan waits until that is decided."
        if not invoice.is_on_the_books and invoice.state is not InvoiceState.CANCELLED:
            return f"Invoice {invoice.number} is being corrected: the plan waits until it is final."
    on_its_way = [one for one in live_attempts_on(ids) if one.state is AttemptState.PROCESSING]
    return f"A payment of {on_its_way[0].amount} is on its way." if on_its_way else ""
