"""Accepting an offered plan: exactly what was shown, unless something changed meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from portal.audit import Happening, record, record_many
from portal.company import company, format_day, today
from portal.db import claim, db, lock_rows
from portal.kernel import clock
from portal.kernel.errors import Conflict, InvalidFields
from portal.models import (
    PLAN,
    ConsentKind,
    Invoice,
    InvoiceState,
    PaymentPlan,
    SavedMethod,
)
from portal.payment_collection import ConsentGiven, keep_consent, method_of, seal_of, why_not
from portal.payment_plans.agreement import terms_text
from portal.payment_plans.covering import covered_by
from portal.payment_plans.customer_words import cannot_be_agreed, invoice_refusal
from portal.payment_plans.ending import end_plan
from portal.payment_plans.guarding import may_offer
from portal.payment_plans.rules import guard_rails
from portal.payment_plans.splitting import Instalment
from portal.payment_plans.telling import tell_customer, tell_office


@dataclass(frozen=True)
class Agreed:
    """Who accepted and how; `seen` is the seal of the terms that were on the screen."""

    given_by: str
    seen: str
    language: str = "en"
    address: str = ""
    agent: str = ""
    method_id: int | None = None


def accept_plan(plan: PaymentPlan, agreed: Agreed) -> bool:
    """Make the offer binding and keep the evidence; of two who accept at once the first counts.

    Returns whether a copy goes out by mail: not when nobody has an address.

    The invoices are held first, then the plan is read afresh. Raises InvalidTransition when it
    is no offer any more, Conflict with what changed since it was offered, or InvalidFields when
    an automatic plan has nothing to charge.
    """
    lock_rows(Invoice, [share.invoice_id for share in plan.shares])
    lock_rows(PaymentPlan, [plan.id])
    db.session.refresh(plan, ["shares", "instalments"])
    after = PLAN.after(plan.state, "accept")
    text = terms_text(plan, agreed.language)
    changed = changes_since_offer(plan)
    if not changed and seal_of(text) != agreed.seen:
        changed = ["The terms changed since you opened this page. Please read them again."]
    if changed:
        raise Conflict(" ".join(changed))
    method = _method(plan, agreed.method_id)
    _end_the_old_one(plan)
    claim(plan, state=after)
    plan.consent = keep_consent(
        ConsentGiven(
            customer=plan.customer, kind=ConsentKind.PAYMENT_PLAN, text=text,
            language=agreed.language, given_by=agreed.given_by,
            address=agreed.address, agent=agreed.agent,
        )
    )  # fmt: skip
    plan.method, plan.accepted_at = method, clock.now()
    for share in plan.shares:
        share.live = True
    db.session.flush()
    return _tell(plan, agreed.given_by)


def changes_since_offer(plan: PaymentPlan) -> list[str]:
    """What no longer is as it was offered, in the customer's words; empty while it can be."""
    on, sentences = today(), []
    if plan.offer_ends_on is not None and plan.offer_ends_on < on:
        day = format_day(plan.offer_ends_on, company().locale)
        sentences.append(f"This offer ended on {day}. Please ask us for a new one.")
    for share in plan.shares:
        invoice = share.invoice
        if invoice.state is not InvoiceState.CANCELLED and invoice.balance != share.owed:
            sentences.append(
                f"Invoice {invoice.number} had {share.owed} to pay when the plan was offered "
                f"and has {invoice.balance} now. Please ask us for a new plan."
            )
    return sentences or _refused_by_now(plan)


def _refused_by_now(plan: PaymentPlan) -> list[str]:
    """The guard once more: a dispute, a cancellation or a new rule may have come between."""
    besides = [plan, *([plan.replaces] if plan.replaces else [])]
    covered = covered_by([(one.invoice, one.amount) for one in plan.shares], besides=besides)
    guard = may_offer(
        plan.customer,
        [Instalment(one.number, one.due_on, one.amount) for one in plan.instalments],
        covered,
        guard_rails(),
        on=today(),
        fee=plan.fee,
    )
    if guard.allowed:
        return []
    refusals = [words for one in covered if (words := invoice_refusal(one))]
    return refusals or [cannot_be_agreed()]


def _method(plan: PaymentPlan, method_id: int | None) -> SavedMethod | None:
    """What an automatic plan charges; NotFound or InvalidFields for one that is no use."""
    if not plan.automatic:
        return None
    if method_id is None:
        raise InvalidFields(
            {"method": "This plan is charged by itself: choose a saved card or bank account."}
        )
    method = method_of(plan.customer_id, method_id)
    if why_not(method):  # said in the office's words
        raise InvalidFields(
            {"method": f"{method.label} cannot be charged. Choose or save another one."}
        )
    return method


def _end_the_old_one(plan: PaymentPlan) -> None:
    """The plan this one replaces ends in the same moment; what was paid on it stays paid."""
    old = plan.replaces
    if old is None:
        return
    claim(old, state=PLAN.after(old.state, "replace"))
    end_plan(old, f"Payment plan {plan.number} took its place.")
    record("replaced", old, f"Payment plan {plan.number} took its place: {plan.note}".strip(": "))


def _tell(plan: PaymentPlan, given_by: str) -> bool:
    sentence = f"{given_by} accepted payment plan {plan.number}: {plan.amount}."
    record("accepted", plan, sentence)
    record_many(
        [Happening("plan accepted", "invoice", one.invoice_id, sentence) for one in plan.shares]
    )
    tell_office(plan, sentence)
    return tell_customer("plan_accepted", plan)
