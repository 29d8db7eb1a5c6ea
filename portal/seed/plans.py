"""Payment plans of the demo company: one that runs, one offered, one asked for."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import today
from portal.db import NO_MONEY, db, in_transaction
from portal.models import ON_THE_BOOKS, Customer, Invoice, PlanRhythm
from portal.payment_collection import seal_of
from portal.payment_plans import (
    Agreed,
    PlanTerms,
    accept_plan,
    ask_for_plan,
    offer_plan,
    propose,
    terms_text,
)

OFFICE = "Olive Ostrander"


def agree_plans() -> None:
    """With the customers whose debt is oldest, by name where it is equally old."""
    in_transaction(_agree)


def _agree() -> None:
    proposals = [(who, found) for who in _late_payers() if (found := propose(who, on=today()))]
    plans = []
    for customer, proposal in proposals[:2]:
        terms = PlanTerms(
            proposal.invoices, proposal.payments, proposal.rhythm, proposal.first_on
        )  # fmt: skip
        plans.append(offer_plan(customer, terms, by=OFFICE))
    for plan in plans[:1]:
        words = terms_text(plan, plan.customer.language)
        payer = plan.customer.contacts[0]
        accept_plan(
            plan, Agreed(f"{payer.name} <{payer.email}>", seal_of(words), plan.customer.language)
        )
    for customer, proposal in proposals[2:3]:
        ask_for_plan(
            customer, proposal.invoices, rhythm=PlanRhythm.BIWEEKLY,
            asked_by=customer.contacts[0].email, note="Could I pay this in smaller parts?",
        )  # fmt: skip


def _late_payers() -> list[Customer]:
    """Ten customers with an overdue invoice, the oldest debt first; never Ada."""
    oldest = sa.func.min(Invoice.due_date)
    late = (
        sa.select(Invoice.customer_id, oldest.label("since"))
        .where(
            Invoice.state.in_(ON_THE_BOOKS), Invoice.balance > NO_MONEY, Invoice.due_date < today()
        )
        .group_by(Invoice.customer_id)
        .subquery()
    )
    query = (
        sa.select(Customer)
        .join(late, late.c.customer_id == Customer.id)
        .where(Customer.email != "ada@customer.example")
        .order_by(late.c.since, Customer.name)
        .limit(10)
        .options(joinedload(Customer.customer_type))
    )
    return list(db.session.scalars(query))
