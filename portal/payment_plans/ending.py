"""Saying no, and ending a plan before it is paid."""

from __future__ import annotations

from portal.audit import record
from portal.company import today
from portal.db import claim, db, lock_rows
from portal.kernel.errors import InvalidFields
from portal.models import PLAN, Invoice, PaymentPlan, PlanState
from portal.payment_plans.charges import cancel_charges
from portal.payment_plans.preparing import tidy_words
from portal.payment_plans.telling import tell_customer, tell_office

_LETTERS = {  # by what ends: a wish, an offer, or what was agreed
    PlanState.ASKED: "plan_declined",
    PlanState.PROPOSED: "plan_withdrawn",
    PlanState.ACTIVE: "plan_broken",
}


def decline_plan(plan: PaymentPlan, *, because: str, by_customer: bool = False) -> bool:
    """The office says no to a wish, or the customer to an offer; the reason is told.

    Returns whether the customer is told by mail: not when nobody has an address.
    InvalidFields when the office gives no reason, InvalidTransition when it was answered before.
    """
    words = tidy_words(because)
    if not words and not by_customer:
        raise InvalidFields({"because": "Say why, in words the customer reads."})
    lock_rows(Invoice, [share.invoice_id for share in plan.shares])
    lock_rows(PaymentPlan, [plan.id])
    was = plan.state
    claim(plan, state=PLAN.after(plan.state, "decline"))
    end_plan(plan, words)
    record("declined", plan, f"Payment plan {plan.number} was declined. {words}".strip())
    if by_customer:
        tell_office(plan, f"{plan.customer.name} declined payment plan {plan.number}.", words)
        return False
    return tell_customer(_LETTERS[was], plan, reason=words)


def withdraw_plan(plan: PaymentPlan, *, because: str) -> bool:
    """Take an offer back, or end a running plan: the invoices' own terms count again.

    Returns whether the customer is told by mail: not when nobody has an address.
    """
    words = tidy_words(because)
    if not words:
        raise InvalidFields({"because": "Say why, in words the customer reads."})
    was = plan.state
    lock_rows(Invoice, [share.invoice_id for share in plan.shares])
    claim(plan, state=PLAN.after(was, "withdraw"))
    end_plan(plan, words)
    record("withdrawn", plan, f"Payment plan {plan.number} was withdrawn: {words}")
    return tell_customer(_LETTERS[was], plan, reason=words)


def end_plan(plan: PaymentPlan, because: str) -> None:
    """Nothing of it lives on: invoices are free, charges that wait are called off."""
    plan.ended_on, plan.ended_because = today(), because
    if plan.state in (PlanState.DECLINED, PlanState.WITHDRAWN):
        plan.replaces = None  # another offer may take its place
    for share in plan.shares:
        share.live = False
    cancel_charges(plan)
    db.session.flush()
