"""Which invoices are on a payment plan, and which plans are kept to.

A question about rows, asked by interest and aging, which lie below the room of the plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import db
from portal.models import PaymentPlan, PlanShare, PlanState


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
    """By invoice, the agreed plan with nothing unpaid beyond its days of grace."""
    return {
        invoice_id: plan
        for invoice_id, plan in live_plans_of(invoice_ids).items()
        if plan.in_good_standing(on)
    }


def customers_on_plans(customer_ids: Sequence[int]) -> set[int]:
    """Which of these customers have a plan running."""
    query = sa.select(PaymentPlan.customer_id).where(
        PaymentPlan.customer_id.in_(customer_ids), PaymentPlan.state == PlanState.ACTIVE
    )
    return set(db.session.scalars(query))
