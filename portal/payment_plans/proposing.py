"""What to offer a customer, computed from how they paid so far, with the reasons in words.

Deterministic: the same history gives the same proposal. Nothing is learned, nothing is hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median_low

import sqlalchemy as sa

from portal.db import NO_MONEY, db
from portal.kernel.money import ZERO, Money
from portal.models import (
    ON_THE_BOOKS,
    Customer,
    Invoice,
    Payment,
    PaymentOrigin,
    PlanRhythm,
)
from portal.payment_plans.covering import choices_for
from portal.payment_plans.guarding import GuardRails
from portal.payment_plans.rules import guard_rails
from portal.payment_plans.splitting import MOST_INSTALMENTS, Instalment, split_plan

LOOKED_AT = 24  # the newest paid invoices and payments; older habits tell little
SMALL, MIDDLING = Money.of(300), Money.of(1000)
SOON, A_WEEK = timedelta(days=3), timedelta(days=7)  # somebody has to read and accept it first


@dataclass(frozen=True)
class PayingHabits:
    """How a customer paid so far; None where there is nothing to learn from yet."""

    days_late: int | None
    payment_size: Money | None
    oldest_days: int  # how long the oldest debt is past due


@dataclass(frozen=True)
class Proposal:
    """What to offer and why; not stored until somebody offers it."""

    invoices: Sequence[Invoice]
    amount: Money
    payments: int
    rhythm: PlanRhythm
    first_on: date
    instalments: Sequence[Instalment]
    reasons: Sequence[str]


def propose(
    customer: Customer,
    *,
    on: date,
    invoices: Sequence[Invoice] = (),
    rhythm: PlanRhythm | None = None,
) -> Proposal | None:
    """A proposal for what is overdue, else for all that is open; None when nothing can be.

    `invoices` and `rhythm` are what somebody asked for already.
    """
    chosen = list(invoices) or _worth_a_plan(customer, on)
    amount = Money.total(one.balance for one in chosen)
    if amount <= ZERO:
        return None
    habits = habits_of(customer, chosen, on=on)
    reasons = [_about_amount(chosen, amount, on)]
    payments = _payments(customer, amount, habits, guard_rails(), reasons)
    first_on = _first_day(habits, on, reasons)
    wanted = rhythm or _rhythm(amount, habits, reasons)
    if rhythm:
        reasons.append(f"{rhythm.value.capitalize()} payments were asked for.")
    fitting = _fitting(wanted, payments, first_on, on, guard_rails(), reasons)
    split = split_plan(amount, payments, fitting, first_on)
    return Proposal(chosen, amount, payments, fitting, first_on, split, reasons)


def habits_of(customer: Customer, invoices: Sequence[Invoice], *, on: date) -> PayingHabits:
    """Typical days late and payment size (the lower median), and the age of the oldest debt."""
    settled = sa.select(Invoice.settled_on, Invoice.due_date).where(
        Invoice.customer_id == customer.id,
        Invoice.state.in_(ON_THE_BOOKS),
        Invoice.settled_on.is_not(None),
        Invoice.due_date.is_not(None),
        Invoice.total > NO_MONEY,
    )
    newest = settled.order_by(Invoice.settled_on.desc(), Invoice.id.desc()).limit(LOOKED_AT)
    days = db.session.execute(newest)
    late = [max((paid - due).days, 0) for paid, due in days if paid and due]
    money = sa.select(Payment.amount).where(
        Payment.customer_id == customer.id,
        Payment.origin == PaymentOrigin.MONEY,
        Payment.returned_on.is_(None),
        Payment.amount > NO_MONEY,
    )
    latest = money.order_by(Payment.received_on.desc(), Payment.id.desc()).limit(LOOKED_AT)
    sizes = list(db.session.scalars(latest))
    return PayingHabits(
        median_low(late) if late else None,
        median_low(sizes) if sizes else None,
        max((one.days_past_due(on) for one in invoices), default=0),
    )


def _worth_a_plan(customer: Customer, on: date) -> list[Invoice]:
    free = [one.invoice for one in choices_for(customer) if not one.problem]
    return [one for one in free if one.is_overdue(on)] or free


def _about_amount(invoices: Sequence[Invoice], amount: Money, on: date) -> str:
    overdue = Money.total(one.balance for one in invoices if one.is_overdue(on))
    what = "One open invoice" if len(invoices) == 1 else f"{len(invoices)} open invoices"
    late = f", {overdue} of it past due" if overdue else ", none of it past due"
    return f"{what}: {amount}{late}."


def _payments(
    customer: Customer,
    amount: Money,
    habits: PayingHabits,
    rails: GuardRails,
    reasons: list[str],
) -> int:
    if size := habits.payment_size:
        wanted = max(-(-amount.cents // size.cents), 2)
        reasons.append(f"A typical payment was {size}: {wanted} of them cover it.")
    else:
        wanted = 2 if amount <= SMALL else 3 if amount <= MIDDLING else 4
        reasons.append(f"There is no payment to learn from; {amount} suggests {wanted} payments.")
    most = MOST_INSTALMENTS if customer.is_business else rails.most_for_consumers
    if least := rails.least_amount:
        most = min(most, max(amount.cents // least.cents, 1))
    most = min(most, amount.cents)
    if wanted > most:
        reasons.append(f"The rules allow {most} at most here.")
    return min(wanted, most)


def _first_day(habits: PayingHabits, on: date, reasons: list[str]) -> date:
    if habits.oldest_days > 60:
        reasons.append(
            f"The oldest debt is {habits.oldest_days} days past due: the first payment is in "
            "three days."
        )
        return on + SOON
    reasons.append("The first payment is in a week, so that there is time to agree.")
    return on + A_WEEK


def _rhythm(amount: Money, habits: PayingHabits, reasons: list[str]) -> PlanRhythm:
    late = habits.days_late
    if late is not None:
        reasons.append(f"Invoices were typically paid {late} days late.")
    else:
        reasons.append("No invoice was paid yet, so nobody knows how late is usual.")
    if amount <= SMALL:
        reasons.append("The amount is small: every two weeks.")
        return PlanRhythm.BIWEEKLY
    if habits.oldest_days > 90 and (late or 0) <= 30:
        reasons.append("The debt is old, payments usually come in time: every two weeks.")
        return PlanRhythm.BIWEEKLY
    reasons.append("A month between payments is the rhythm most incomes have.")
    return PlanRhythm.MONTHLY


def _fitting(
    wanted: PlanRhythm,
    payments: int,
    first_on: date,
    on: date,
    rails: GuardRails,
    reasons: list[str],
) -> PlanRhythm:
    """The wanted rhythm, or the next shorter one that ends early enough."""
    order = [PlanRhythm.MONTHLY, PlanRhythm.BIWEEKLY, PlanRhythm.WEEKLY]
    for rhythm in order[order.index(wanted) :]:
        last = split_plan(Money(payments), payments, rhythm, first_on)[-1].due_on
        if (last - on).days <= rails.longest_days:
            break
    if rhythm is not wanted:
        reasons.append(f"A plan ends within {rails.longest_days} days: {rhythm.value} payments.")
    return rhythm
