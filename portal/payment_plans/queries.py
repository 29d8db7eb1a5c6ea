"""Finding plans: the list of the office, a customer's own, the one an invoice is on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import NO_MONEY, Page, PageRequest, db, holds, paginate, total_of
from portal.kernel.errors import NotFound
from portal.models import (
    Customer,
    Invoice,
    InvoiceState,
    PaymentPlan,
    PlanInstalment,
    PlanShare,
    PlanState,
)

WHOLE = (
    joinedload(PaymentPlan.customer).joinedload(Customer.customer_type),
    joinedload(PaymentPlan.consent),
    selectinload(PaymentPlan.instalments),
    selectinload(PaymentPlan.shares).joinedload(PlanShare.invoice),
)


@dataclass(frozen=True)
class PlanFilter:
    """What the list of plans is narrowed to; `due_to` bounds the next unpaid instalment."""

    q: str = ""
    state: PlanState | None = None
    customer_id: int | None = None
    due_to: date | None = None
    missed: bool | None = None


def get_plan(plan_id: int) -> PaymentPlan:
    """One plan with its instalments and invoices; NotFound otherwise."""
    plan = db.session.get(PaymentPlan, plan_id, options=WHOLE)
    if plan is None:
        raise NotFound("No such payment plan.")
    return plan


def find_plans(wanted: PlanFilter, page: PageRequest, *, on: date) -> Page[PaymentPlan]:
    """One page of plans: wishes nobody answered, then the next to be paid, then the others."""
    due = _next_due()
    query = (
        sa.select(PaymentPlan)
        .join(Customer)
        .outerjoin(due, due.c.plan_id == PaymentPlan.id)
        .options(*WHOLE)
    )
    if wanted.q.strip():
        query = query.where(holds(Customer.name, wanted.q))
    if wanted.state:
        query = query.where(PaymentPlan.state == wanted.state)
    if wanted.customer_id:
        query = query.where(PaymentPlan.customer_id == wanted.customer_id)
    if wanted.due_to:
        query = query.where(due.c.due_on <= wanted.due_to)
    if wanted.missed is not None:
        late = sa.func.coalesce(due.c.due_on < on, sa.false())
        query = query.where(late if wanted.missed else ~late)
    unanswered = PaymentPlan.state == PlanState.ASKED
    soonest = sa.case((unanswered, date.min), else_=sa.func.coalesce(due.c.due_on, date.max))
    sorts: dict[str, Any] = {
        "due": soonest,
        "amount": PaymentPlan.amount,
        "customer": Customer.name,
        "number": PaymentPlan.id,
    }
    return paginate(query, page, sorts=sorts, default="due")


def plans_of(customer_ids: Sequence[int], *, limit: int = 50) -> list[PaymentPlan]:
    """These customers' plans, newest first."""
    query = (
        sa.select(PaymentPlan)
        .where(PaymentPlan.customer_id.in_(customer_ids))
        .order_by(PaymentPlan.id.desc())
        .limit(limit)
        .options(*WHOLE)
    )
    return list(db.session.scalars(query))


def replaced_by(plan: PaymentPlan) -> PaymentPlan | None:
    """The plan that took over, or is offered to."""
    return db.session.scalar(sa.select(PaymentPlan).where(PaymentPlan.replaces_id == plan.id))


def _next_due() -> sa.Subquery:
    """By running plan, the day of its oldest instalment that is not fully paid."""
    upto = sa.func.sum(PlanInstalment.amount).over(
        partition_by=PlanInstalment.plan_id, order_by=PlanInstalment.number
    )
    rows = (
        sa.select(PlanInstalment.plan_id, PlanInstalment.due_on, upto.label("upto"))
        .join(PaymentPlan, PaymentPlan.id == PlanInstalment.plan_id)
        .where(PaymentPlan.state == PlanState.ACTIVE)
        .subquery()
    )
    opens = _open_by_plan()
    return (
        sa.select(rows.c.plan_id, sa.func.min(rows.c.due_on).label("due_on"))
        .join(opens, opens.c.plan_id == rows.c.plan_id)
        .where(rows.c.upto > opens.c.paid)
        .group_by(rows.c.plan_id)
        .subquery()
    )


def _open_by_plan() -> sa.Subquery:
    """What was paid on each plan: the same as PaymentPlan.paid, in SQL."""
    owed = sa.case((PlanShare.owed < PlanShare.amount, PlanShare.amount), else_=PlanShare.owed)
    fallen = owed - Invoice.balance
    paid = sa.case(
        (Invoice.state == InvoiceState.CANCELLED, PlanShare.amount),
        (fallen <= NO_MONEY, NO_MONEY),
        (fallen >= PlanShare.amount, PlanShare.amount),
        else_=fallen,
    )
    return (
        sa.select(PlanShare.plan_id, total_of(paid).label("paid"))
        .join(Invoice, Invoice.id == PlanShare.invoice_id)
        .group_by(PlanShare.plan_id)
        .subquery()
    )
