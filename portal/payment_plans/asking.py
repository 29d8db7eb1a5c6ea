"""A customer's wish to pay in parts."""

from __future__ import annotations

from collections.abc import Sequence

from portal.db import db
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.models import Customer, Invoice, PaymentPlan, PlanRhythm, PlanShare, PlanState
from portal.payment_plans.covering import covered_by
from portal.payment_plans.customer_words import invoice_refusal
from portal.payment_plans.preparing import hold_invoices, record_with_invoices, tidy_words
from portal.payment_plans.rules import grace_days
from portal.payment_plans.telling import tell_office


def ask_for_plan(
    customer: Customer,
    invoices: Sequence[Invoice],
    *,
    rhythm: PlanRhythm,
    asked_by: str,
    note: str = "",
) -> PaymentPlan:
    """A customer's wish; the office answers with an offer or a no.

    Raises DomainError, in the customer's words, when one of the invoices cannot be on a plan.
    """
    locked = hold_invoices(customer, invoices)
    shares = [(one, one.balance) for one in locked]
    for fact in covered_by(shares):
        if words := invoice_refusal(fact):
            raise DomainError(words)
    plan = PaymentPlan(
        customer=customer,
        state=PlanState.ASKED,
        rhythm=rhythm,
        amount=Money.total(share for _, share in shares),
        grace_days=grace_days(),
        asked_by=asked_by,
        note=tidy_words(note),
        shares=[PlanShare(invoice=one, amount=share, owed=one.balance) for one, share in shares],
    )
    db.session.add(plan)
    db.session.flush()
    wish, said = f"{plan.amount}, {rhythm.value} payments", f" “{plan.note}”" if plan.note else ""
    record_with_invoices("asked", plan, f"{asked_by} asked for a payment plan: {wish}.{said}")
    tell_office(plan, f"{customer.name} asks for a payment plan: {wish}.", plan.note)
    return plan
