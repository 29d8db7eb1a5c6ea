"""Which invoices are on a payment plan, and which plans are kept to.

A question about rows, asked by interest and aging, which lie below the room of the plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import NO_MONEY, db
from portal.models import (
    AttemptShare,
    AttemptState,
    Payment,
    PaymentApplication,
    PaymentAttempt,
    PaymentPlan,
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
    """By invoice, the agreed plan with nothing unpaid beyond its days of grace.

    A plan that waits for a bank or for a dispute to be decided cannot be late meanwhile.
    """
    plans = live_plans_of(invoice_ids)
    late = [
        one
        for one in {plan.id: plan for plan in plans.values()}.values()
        if one.state is PlanState.ACTIVE and not one.in_good_standing(on)
    ]
    waiting = _waiting(late)
    return {
        invoice_id: plan
        for invoice_id, plan in plans.items()
        if plan.id in waiting or plan.in_good_standing(on)
    }


def _waiting(plans: Sequence[PaymentPlan]) -> set[int]:
    """Ids of those with a debit on its way or disputed money on one of their invoices."""
    if not plans:
        return set()
    by_invoice = {share.invoice_id: one.id for one in plans for share in one.shares if share.live}
    on_its_way = (
        sa.select(AttemptShare.invoice_id)
        .join(PaymentAttempt, PaymentAttempt.id == AttemptShare.attempt_id)
        .where(
            AttemptShare.invoice_id.in_(by_invoice),
            AttemptShare.live,
            PaymentAttempt.state == AttemptState.PROCESSING,
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
