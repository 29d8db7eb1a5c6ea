"""The planned charges of automatic instalments: made on their day, called off with the plan."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import claim, db, insert_once
from portal.models import (
    CHARGE,
    LIVE_CHARGES,
    ChargeSource,
    ChargeState,
    PaymentPlan,
    PlanInstalment,
    PlannedCharge,
    PlanState,
)
from portal.payment_collection import Decision, Verdict, primary_method, why_not
from portal.payment_plans.pausing import paused_because
from portal.payment_plans.paying import shares_to_pay
from portal.tasks import wake

NO_METHOD = "There is no payment method that can be charged: another one has to be saved."


def plan_due_charges(plan: PaymentPlan, *, on: date) -> int:
    """A planned charge for each automatic instalment whose day has come; once per instalment.

    It asks for what is still open of the instalment, so what was paid ahead is never charged.
    Returns how many were made.
    """
    made = 0
    for one in plan.progress(on):
        instalment = one.instalment
        if one.open and instalment.due_on <= on and _charge_of(instalment) is None:
            charge = PlannedCharge(
                customer_id=plan.customer_id,
                source=ChargeSource.PLAN,
                instalment_id=instalment.id,
                amount=one.open,
                charge_on=instalment.due_on,
                next_try_on=on,
                noticed_at=instalment.reminded_at,
            )
            made += insert_once(charge)
            wake("planned_charge", charge.id)
            record("charge planned", plan, f"{one.open} of payment {instalment.number} is charged.")
    return made


def decide_plan(charge: PlannedCharge) -> Decision:
    """Whether the charge of an instalment is made now; what was paid meanwhile is not charged."""
    assert charge.instalment is not None  # one_source
    plan = charge.instalment.plan
    if plan.state is not PlanState.ACTIVE:
        return Decision(Verdict.CANCEL, "The payment plan ended.")
    left = next(one.open for one in plan.progress(today()) if one.instalment is charge.instalment)
    if not left:
        return Decision(Verdict.CANCEL, "It was paid another way.")
    if why := paused_because(plan):
        return Decision(Verdict.HOLD, why)
    method = plan.method or primary_method(plan.customer_id)
    if problem := why_not(method) if method else NO_METHOD:
        return Decision(Verdict.GIVE_UP, problem)
    assert method is not None  # its absence is a problem
    amount = min(left, charge.amount or left)
    return Decision(Verdict.CHARGE, "", method.id, shares_to_pay(plan, amount))


def cancel_charges(plan: PaymentPlan) -> None:
    """Call off what waits for its first or next try; one under way goes on and is recorded."""
    query = (
        sa.select(PlannedCharge)
        .join(PlanInstalment, PlanInstalment.id == PlannedCharge.instalment_id)
        .where(PlanInstalment.plan_id == plan.id)
        .order_by(PlannedCharge.id)
        .with_for_update(of=PlannedCharge)
    )
    for charge in db.session.scalars(query).all():
        if CHARGE.allows(charge.state, "cancel"):
            claim(charge, state=CHARGE.after(charge.state, "cancel"))
            charge.next_try_on, charge.outcome = None, "The payment plan ended."


def charged_soon(plan: PaymentPlan, *, on: date) -> set[int]:
    """Ids of instalments whose charge is under way, or tried (again) that day or later."""
    return {
        number
        for number, one in charges_of(plan).items()
        if one.state is ChargeState.CHARGING
        or (one.state in LIVE_CHARGES and one.next_try_on is not None and one.next_try_on >= on)
    }


def charges_of(plan: PaymentPlan) -> dict[int, PlannedCharge]:
    """By instalment, its planned charge."""
    query = sa.select(PlannedCharge).where(
        PlannedCharge.instalment_id.in_([one.id for one in plan.instalments])
    )
    return {one.instalment_id: one for one in db.session.scalars(query) if one.instalment_id}


def _charge_of(instalment: PlanInstalment) -> PlannedCharge | None:
    query = sa.select(PlannedCharge).where(PlannedCharge.instalment_id == instalment.id)
    return db.session.scalar(query)
