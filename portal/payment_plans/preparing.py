"""What every step towards a plan does: hold the invoices, tidy the words, tell the timelines."""

from __future__ import annotations

from collections.abc import Sequence

from portal.audit import Happening, record_many
from portal.db import lock_rows
from portal.kernel.errors import DomainError, InvalidFields, NotFound
from portal.models import Customer, Invoice, PaymentPlan

LONGEST_WORDS = 1000
NO_INVOICE = "Choose at least one invoice for the plan."


def hold_invoices(customer: Customer, invoices: Sequence[Invoice]) -> list[Invoice]:
    """Locked and read afresh. InvalidFields for none, DomainError for another customer's."""
    if not invoices:
        raise InvalidFields({"invoices": NO_INVOICE})
    locked = lock_rows(Invoice, [one.id for one in invoices])
    if any(one.customer_id != customer.id for one in locked):
        raise DomainError("These invoices belong to another customer.")
    return locked


def require_plans_of(customer: Customer, *plans: PaymentPlan | None) -> None:
    """NotFound when one of these plans is another customer's; None is nobody's."""
    if any(one is not None and one.customer_id != customer.id for one in plans):
        raise NotFound("No such payment plan of this customer.")


def record_with_invoices(verb: str, plan: PaymentPlan, sentence: str) -> None:
    """One line in the timeline of the plan and each of its invoices."""
    record_many(
        [
            Happening(verb, "paymentplan", plan.id, sentence),
            *(
                Happening(f"plan {verb}", "invoice", one.invoice_id, sentence)
                for one in plan.shares
            ),
        ]
    )


def tidy_words(typed: str) -> str:
    """What somebody typed, trimmed; InvalidFields when it is too long."""
    words = typed.replace("\0", "").strip()
    if len(words) > LONGEST_WORDS:
        raise InvalidFields({"note": f"This is too long: at most {LONGEST_WORDS} characters."})
    return words
