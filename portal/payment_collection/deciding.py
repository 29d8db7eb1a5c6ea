"""Whether a planned charge is made now: everything is read again at that very moment.

What is read here is only a plan; the invoices are locked and compared once more when the
attempt is kept and before it is confirmed (see charging).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from portal.company import company, format_money, today
from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.models import (
    LIVE_PLANS,
    AttemptState,
    ChargeSource,
    Invoice,
    InvoiceState,
    PaymentPlan,
    PlannedCharge,
    PlanShare,
)
from portal.payment_collection.attempts import live_attempts_on
from portal.payment_collection.autopay import autopay_of, method_for
from portal.payment_collection.charge_words import (
    ABOVE_BOUND,
    ANNOUNCED_AGAIN,
    BY_PLAN,
    DISPUTED,
    IN_CREDIT,
    NO_METHOD,
    NOT_ANNOUNCED,
    NOT_FINAL,
    ON_ITS_WAY,
    TOO_LITTLE,
    kept_outcome,
)
from portal.payment_collection.checkout import minimum_payment
from portal.payment_collection.methods import why_not
from portal.payment_collection.standing import standings
from portal.payments import disputed_invoices, free_credit_of


class Verdict(StrEnum):
    """HOLD looks again later and counts no try; GIVE_UP tells customer and office.

    ANNOUNCE takes the notice back: another one names another day, and only then it is charged.
    """

    CHARGE = "charge"
    HOLD = "hold"
    ANNOUNCE = "announce"
    CANCEL = "cancel"
    GIVE_UP = "give up"


@dataclass(frozen=True)
class Decision:
    """What to do with a planned charge now, and why in words."""

    verdict: Verdict
    words: str = ""
    method_id: int = 0
    shares: Sequence[tuple[int, Money]] = ()  # invoice id, amount


Decide = Callable[[PlannedCharge], Decision]
_DECIDERS: dict[ChargeSource, Decide] = {}


def decide_by(source: ChargeSource, decide: Decide) -> None:
    """Say who decides about charges of this source; portal/wiring.py does, once."""
    _DECIDERS[source] = decide


def decided_sources() -> list[ChargeSource]:
    """The sources whose charges are carried out by the worker."""
    return list(_DECIDERS)


def decide(charge: PlannedCharge) -> Decision:
    return _DECIDERS[charge.source](charge)


def decide_autopay(charge: PlannedCharge) -> Decision:
    """Autopay charges one invoice, up to what was announced, the agreed bound, and the balance."""
    invoice, autopay = charge.invoice, autopay_of(charge.customer_id)
    assert invoice is not None  # one_source
    if autopay is None or not autopay.active:
        return Decision(Verdict.CANCEL, "Autopay was turned off.")
    if invoice.state is InvoiceState.CANCELLED:
        return Decision(Verdict.CANCEL, "The invoice was cancelled.")
    if invoice.balance <= ZERO:
        return Decision(Verdict.CANCEL, "It was paid another way.")
    held = why_held(invoice)
    if charge.noticed_at is None:
        return Decision(Verdict.HOLD, held or kept_outcome(charge) or NOT_ANNOUNCED.why())
    lapsed = charge.next_try_on is not None and charge.next_try_on < today()
    if held:
        return Decision(Verdict.ANNOUNCE if lapsed else Verdict.HOLD, held)
    amount = min(invoice.balance, charge.amount or invoice.balance)
    if autopay.most is not None and amount > autopay.most:
        return Decision(Verdict.GIVE_UP, ABOVE_BOUND.why(amount=_said(autopay.most)))
    method = method_for(autopay)
    if method is None:
        old = autopay.method
        return Decision(Verdict.GIVE_UP, (old and why_not(old)) or NO_METHOD.why())
    if lapsed:  # the notice was good for its day alone
        return Decision(Verdict.ANNOUNCE, ANNOUNCED_AGAIN.why())
    if amount < minimum_payment(invoice.balance):
        return Decision(Verdict.ANNOUNCE, TOO_LITTLE.why())
    return Decision(Verdict.CHARGE, "", method.id, [(invoice.id, amount)])


def decide_bulk(charge: PlannedCharge) -> Decision:
    """A bulk charge takes what the customer owes by now, oldest first, up to what was shown."""
    standing = standings([charge.customer_id], run_id=charge.run_id).get(charge.customer_id)
    if standing is None or not standing.invoices:
        return Decision(Verdict.CANCEL, "Nothing is owed any more.")
    if standing.reason:
        return Decision(Verdict.CANCEL, standing.reason)
    assert standing.method is not None  # its absence is a reason
    left, shares = charge.amount or standing.owed, []
    for invoice in standing.invoices:
        part = min(invoice.balance, left)
        if part > ZERO:
            shares.append((invoice.id, part))
            left -= part
    return Decision(Verdict.CHARGE, "", standing.method.id, shares)


def planned_by_plan(invoice_ids: Sequence[int]) -> set[int]:
    """Which of these invoices a payment plan covers or is offered for: days of its own."""
    query = sa.select(PlanShare.invoice_id).where(
        PlanShare.invoice_id.in_(invoice_ids),
        PlanShare.live,
        PlanShare.plan.has(PaymentPlan.state.in_(LIVE_PLANS)),
    )
    return set(db.session.scalars(query))


def credit_words_for_office(credit: Money) -> str:
    """Why nothing is charged of somebody whose money we hold."""
    return IN_CREDIT.why(amount=_said(credit))


def why_held(invoice: Invoice) -> str:
    """Why autopay neither announces nor charges this invoice now; empty when it may."""
    if not invoice.is_on_the_books:
        return NOT_FINAL.why()
    if disputed_invoices([invoice.id]):
        return DISPUTED.why()
    if planned_by_plan([invoice.id]):
        return BY_PLAN.why()
    if credit := free_credit_of(invoice.customer_id):
        return credit_words_for_office(credit)
    if any(one.state is AttemptState.PROCESSING for one in live_attempts_on([invoice.id])):
        return ON_ITS_WAY.why()
    return ""


def _said(amount: Money) -> str:
    return format_money(amount, company().locale, company().currency)
