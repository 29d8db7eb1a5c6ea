"""An automatic plan uses what the customer has in credit before it charges anything.

Otherwise somebody would be charged while we hold their money (servicetitan-rules §9: credit is
applied before a method is charged). A plan that is paid by hand leaves credit alone.
"""

from __future__ import annotations

from datetime import date

from portal.audit import record
from portal.company import company, format_money, today
from portal.kernel.money import ZERO, Money
from portal.ledger import next_open_day
from portal.models import PaymentPlan
from portal.payment_collection import credit_words_for_office, live_attempts_on
from portal.payment_plans.telling import tell_customer
from portal.payments import apply_credit, credit_of


def use_credit_first(plan: PaymentPlan, *, on: date) -> Money:
    """Apply credit to what is due of the plan by that day, the oldest invoice first.

    Returns what was used; the customer is told, and what is left of the instalment is charged.
    The invoices of the plan must be locked. Nothing while a charge for them is under way, for
    that brings money too.
    """
    due = Money.total(one.open for one in plan.progress(on) if one.instalment.due_on <= on)
    wanted = min(due, credit_to_use(plan))
    if wanted <= ZERO or live_attempts_on([one.invoice_id for one in plan.shares]):
        return ZERO
    used, day = ZERO, next_open_day(on)
    for share in sorted(plan.shares, key=lambda one: (one.invoice.due_date or date.max, one.id)):
        part = min(wanted - used, share.open)
        if part > ZERO:
            used += apply_credit(share.invoice, on=day, most=part)
    if used:
        record("credit used", plan, f"{used} of the customer's credit was used, not charged.")
        said = format_money(used, company().locale, company().currency)
        tell_customer("plan_credit_used", plan, reason=said, key=f"{today()}-{used.cents}")
    return used


def credit_to_use(plan: PaymentPlan) -> Money:
    return max(credit_of(plan.customer_id), ZERO)


def credit_words(credit: Money) -> str:
    """Why nothing is charged while there is credit; the hourly turn uses it."""
    return credit_words_for_office(credit)
