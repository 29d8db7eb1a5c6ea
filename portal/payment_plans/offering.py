"""Asking for a plan, offering one, declining and withdrawing it; only acceptance binds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from portal.audit import Happening, record, record_many
from portal.company import today
from portal.db import claim, db, lock_rows
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
from portal.payment_plans.charges import cancel_charges
from portal.payment_plans.covering import covered_by, share_out
from portal.payment_plans.guarding import Guard, invoice_problem, may_offer
from portal.payment_plans.proposing import propose
from portal.payment_plans.rules import grace_days, guard_rails
from portal.payment_plans.splitting import Instalment, split_plan
from portal.payment_plans.telling import tell_customer, tell_office

OFFER_DAYS = 14
LONGEST_WORDS = 1000


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

    InvalidFields when they cannot be computed at all.
    """
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


def ask_for_plan(
    customer: Customer,
    invoices: Sequence[Invoice],
    *,
    rhythm: PlanRhythm,
    asked_by: str,
    note: str = "",
) -> PaymentPlan:
    """A customer's wish; the office answers with an offer or a no.

    Raises DomainError with the reason why one of the invoices cannot be on a plan.
    """
    locked = _locked(customer, invoices)
    shares = [(one, one.balance) for one in locked]
    for fact in covered_by(shares):
        if problem := invoice_problem(fact):
            raise DomainError(problem[1])
    plan = PaymentPlan(
        customer=customer,
        state=PlanState.ASKED,
        rhythm=rhythm,
        amount=Money.total(share for _, share in shares),
        grace_days=grace_days(),
        asked_by=asked_by,
        note=_words(note),
        shares=[PlanShare(invoice=one, amount=share, owed=one.balance) for one, share in shares],
    )
    db.session.add(plan)
    db.session.flush()
    wish = f"{plan.amount}, {rhythm.value} payments"
    _record_with_invoices("asked", plan, f"{asked_by} asked for a payment plan: {wish}.")
    tell_office(plan, f"{customer.name} asks for a payment plan: {wish}.", str(plan.note))
    return plan


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
    reason, InvalidFields, InvalidTransition, or Conflict.
    """
    checked = replace(terms, invoices=_locked(customer, terms.invoices), note=_words(terms.note))
    if replaces is not None:
        PLAN.after(replaces.state, "replace")
        if not checked.note:
            raise InvalidFields({"note": "Say why a new plan takes the place of the old one."})
    if plan is not None:
        PLAN.after(plan.state, "propose")
    seen = preview_plan(customer, checked, plan=plan, replaces=replaces)
    if not seen.guard.allowed:
        raise DomainError(seen.guard.sentence)
    if plan is not None:
        claim(plan, state=PLAN.after(plan.state, "propose"))
        _take_apart(plan)
    offered = plan or PaymentPlan(customer=customer, state=PlanState.PROPOSED, replaces=replaces)
    _write(offered, checked, seen, by)
    waits = offered.replaces is not None and offered.replaces.state is PlanState.ACTIVE
    for share in offered.shares:
        share.live = not waits  # the plan that runs holds the invoices until this is accepted
    db.session.add(offered)
    db.session.flush()
    _record_offer(offered)
    tell_customer("plan_proposed", offered, key=f"{offered.version}")
    return offered


def decline_plan(plan: PaymentPlan, *, because: str, by_customer: bool = False) -> None:
    """The office says no to a wish, or the customer to an offer; the reason is told.

    InvalidFields when the office gives no reason.
    """
    words = _words(because)
    if not words and not by_customer:
        raise InvalidFields({"because": "Say why, in words the customer reads."})
    claim(plan, state=PLAN.after(plan.state, "decline"))
    end_plan(plan, words)
    record("declined", plan, f"Payment plan {plan.number} was declined. {words}".strip())
    if by_customer:
        tell_office(plan, f"{plan.customer.name} declined payment plan {plan.number}.", words)
    else:
        tell_customer("plan_declined", plan, reason=words)


def withdraw_plan(plan: PaymentPlan, *, because: str) -> None:
    """Take an offer back, or end a running plan: the invoices' own terms count again."""
    words = _words(because)
    if not words:
        raise InvalidFields({"because": "Say why, in words the customer reads."})
    was = plan.state
    lock_rows(Invoice, [share.invoice_id for share in plan.shares])
    claim(plan, state=PLAN.after(was, "withdraw"))
    end_plan(plan, words)
    record("withdrawn", plan, f"Payment plan {plan.number} was withdrawn: {words}")
    kind = "plan_broken" if was is PlanState.ACTIVE else "plan_declined"
    tell_customer(kind, plan, reason=words)


def end_plan(plan: PaymentPlan, because: str) -> None:
    """Nothing of it lives on: invoices are free, charges that wait are called off."""
    plan.ended_on, plan.ended_because = today(), because
    if plan.state in (PlanState.DECLINED, PlanState.WITHDRAWN):
        plan.replaces = None  # another offer may take its place
    for share in plan.shares:
        share.live = False
    cancel_charges(plan)
    db.session.flush()


def _locked(customer: Customer, invoices: Sequence[Invoice]) -> list[Invoice]:
    if not invoices:
        raise InvalidFields({"invoices": "Choose at least one invoice."})
    locked = lock_rows(Invoice, [one.id for one in invoices])
    if any(one.customer_id != customer.id for one in locked):
        raise DomainError("These invoices belong to another customer.")
    return locked


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
    plan.shares = [
        PlanShare(invoice=one, amount=share, owed=one.balance) for one, share in seen.shares
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
    _record_with_invoices("proposed", plan, f"Payment plan {plan.number}: {what}.{old}")


def _record_with_invoices(verb: str, plan: PaymentPlan, sentence: str) -> None:
    """One line in the timeline of the plan and each of its invoices."""
    record_many(
        [
            Happening(verb, "paymentplan", plan.id, sentence),
            *(
                Happening(f"plan {verb}", "invoice", one.invoice_id, sentence)
                for one in plan.shares
            ),
        ]
    )


def _words(typed: str) -> str:
    words = typed.replace("\0", "").strip()
    if len(words) > LONGEST_WORDS:
        raise InvalidFields({"note": f"This is too long: at most {LONGEST_WORDS} characters."})
    return words
