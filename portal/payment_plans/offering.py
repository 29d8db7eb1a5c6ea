"""Offering a plan: what it comes to, whether it may be offered, and the offer itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.company import today
from portal.db import claim, db
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import (
    PLAN,
    Customer,
    Invoice,
    PaymentPlan,
    PlanInstalment,
    PlanRhythm,
    PlanShare,
    PlanState,
)
from portal.payment_plans.covering import covered_by, share_out
from portal.payment_plans.guarding import Guard, may_offer
from portal.payment_plans.preparing import (
    NO_INVOICE,
    hold_invoices,
    record_with_invoices,
    require_plans_of,
    tidy_words,
)
from portal.payment_plans.proposing import propose
from portal.payment_plans.queries import replaced_by
from portal.payment_plans.rules import grace_days, guard_rails
from portal.payment_plans.splitting import Instalment, split_plan
from portal.payment_plans.telling import tell_customer

OFFER_DAYS = 14


@dataclass(frozen=True)
class PlanTerms:
    """A plan as typed; without `amount` it covers all that is owed on the invoices."""

    invoices: Sequence[Invoice]
    payments: int
    rhythm: PlanRhythm
    first_on: date
    amount: Money | None = None
    automatic: bool = False
    note: str = ""
    fee: Money = ZERO


@dataclass(frozen=True)
class Preview:
    """What terms come to, and whether they may be offered."""

    amount: Money
    instalments: Sequence[Instalment]
    shares: Sequence[tuple[Invoice, Money]]
    guard: Guard


def preview_plan(
    customer: Customer,
    terms: PlanTerms,
    *,
    plan: PaymentPlan | None = None,
    replaces: PaymentPlan | None = None,
) -> Preview:
    """The instalments of these terms and what the guard says; changes nothing.

    InvalidFields when they cannot be computed at all, NotFound for another customer's plan.
    """
    require_plans_of(customer, plan, replaces)
    if not terms.invoices:
        raise InvalidFields({"invoices": NO_INVOICE})
    owed = Money.total(one.balance for one in terms.invoices)
    amount = owed if terms.amount is None else terms.amount
    shares = share_out(amount, terms.invoices)
    instalments = split_plan(amount, terms.payments, terms.rhythm, terms.first_on)
    besides = [one for one in (plan, replaces) if one is not None]
    covered = covered_by(shares, besides=besides)
    guard = may_offer(
        customer, instalments, covered, guard_rails(), on=today(), fee=terms.fee
    )  # fmt: skip
    return Preview(amount, instalments, shares, guard)


def offer_plan(
    customer: Customer,
    terms: PlanTerms,
    *,
    by: str,
    plan: PaymentPlan | None = None,
    replaces: PaymentPlan | None = None,
) -> PaymentPlan:
    """Propose a plan; `plan` is the wish or the earlier offer it answers or changes.

    The offer ends before its first payment, after two weeks at the latest. With `replaces` the
    customer keeps the old plan until this one is accepted. Raises DomainError with the guard's
    reason, InvalidFields, InvalidTransition, Conflict, or NotFound for another customer's plan.
    """
    require_plans_of(customer, plan, replaces)
    held = hold_invoices(customer, terms.invoices)
    checked = replace(terms, invoices=held, note=tidy_words(terms.note))
    _check_states(checked, plan, replaces)
    seen = preview_plan(customer, checked, plan=plan, replaces=replaces)
    if not seen.guard.allowed:
        raise DomainError(seen.guard.sentence)
    if plan is not None:
        claim(plan, state=PLAN.after(plan.state, "propose"))
        _take_apart(plan)
    offered = plan or PaymentPlan(customer=customer, state=PlanState.PROPOSED, replaces=replaces)
    _write(offered, checked, seen, by)
    db.session.add(offered)
    db.session.flush()
    _record_offer(offered)
    tell_customer("plan_proposed", offered, key=f"{offered.version}")
    return offered


def _check_states(terms: PlanTerms, plan: PaymentPlan | None, replaces: PaymentPlan | None) -> None:
    """What is answered still waits, and what is to be replaced can be: by one plan, with words."""
    if plan is not None:
        PLAN.after(plan.state, "propose")
    if replaces is None:
        return
    PLAN.after(replaces.state, "replace")
    if other := replaced_by(replaces):
        raise DomainError(f"Plan {other.number} is offered in its place already.")
    if not terms.note:
        raise InvalidFields({"note": "Say why a new plan takes the place of the old one."})


def _take_apart(plan: PaymentPlan) -> None:
    for row in (*plan.shares, *plan.instalments):
        db.session.delete(row)
    db.session.flush()
    db.session.refresh(plan)


def _write(plan: PaymentPlan, terms: PlanTerms, seen: Preview, by: str) -> None:
    plan.rhythm, plan.amount, plan.fee = terms.rhythm, seen.amount, terms.fee
    plan.automatic, plan.note, plan.proposed_by = terms.automatic, terms.note, by
    plan.reasons, plan.grace_days = _reasons(plan.customer, terms), grace_days()
    plan.offer_ends_on = min(terms.first_on, today() + timedelta(days=OFFER_DAYS))
    old_runs = plan.replaces is not None and plan.replaces.state is PlanState.ACTIVE
    plan.shares = [  # the plan that runs holds the invoices until this one is accepted
        PlanShare(invoice=one, amount=share, owed=one.balance, live=not old_runs)
        for one, share in seen.shares
    ]
    plan.instalments = [
        PlanInstalment(number=one.number, due_on=one.due_on, amount=one.amount)
        for one in seen.instalments
    ]


def _reasons(customer: Customer, terms: PlanTerms) -> list[str]:
    """What is computed for these invoices, and what the office chose instead."""
    computed = propose(customer, on=today(), invoices=terms.invoices)
    if computed is None:
        return []
    chosen = (terms.payments, terms.rhythm, terms.first_on)
    if chosen == (computed.payments, computed.rhythm, computed.first_on):
        return list(computed.reasons)
    suggested = f"{computed.payments} {computed.rhythm.value} payments were suggested"
    own = f"the office chose {terms.payments}, {terms.rhythm.value}, from {terms.first_on}"
    return [*computed.reasons, f"{suggested}; {own}."]


def _record_offer(plan: PaymentPlan) -> None:
    count = len(plan.instalments)
    what = f"{plan.amount} in {count} payments, {plan.rhythm.value}" if count > 1 else "one payment"
    old = f" It is to replace plan {plan.replaces.number}." if plan.replaces else ""
    record_with_invoices("proposed", plan, f"Payment plan {plan.number}: {what}.{old}")
