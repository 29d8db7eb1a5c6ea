"""How customers stand for a charge by the office: what they owe, and why not if not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import company, format_money, today
from portal.db import NO_MONEY, db
from portal.kernel.money import ZERO, Money
from portal.models import (
    HAS_BALANCE,
    LIVE_CHARGES,
    LIVE_PLANS,
    ON_THE_BOOKS,
    AttemptShare,
    Autopay,
    ChargeSource,
    Customer,
    Invoice,
    MethodState,
    Payment,
    PaymentAttempt,
    PaymentPlan,
    PlannedCharge,
    PlanState,
    SavedMethod,
)
from portal.payment_collection.consents import covers_office_charges
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payment_collection.methods import why_not
from portal.payments import credits_of

CHUNK = 1_000  # customers per statement


@dataclass
class Standing:
    """One customer: final invoices with a balance, oldest due first, and the primary method.

    `reason` says why they are left out; empty when they can be charged `owed`.
    """

    customer: Customer
    invoices: list[Invoice] = field(default_factory=list)
    method: SavedMethod | None = None
    reason: str = ""

    @property
    def owed(self) -> Money:
        return Money.total(one.balance for one in self.invoices)


def standings(customer_ids: Collection[int], *, run_id: int | None = None) -> dict[int, Standing]:
    """The standing of each of these customers: a constant number of statements per thousand.

    For a row of the bulk charge `run_id` only an earlier one counts as another.
    """
    wanted, found = sorted(set(customer_ids)), {}
    for start in range(0, len(wanted), CHUNK):
        found.update(_standings(wanted[start : start + CHUNK], run_id))
    return found


def _standings(ids: Sequence[int], run_id: int | None) -> dict[int, Standing]:
    customers = db.session.scalars(
        sa.select(Customer).where(Customer.id.in_(ids)).order_by(Customer.name, Customer.id)
    )
    found = {one.id: Standing(one) for one in customers}
    for invoice in db.session.scalars(_owed_by(ids)):
        found[invoice.customer_id].invoices.append(invoice)
    for method in _primary_methods(ids):
        found[method.customer_id].method = method
    reasons = _reasons(ids, run_id)
    agreed = _agreed(ids)
    for customer_id, one in found.items():
        one.reason = reasons.get(customer_id) or _about_method(one, agreed.get(customer_id))
    return found


def _owed_by(ids: Sequence[int]) -> sa.Select[Invoice]:
    return (
        sa.select(Invoice)
        .where(
            Invoice.customer_id.in_(ids),
            HAS_BALANCE,
            Invoice.balance > NO_MONEY,
            Invoice.state.in_(ON_THE_BOOKS),
        )
        .order_by(Invoice.due_date.is_(None), Invoice.due_date, Invoice.id)
        .execution_options(populate_existing=True)
    )


def _primary_methods(ids: Sequence[int]) -> Iterable[SavedMethod]:
    if not has_gateway():
        return []
    return db.session.scalars(
        sa.select(SavedMethod)
        .where(
            SavedMethod.customer_id.in_(ids),
            SavedMethod.is_primary,
            SavedMethod.state == MethodState.ACTIVE,
            SavedMethod.gateway == gateway().name,
            SavedMethod.livemode == gateway().livemode,
        )
        .options(joinedload(SavedMethod.consent))
        .execution_options(populate_existing=True)
    )


def _agreed(ids: Sequence[int]) -> dict[int, Autopay]:
    """By customer, the autopay whose consent lets the office charge as well."""
    rows = db.session.scalars(
        sa.select(Autopay)
        .where(Autopay.customer_id.in_(ids), Autopay.active)
        .options(joinedload(Autopay.consent), joinedload(Autopay.method))
    )
    return {one.customer_id: one for one in rows if covers_office_charges(one.consent)}


def _about_method(one: Standing, autopay: Autopay | None) -> str:
    if one.method is None:
        return "No payment method is on file."
    if problem := why_not(one.method):
        return problem
    if not one.invoices:
        return "Nothing is owed."
    if covers_office_charges(one.method.consent):
        return ""
    if autopay is None:
        return "They have not agreed to be charged by the office."
    if autopay.method is not None and autopay.method_id != one.method.id:
        return (
            f"They agreed to charges of {autopay.method.label} only; "
            f"{one.method.label} is their primary payment method."
        )
    if autopay.most is not None and one.owed > autopay.most:
        bound = format_money(autopay.most, company().locale, company().currency)
        return f"They owe more than the {bound} they agreed to be charged at once."
    return ""


def _reasons(ids: Sequence[int], run_id: int | None) -> dict[int, str]:
    """Everything that speaks against charging now, the strongest reason last so that it wins."""
    reasons: dict[int, str] = defaultdict(str)
    locale, currency = company().locale, company().currency
    for customer_id in db.session.scalars(_charged_already(ids, run_id)):
        reasons[customer_id] = "Another bulk charge of theirs is under way."
    for customer_id, amount in credits_of(ids, on=today()).items():
        if amount > ZERO:
            said = format_money(amount, locale, currency)
            reasons[customer_id] = f"They have {said} in credit: use that first."
    for customer_id in db.session.scalars(_with_plan(ids)):
        reasons[customer_id] = "They have a payment plan."
    for customer_id in db.session.scalars(_paying(ids)):
        reasons[customer_id] = "A payment of theirs is under way."
    for customer_id in db.session.scalars(_disputing(ids)):
        reasons[customer_id] = "Their bank disputes a payment."
    return reasons


def _charged_already(ids: Sequence[int], run_id: int | None) -> sa.Select[int]:
    query = sa.select(PlannedCharge.customer_id).where(
        PlannedCharge.customer_id.in_(ids),
        PlannedCharge.source == ChargeSource.BULK,
        PlannedCharge.state.in_(LIVE_CHARGES),
    )
    return query if run_id is None else query.where(PlannedCharge.run_id < run_id)


def _with_plan(ids: Sequence[int]) -> sa.Select[int]:
    return sa.select(PaymentPlan.customer_id).where(
        PaymentPlan.customer_id.in_(ids),
        PaymentPlan.state.in_(LIVE_PLANS - {PlanState.ASKED}),
    )


def _paying(ids: Sequence[int]) -> sa.Select[int]:
    return (
        sa.select(PaymentAttempt.customer_id)
        .join(AttemptShare, AttemptShare.attempt_id == PaymentAttempt.id)
        .where(PaymentAttempt.customer_id.in_(ids), AttemptShare.live)
    )


def _disputing(ids: Sequence[int]) -> sa.Select[int]:
    return sa.select(Payment.customer_id).where(Payment.customer_id.in_(ids), Payment.disputed)
