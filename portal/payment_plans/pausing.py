"""When a running plan waits, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from portal.models import AttemptState, InvoiceState, PaymentPlan
from portal.payment_collection import live_attempts_on
from portal.payments import disputed_invoices


@dataclass(frozen=True)
class Pause:
    """Why a plan waits; `about` is the invoice's number, or the amount on its way."""

    why: Literal["disputed", "corrected", "on its way", "looked into"]
    about: str


def pause_of(plan: PaymentPlan) -> Pause | None:
    """Why a running plan waits; None when it goes on."""
    ids = [share.invoice_id for share in plan.shares]
    disputed = disputed_invoices(ids)
    for share in plan.shares:
        invoice = share.invoice
        if invoice.id in disputed:
            return Pause("disputed", str(invoice.number))
        if not invoice.is_on_the_books and invoice.state is not InvoiceState.CANCELLED:
            return Pause("corrected", str(invoice.number))
    live = live_attempts_on(ids)
    for one in live:
        if one.state is AttemptState.PROCESSING:
            return Pause("on its way", str(one.amount))
    return next((Pause("looked into", str(one.amount)) for one in live if one.is_parked), None)


def paused_because(plan: PaymentPlan) -> str:
    """Why a running plan waits, in the office's words; empty when it goes on."""
    pause = pause_of(plan)
    if pause is None:
        return ""
    return {
        "disputed": f"Invoice {pause.about} is disputed: the plan waits until that is decided.",
        "corrected": f"Invoice {pause.about} is being corrected: the plan waits until it is final.",
        "on its way": f"A payment of {pause.about} is on its way.",
        "looked into": (
            f"Nobody knows what became of a payment of {pause.about}: the plan waits until "
            "somebody saw to it."
        ),
    }[pause.why]
