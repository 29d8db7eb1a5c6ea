"""Which invoices are on a payment plan, and which plans are kept to.

A question about rows, asked by interest and aging, which lie below the room of the plans.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import business_day
from portal.db import NO_MONEY, db
from portal.models import (
    LIVE_CHARGES,
    AttemptShare,
    AttemptState,
    ChargeState,
    Payment,
    PaymentApplication,
    PaymentAttempt,
    PaymentPlan,
    PlannedCharge,
    PlanShare,
    PlanState,
)


def live_plans_of(invoice_ids: Sequence[int]) -> dict[int, PaymentPlan]:
    """By invoice, the plan that was asked for, is offered or runs; in a few statements."""
    query = (
        sa.select(PlanShare)
        .where(PlanShare.invoice_id.in_(invoice_ids), PlanShare.live)
        .options(
            joinedload(PlanShare.plan).selectinload(PaymentPlan.instalments),
            joinedload(PlanShare.plan)
            .selectinload(PaymentPlan.shares)
            .joinedload(PlanShare.invoice),
        )
    )
    return {one.invoice_id: one.plan for one in db.session.scalars(query)}


def plans_in_good_standing(invoice_ids: Sequence[int], *, on: date) -> dict[int, PaymentPlan]:
    """By invoice, the agreed plan that is kept to that day; see `kept_to`."""
    plans = live_plans_of(invoice_ids)
    kept = kept_to({plan.id: plan for plan in plans.values()}.values(), on=on)
    return {invoice_id: plan for invoice_id, plan in plans.items() if plan.id in kept}


def kept_to(plans: Iterable[PaymentPlan], *, on: date) -> set[int]:
    """Ids of the running plans in good standing: the one answer for badges, interest, reminders.

    Nothing is unpaid beyond its days of grace, or the plan waits for a bank or for a dispute to
    be decided, or what is late is tried again on a day that was announced.
    """
    running = [one for one in plans if one.state is PlanState.ACTIVE]
    late = {one.id: found for one in running if (found := _beyond_grace(one, on))}
    promised = _promised([one for found in late.values() for one in found], on)
    broken = [one for one in running if late.get(one.id, set()) - promised]
    waiting = _waiting(broken)
    return {one.id for one in running} - {one.id for one in broken} | waiting


def late_instalments(plan: PaymentPlan, *, on: date) -> set[int]:
    """Ids of what is unpaid beyond its days of grace and not tried again on an announced day."""
    late = _beyond_grace(plan, on)
    return late - _promised(sorted(late), on)


def _beyond_grace(plan: PaymentPlan, on: date) -> set[int]:
    """A charge that failed begins the days of grace anew, also when a bank returned it late."""
    grace, found = timedelta(days=plan.grace_days), set()
    for one in plan.progress(on):
        told = one.instalment.reminded_at
        told_on = business_day(told) if told is not None else date.min
        if one.open and max(one.instalment.due_on, told_on) + grace < on:
            found.add(one.instalment.id)
    return found


def _promised(instalment_ids: Sequence[int], on: date) -> set[int]:
    """Whose charge is under way, or tried (again) that day or later."""
    query = sa.select(PlannedCharge.instalment_id).where(
        PlannedCharge.instalment_id.in_(instalment_ids),
        sa.or_(
            PlannedCharge.state == ChargeState.CHARGING,
            sa.and_(PlannedCharge.state.in_(LIVE_CHARGES), PlannedCharge.next_try_on >= on),
        ),
    )
    if not instalment_ids:
        return set()
    return {one for one in db.session.scalars(query) if one is not None}


def _waiting(plans: Sequence[PaymentPlan]) -> set[int]:
    """Ids of those with a debit on its way or looked into, or disputed money, on an invoice."""
    if not plans:
        return set()
    by_invoice = {share.invoice_id: one.id for one in plans for share in one.shares if share.live}
    on_its_way = (
        sa.select(AttemptShare.invoice_id)
        .join(PaymentAttempt, PaymentAttempt.id == AttemptShare.attempt_id)
        .where(
            AttemptShare.invoice_id.in_(by_invoice),
            AttemptShare.live,
            sa.or_(
                PaymentAttempt.state == AttemptState.PROCESSING,
                sa.and_(  # parked: a person looks into it, as PaymentAttempt.is_parked says
                    PaymentAttempt.state == AttemptState.UNKNOWN,
                    PaymentAttempt.next_check_at.is_(None),
                ),
            ),
        )
    )
    disputed = (
        sa.select(PaymentApplication.invoice_id)
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .where(PaymentApplication.invoice_id.in_(by_invoice), Payment.disputed)
        .group_by(PaymentApplication.invoice_id)
        .having(sa.func.sum(PaymentApplication.amount) > NO_MONEY)
    )
    return {by_invoice[one] for one in db.session.scalars(sa.union(on_its_way, disputed))}


def customers_on_plans(customer_ids: Sequence[int]) -> set[int]:
    """Which of these customers have a plan running."""
    query = sa.select(PaymentPlan.customer_id).where(
        PaymentPlan.customer_id.in_(customer_ids), PaymentPlan.state == PlanState.ACTIVE
    )
    return set(db.session.scalars(query))
