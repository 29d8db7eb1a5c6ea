"""An automatic plan uses what the customer has in credit before it charges anything.

Otherwise somebody would be charged while we hold their money (servicetitan-rules §9: credit is
applied before a method is charged). A plan that is paid by hand leaves credit alone.
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.company import company, format_money
from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.ledger import next_open_day
from portal.models import AttemptState, PaymentApplication, PaymentPlan
from portal.payment_collection import credit_words_for_office, live_attempts_on
from portal.payment_plans.telling import tell_customer
from portal.payments import apply_credit, free_credit_of


def use_credit_first(plan: PaymentPlan, *, on: date) -> Money:
    """Apply credit to what is due of the plan by that day, the oldest invoice first.

    Returns what was used; the customer is told, and what is left of the instalment is charged.
    The invoices of the plan must be locked. Nothing while a charge for them is under way or a
    debit on its way, for that brings money too; a page somebody left open asks for less then.
    """
    due = Money.total(one.open for one in plan.progress(on) if one.instalment.due_on <= on)
    wanted = min(due, credit_to_use(plan))
    if wanted <= ZERO or _money_is_coming(plan):
        return ZERO
    used, day = ZERO, next_open_day(on)
    for share in sorted(plan.shares, key=lambda one: (one.invoice.due_date or date.max, one.id)):
        part = min(wanted - used, share.open)
        if part > ZERO:
            used += apply_credit(share.invoice, on=day, most=part)
    if used:
        record("credit used", plan, f"{used} of the customer's credit was used, not charged.")
        _tell_used(plan, used, on)
    return used


def _money_is_coming(plan: PaymentPlan) -> bool:
    return any(
        one.state is AttemptState.PROCESSING or one.method_id is not None
        for one in live_attempts_on([share.invoice_id for share in plan.shares])
    )


def _tell_used(plan: PaymentPlan, used: Money, on: date) -> None:
    """Once for each use, also for two of the same amount on one day."""
    said = format_money(used, company().locale, company().currency)
    last = sa.select(sa.func.max(PaymentApplication.id)).where(
        PaymentApplication.invoice_id.in_([share.invoice_id for share in plan.shares])
    )
    due = [one.instalment.number for one in plan.progress(on) if one.instalment.due_on <= on]
    key = f"{max(due)}-{db.session.scalar(last)}"
    tell_customer("plan_credit_used", plan, reason=said, key=key)


def credit_to_use(plan: PaymentPlan) -> Money:
    """What may be used of the customer's credit; not what waits to be given back."""
    return free_credit_of(plan.customer_id)


def credit_words(credit: Money) -> str:
    """Why nothing is charged while there is credit; the hourly turn uses it."""
    return credit_words_for_office(credit)
