"""The planned charges of automatic instalments: made on their day, called off with the plan."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.audit import record
from portal.company import today
from portal.db import claim, db, insert_once
from portal.kernel.money import Money
from portal.models import (
    CHARGE,
    AttemptPurpose,
    AttemptShare,
    ChargeSource,
    ChargeState,
    InstalmentProgress,
    Payment,
    PaymentAttempt,
    PaymentPlan,
    PlanInstalment,
    PlannedCharge,
    PlanState,
)
from portal.payment_collection import (
    NO_METHOD,
    Decision,
    Verdict,
    keep_outcome,
    primary_method,
    why_not,
)
from portal.payment_plans.credit_first import credit_to_use, credit_words
from portal.payment_plans.pausing import paused_because
from portal.payment_plans.paying import shares_to_pay
from portal.tasks import wake

PAID_ANOTHER_WAY = "It was paid another way."


def plan_due_charges(plan: PaymentPlan, *, on: date) -> int:
    """A planned charge for each automatic instalment whose day has come; one per instalment.

    It asks for what is still open of the instalment, so what was paid ahead is never charged.
    One that is over is planned again when its instalment is open again, e.g. because its money
    counted for an older one. Returns how many were made or planned again.
    """
    made, earlier = 0, charges_of(plan)
    for one in plan.progress(on):
        instalment = one.instalment
        if not one.open or instalment.due_on > on:
            continue
        if charge := earlier.get(instalment.id):
            made += _plan_again(charge, plan, one, on)
        else:
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
            record("charge planned", plan, _planned_words(plan, one))
    return made


def _planned_words(plan: PaymentPlan, one: InstalmentProgress) -> str:
    """What is charged for an instalment; less than can be paid online is charged as the least."""
    number, asked = (
        one.instalment.number,
        Money.total(part for _, part in shares_to_pay(plan, one.open)),
    )
    if asked <= one.open:
        return f"{one.open} of payment {number} is charged."
    return (
        f"{one.open} of payment {number} is less than can be charged: {asked} is charged, and the "
        "rest counts for the next payment."
    )


def decide_plan(charge: PlannedCharge) -> Decision:
    """Whether the charge of an instalment is made now; what was paid meanwhile is not charged."""
    assert charge.instalment is not None  # one_source
    plan = charge.instalment.plan
    if plan.state is not PlanState.ACTIVE:
        return Decision(Verdict.CANCEL, "The payment plan ended.")
    left = next(one.open for one in plan.progress(today()) if one.instalment is charge.instalment)
    if not left:
        return Decision(Verdict.CANCEL, PAID_ANOTHER_WAY)
    if why := paused_because(plan):
        return Decision(Verdict.HOLD, why)
    if credit := credit_to_use(plan):
        return Decision(Verdict.HOLD, credit_words(credit))
    method = plan.method or primary_method(plan.customer_id)
    if problem := why_not(method) if method else NO_METHOD.why():
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
            charge.next_try_on = None
            keep_outcome(charge, "The payment plan ended.")


def charges_of(plan: PaymentPlan) -> dict[int, PlannedCharge]:
    """By instalment, its planned charge."""
    query = sa.select(PlannedCharge).where(
        PlannedCharge.instalment_id.in_([one.id for one in plan.instalments])
    )
    return {one.instalment_id: one for one in db.session.scalars(query) if one.instalment_id}


def _plan_again(
    charge: PlannedCharge, plan: PaymentPlan, one: InstalmentProgress, on: date
) -> bool:
    """Reopen a charge that is over; never what was called off, given up, or gave money back."""
    paid = charge.state is ChargeState.SUCCEEDED or charge.outcome == PAID_ANOTHER_WAY
    if not (paid and CHARGE.allows(charge.state, "plan again")) or _gave_money_back(plan):
        return False
    claim(
        charge,
        state=CHARGE.after(charge.state, "plan again"),
        amount=one.open,
        charge_on=on,
        next_try_on=on,
        tries=0,
        attempt_id=None,
        claimed_until=None,
    )
    keep_outcome(charge, "")
    wake("planned_charge", charge.id)
    words = f"{one.open} of payment {one.instalment.number} is open again and is charged."
    record("charge planned", plan, words)
    return True


def _gave_money_back(plan: PaymentPlan) -> bool:
    """Whether money charged by the plan was taken or given back: only people charge it again."""
    again = aliased(Payment)
    query = (
        sa.select(Payment.id)
        .join(PaymentAttempt, PaymentAttempt.payment_id == Payment.id)
        .join(AttemptShare, AttemptShare.attempt_id == PaymentAttempt.id)
        .outerjoin(
            again,
            sa.or_(again.refunds_id == Payment.id, again.gives_back_id == Payment.id),
        )
        .where(
            PaymentAttempt.purpose == AttemptPurpose.PLAN,
            AttemptShare.invoice_id.in_([share.invoice_id for share in plan.shares]),
            sa.or_(
                Payment.returned_on.is_not(None),
                sa.and_(again.id.is_not(None), again.returned_on.is_(None)),
            ),
        )
    )
    return db.session.scalar(query.limit(1)) is not None
