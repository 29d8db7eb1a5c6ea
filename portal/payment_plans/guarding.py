"""May this plan be offered: the guard rails as plain functions, each with its reason in words.

Source: assistants-and-matching.md §5 (12 CFR 1026.2(a)(17): more than four instalments, or a
finance charge). They are a default for caution, no legal advice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from portal.kernel.money import ZERO, Money
from portal.models import Customer
from portal.payment_collection import LEAST
from portal.payment_plans.splitting import Instalment

LAWFUL_MOST = 4  # the down payment counts; more make it credit that the law regulates


@dataclass(frozen=True)
class GuardRails:
    """What the company allows; `lawful_process`: an administrator declared more to be lawful."""

    most_payments: int = LAWFUL_MOST
    longest_days: int = 180
    least_amount: Money | None = None
    lawful_process: bool = False

    @property
    def most_for_consumers(self) -> int:
        """Never more than four without the declaration, whatever the setting says."""
        allowed = self.most_payments
        return allowed if self.lawful_process else min(allowed, LAWFUL_MOST)


@dataclass(frozen=True)
class Covered:
    """What the guard has to know of one invoice that a plan shall cover."""

    number: str
    share: Money
    balance: Money
    on_the_books: bool = True
    cancelled: bool = False
    credit: bool = False
    disputed: bool = False
    other_plan: str = ""  # the number of another plan that lives
    customer_id: int | None = None  # who is billed


@dataclass(frozen=True)
class Guard:
    """The answer: which rule says no and why; all empty when it may be offered."""

    allowed: bool
    rule: str = ""
    sentence: str = ""


def may_offer(
    customer: Customer,
    instalments: Sequence[Instalment],
    covered: Sequence[Covered],
    rails: GuardRails,
    *,
    on: date,
    fee: Money = ZERO,
) -> Guard:
    """Whether this customer may be offered these instalments on these invoices that day.

    The first rule that says no is told: invoices, then amounts, then days, then consumer rules.
    """
    reasons = [
        *_about_invoices(customer, covered),
        *_about_sums(instalments, covered, rails),
        *_about_days(instalments, rails, on),
        *_about_consumers(customer, instalments, fee, rails),
    ]
    if reasons:
        return Guard(False, *reasons[0])
    return Guard(True)


def invoice_problem(one: Covered) -> tuple[str, str] | None:
    """The rule and the reason why an invoice cannot be on a plan, or None."""
    about = f"Invoice {one.number}"
    if one.cancelled:
        return "void", f"{about} is cancelled: nothing is owed on it."
    if one.credit:
        return "credit", f"{about} gives credit: there is nothing to pay."
    if not one.on_the_books:
        return "not posted", f"{about} is not posted yet. Post it before it goes on a plan."
    if one.disputed:
        return "disputed", f"{about} is disputed. No plan is agreed until that is decided."
    if one.other_plan:
        return "other plan", f"{about} is on payment plan {one.other_plan} already."
    if one.balance <= ZERO:
        return "paid", f"Nothing is owed on invoice {one.number}."
    return None


def _about_invoices(customer: Customer, covered: Sequence[Covered]) -> Iterator[tuple[str, str]]:
    if not covered:
        yield "no invoice", "Choose at least one invoice for the plan."
    for one in covered:
        if one.customer_id != customer.id:
            yield "another customer", f"Invoice {one.number} belongs to another customer."
        if problem := invoice_problem(one):
            yield problem
        elif one.share > one.balance:
            yield "too much", f"Only {one.balance} is owed on invoice {one.number}."


def _about_sums(
    instalments: Sequence[Instalment], covered: Sequence[Covered], rails: GuardRails
) -> Iterator[tuple[str, str]]:
    planned = Money.total(one.amount for one in instalments)
    shares = Money.total(one.share for one in covered)
    if planned != shares or planned <= ZERO:
        yield "sum", f"The instalments come to {planned}, the invoices to {shares}."
    least = min((one.amount for one in instalments), default=ZERO)
    if rails.least_amount is not None and least < rails.least_amount:
        yield "too small", f"An instalment is at least {rails.least_amount}; this one is {least}."
    elif len(instalments) > 1 and least < LEAST:
        yield (
            "too small",
            f"An instalment is at least {LEAST}, the least that can be paid online; this one is "
            f"{least}. Choose fewer payments.",
        )


def _about_days(
    instalments: Sequence[Instalment], rails: GuardRails, on: date
) -> Iterator[tuple[str, str]]:
    days = [one.due_on for one in instalments] or [on]
    if min(days) < on:
        yield "past", "The first payment lies in the past. Choose today or later."
    if (runs := (max(days) - on).days) > rails.longest_days:
        longest = rails.longest_days
        yield "too long", f"A plan ends within {longest} days; this one takes {runs}."


def _about_consumers(
    customer: Customer, instalments: Sequence[Instalment], fee: Money, rails: GuardRails
) -> Iterator[tuple[str, str]]:
    if fee < ZERO:
        yield "fee", "A fee cannot be negative."
    if customer.is_business:
        return
    if len(instalments) > rails.most_for_consumers:
        yield (
            "payments",
            f"A consumer may be offered at most {rails.most_for_consumers} payments, the down "
            "payment counted. An administrator can declare in the settings that more are lawful.",
        )
    if fee > ZERO and not rails.lawful_process:
        yield (
            "fee",
            "A consumer is charged no fee for a plan, unless an administrator has declared in "
            "the settings that it is lawful.",
        )
