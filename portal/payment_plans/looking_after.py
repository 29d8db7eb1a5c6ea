"""What becomes of plans as days go by: reminded, charged, missed, broken, kept.

Called every hour; each plan is looked at in a short transaction of its own, and looking twice
does nothing twice. A plan is paused while one of its invoices is disputed or off the books, or
a payment for it is on its way or looked into: nothing is charged, nobody is reminded, and it
does not break. Nor does it break while we hold the customer's money for what is late.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from portal.audit import record
from portal.company import today
from portal.db import claim, db, in_transaction, lock_rows, reading
from portal.invoices import late_instalments
from portal.kernel import clock
from portal.kernel.money import Money
from portal.models import (
    PLAN,
    InstalmentProgress,
    InstalmentState,
    Invoice,
    PaymentPlan,
    PlanShare,
    PlanState,
)
from portal.payment_plans.charges import plan_due_charges
from portal.payment_plans.credit_first import credit_to_use, use_credit_first
from portal.payment_plans.ending import end_plan
from portal.payment_plans.pausing import paused_because
from portal.payment_plans.telling import tell_customer, tell_office

log = logging.getLogger("fieldledger.payment_plans")

NOTICE = timedelta(days=3)  # how long before its day an instalment is reminded of


def look_after_plans() -> None:
    """Every plan that is offered or runs, one after the other; what fails is logged."""
    db.session.rollback()
    with reading():
        ids = [plan.id for plan in _running() if _has_something_to_do(plan, today())]
        db.session.rollback()
    for plan_id in ids:
        try:
            in_transaction(lambda: look_after(plan_id))  # noqa: B023
        except Exception:
            log.exception("payment plan %s could not be looked after", plan_id)
            db.session.rollback()


def _running() -> Iterable[PaymentPlan]:
    query = (
        sa.select(PaymentPlan)
        .where(PaymentPlan.state.in_([PlanState.PROPOSED, PlanState.ACTIVE]))
        .order_by(PaymentPlan.id)
        .options(
            selectinload(PaymentPlan.instalments),
            selectinload(PaymentPlan.shares).joinedload(PlanShare.invoice),
        )
    )
    return db.session.scalars(query).all()


def _has_something_to_do(plan: PaymentPlan, on: date) -> bool:
    """So that most plans cost no transaction of their own; looking decides anew."""
    if plan.state is PlanState.PROPOSED:
        return plan.offer_ends_on is not None and plan.offer_ends_on < on
    nearest = plan.next_unpaid(on)
    return nearest is None or nearest.instalment.due_on - NOTICE <= on


def look_after(plan_id: int) -> None:
    """Do for one plan what its day asks for; idempotent."""
    plan = db.session.get_one(PaymentPlan, plan_id)
    lock_rows(Invoice, [share.invoice_id for share in plan.shares])
    lock_rows(PaymentPlan, [plan_id])
    on = today()
    if plan.state is PlanState.PROPOSED:
        _let_it_expire(plan, on)
    elif plan.state is PlanState.ACTIVE and not plan.open:
        _keep(plan)
    elif plan.state is PlanState.ACTIVE and not paused_because(plan):
        _follow(plan, on)


def _let_it_expire(plan: PaymentPlan, on: date) -> None:
    if plan.offer_ends_on is None or plan.offer_ends_on >= on:
        return
    claim(plan, state=PLAN.after(plan.state, "withdraw"))
    end_plan(plan, "The offer was not accepted in time.")
    record("withdrawn", plan, f"The offer of payment plan {plan.number} ended unanswered.")
    tell_office(plan, f"{plan.customer.name} did not answer the offer {plan.number} in time.")


def _keep(plan: PaymentPlan) -> None:
    claim(plan, state=PLAN.after(plan.state, "keep"))
    end_plan(plan, "")
    record("kept", plan, f"Payment plan {plan.number} was kept: all of {plan.amount} is paid.")
    tell_customer("plan_kept", plan)


def _follow(plan: PaymentPlan, on: date) -> None:
    if plan.automatic:
        use_credit_first(plan, on=on)
        plan_due_charges(plan, on=on)
    open_ones = [one for one in plan.progress(on) if one.open]
    late = late_instalments(plan, on=on)  # a try that was announced is made before it breaks
    told = {one.instalment.id for one in open_ones if one.instalment.reminded_at is not None}
    lost = late & told  # what fell due while the plan was paused is reminded of first
    if lost and not _is_covered(plan, [one for one in open_ones if one.instalment.id in lost]):
        _break(plan, on)
        return
    for one in open_ones:
        instalment = one.instalment
        if one.state is InstalmentState.MISSED:
            _tell_missed(plan, one)
        elif instalment.due_on - NOTICE <= on and instalment.reminded_at is None:
            instalment.reminded_at = clock.now()
            tell_customer("plan_reminder", plan, about=one)
            record("reminded", plan, f"{plan.customer.name} was reminded: {_words(one)}.")


def _is_covered(plan: PaymentPlan, late: Sequence[InstalmentProgress]) -> bool:
    """Whether the customer's credit pays for what is late, be it not used yet."""
    return credit_to_use(plan) >= Money.total(one.open for one in late)


def _tell_missed(plan: PaymentPlan, one: InstalmentProgress) -> None:
    """Once for each instalment; the days of grace run from its day, or from the first notice."""
    instalment = one.instalment
    if instalment.reminded_at is None:
        instalment.reminded_at = clock.now()
    if tell_customer("plan_missed", plan, about=one):
        record("missed", plan, f"Not paid in time: {_words(one)}.")


def _break(plan: PaymentPlan, on: date) -> None:
    missed = next(one for one in plan.progress(on) if one.open)
    because = f"Payment {missed.instalment.number} of {missed.instalment.amount} was not paid."
    claim(plan, state=PLAN.after(plan.state, "break"))
    end_plan(plan, because)
    record(
        "broken", plan, f"Payment plan {plan.number} is broken: {because} The original terms count."
    )
    tell_customer("plan_broken", plan)
    tell_office(plan, f"Payment plan {plan.number} of {plan.customer.name} is broken.", because)


def _words(one: InstalmentProgress) -> str:
    return f"{one.open} of payment {one.instalment.number}, due {one.instalment.due_on}"
