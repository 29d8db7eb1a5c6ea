"""Opening, refreshing and closing cases: what a customer's account looks like today, written down.

Called for many customers by the hour, and for one whenever something happened to their money.
Looking twice changes nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.audit import record
from portal.company import today
from portal.db import db, insert_once, lock_rows, total_of
from portal.dunning.chance import Chance, chance_of_not_paying
from portal.dunning.open_items import OpenItem, credit_by_customer, open_items_of
from portal.dunning.policies import policies, policy_for, stages_of
from portal.dunning.rules import dunning_rules
from portal.dunning.standings import standings_of
from portal.dunning.stepping import plan_steps, skip_undone
from portal.dunning.stopping import Account, Wait, why_wait
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import (
    DUNNING_CASE,
    CaseEnd,
    CaseState,
    CollectionStanding,
    Customer,
    DunningCase,
    DunningPolicy,
    DunningRules,
    DunningStep,
    Payment,
    PaymentApplication,
    PaymentOrigin,
    PromiseState,
    PromiseToPay,
)

SAID_ANYWAY = "days late"  # the first reason tells the age of the oldest
IS_LIVE = sa.text("dunning_cases.state <> 'closed'")


@dataclass(frozen=True)
class Surroundings:
    """What is read once for many customers."""

    on: date
    rules: DunningRules
    policies: Sequence[DunningPolicy]
    due: Mapping[int, list[OpenItem]]
    credit: Mapping[int, Money]
    standings: Mapping[int, CollectionStanding]
    promised: Mapping[int, date]
    chances: Mapping[int, Chance] = field(default_factory=dict)


def refresh_cases(customer_ids: Collection[int]) -> None:
    """Open, refresh or close the cases of these customers, whose live cases are locked in order."""
    ids = sorted(set(customer_ids))
    found = db.session.scalars(
        sa.select(DunningCase.id).where(IS_LIVE, DunningCase.customer_id.in_(ids))
    ).all()
    lock_rows(DunningCase, found)
    cases = {one.customer_id: one for one in _load_cases(found)}
    around = look_around(ids)
    customers = db.session.scalars(
        sa.select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id)
    )
    for customer in customers:
        _refresh(customer, cases.get(customer.id), around)
    db.session.flush()


def look_around(customer_ids: Collection[int]) -> Surroundings:
    """Read what the decisions about these customers need, in a constant number of statements."""
    on, known = today(), policies()
    due = open_items_of(customer_ids, on=on, due_until=on + lead_time(known))
    ids = [one.invoice_id for items in due.values() for one in items if one.chaseable]
    return Surroundings(
        on=on,
        rules=dunning_rules(),
        policies=known,
        due=due,
        credit=credit_by_customer(customer_ids),
        standings=standings_of(customer_ids),
        promised=_promised(customer_ids),
        chances=chance_of_not_paying(ids) if ids else {},
    )


def lead_time(known: Sequence[DunningPolicy]) -> timedelta:
    """How long before the due date the earliest stage of any policy lies."""
    days = [stage.days for one in known if one.active for stage in stages_of(one)]
    return timedelta(days=max(-min(days, default=0), 0))


def account_of(customer: Customer, around: Surroundings, case: DunningCase | None) -> Account:
    """The customer's account as the decision to wait needs it."""
    items = around.due.get(customer.id, [])
    flags = around.standings.get(customer.id)
    return Account(
        chaseable=Money.total(one.chaseable for one in items),
        open=Money.total(one.balance for one in items),
        disputed=Money.total(one.disputed for one in items),
        on_its_way=Money.total(one.on_its_way for one in items),
        on_plans=", ".join(sorted({one.on_plan for one in items if one.on_plan})),
        credit=around.credit.get(customer.id, ZERO),
        active=customer.active,
        on_hold=bool(flags and flags.on_hold),
        hold_because=flags.hold_because if flags else "",
        paused_until=flags.paused_until if flags else None,
        paused_because=flags.paused_because if flags else "",
        snoozed_until=case.snoozed_until if case else None,
        snoozed_because=case.snoozed_because if case else "",
        promised_on=around.promised.get(customer.id),
        grace_days=around.rules.promise_grace_days,
    )


def wait_of(customer: Customer, case: DunningCase | None = None) -> Wait | None:
    """Why this customer is left alone right now, read afresh."""
    around = look_around([customer.id])
    return why_wait(account_of(customer, around, case), on=around.on)


def close_case(case: DunningCase, ended: CaseEnd, because: str, *, on: date) -> None:
    """End the chase; what was still to be done is skipped."""
    case.state = DUNNING_CASE.after(case.state, "close")
    case.closed_on, case.ended, case.closed_because = on, ended, because
    case.waits_because, case.next_step = "", ""
    case.owed, case.expected = ZERO, ZERO
    skip_undone(case, "The case is over.")
    record("closed", case, f"The case is closed: {because}")
    db.session.flush()


def is_control(customer_id: int, percent: int) -> bool:
    """Whether chance puts this customer in the control group: the same answer every time."""
    digest = hashlib.sha256(f"control group {customer_id}".encode()).digest()
    return int.from_bytes(digest[:4]) % 100 < percent


def _refresh(customer: Customer, case: DunningCase | None, around: Surroundings) -> None:
    items = around.due.get(customer.id, [])
    free = [one for one in items if one.chaseable]
    if case is not None:
        case = _close_if_over(case, items, free, around.on)
    if case is None and free and customer.active:
        case = _open(customer, free, around)
    if case is None:
        return
    if free:
        case.oldest_due_on = min(case.oldest_due_on, free[0].due_on)
    wait = why_wait(account_of(customer, around, case), on=around.on)
    _write_figures(case, free, around)
    case.waits_because = wait.sentence if wait else ""
    if case.snoozed_until is not None and case.snoozed_until <= around.on:
        case.snoozed_until, case.snoozed_because = None, ""
    if wait is None and free:
        plan_steps(case, late=free[0].days_late(around.on), rules=around.rules)
    _say_next(case)


def _close_if_over(
    case: DunningCase, items: Sequence[OpenItem], free: Sequence[OpenItem], on: date
) -> DunningCase | None:
    """The case if it goes on; it is over when what it was opened for is."""
    if not items or items[0].due_on > case.oldest_due_on:
        paid = _money_since(case) > ZERO
        ended = CaseEnd.PAID if paid else CaseEnd.GONE
        close_case(case, ended, "Paid." if paid else "Nothing of it is owed any more.", on=on)
        return None
    if free and free[0].due_on > case.oldest_due_on:
        because = "What it was opened for is disputed, on a plan, or a payment is on its way."
        close_case(case, CaseEnd.GONE, because, on=on)
        return None
    return case


def _open(customer: Customer, free: Sequence[OpenItem], around: Surroundings) -> DunningCase | None:
    policy = policy_for(customer, around.policies)
    if policy is None:
        return None
    stages = stages_of(policy)
    if not stages or free[0].days_late(around.on) < stages[0].days:
        return None
    case = DunningCase(
        customer_id=customer.id,
        policy_id=policy.id,
        control=is_control(customer.id, around.rules.control_percent),
        opened_on=around.on,
        oldest_due_on=free[0].due_on,
        owed_at_start=Money.total(one.chaseable for one in free),
        steps=[],
    )
    if not insert_once(case):
        return None  # somebody else was faster; the next look refreshes it
    record("opened", case, f"Collections began for {customer.name}: {case.owed_at_start} is due.")
    return case


def _write_figures(case: DunningCase, free: Sequence[OpenItem], around: Surroundings) -> None:
    late = [one for one in free if one.is_overdue(around.on)]
    owed, expected, reasons = ZERO, ZERO, []
    for one in sorted(late, key=lambda item: item.chaseable, reverse=True):
        chance = around.chances.get(one.invoice_id, Chance(Rate(0)))
        owed += one.chaseable
        expected += chance.rate.of_money(one.chaseable)
        reasons += [
            reason
            for reason in chance.reasons
            if reason not in reasons and not reason.endswith(SAID_ANYWAY)
        ]
    case.owed, case.expected = owed, expected
    case.chance = Rate(expected.cents * 1_000_000 // owed.cents) if owed else Rate(0)
    if late:
        reasons = [_how_late(late, around.on), *reasons[:4]]
    case.reasons = reasons


def _how_late(late: Sequence[OpenItem], on: date) -> str:
    """In words, the oldest first: "invoice INV-7 is 22 days overdue"."""
    count = late[0].days_late(on)
    days = "1 day" if count == 1 else f"{count} days"
    if len(late) == 1:
        return f"invoice {late[0].number} is {days} overdue"
    return f"{len(late)} invoices overdue, the oldest by {days}"


def _say_next(case: DunningCase) -> None:
    undone = [one for one in case.steps if one.state in ("waiting", "to_do")]
    if case.state is CaseState.WITH_MANAGER:
        case.next_step = "The manager decides."
    elif case.waits_because:
        case.next_step = ""
    elif undone:
        case.next_step = " ".join(_in_words(one) for one in undone)
    else:
        case.next_step = ""


def _in_words(step: DunningStep) -> str:
    if step.state == "to_do":
        return f"{step.stage.name}."
    return f"“{step.stage.name}” goes out by itself."


def _load_cases(ids: Collection[int]) -> Sequence[DunningCase]:
    query = sa.select(DunningCase).where(DunningCase.id.in_(ids)).options(
        selectinload(DunningCase.steps).joinedload(DunningStep.stage),
        joinedload(DunningCase.policy),
    )  # fmt: skip
    return db.session.scalars(query.execution_options(populate_existing=True)).unique().all()


def _promised(customer_ids: Collection[int]) -> dict[int, date]:
    query = (
        sa.select(PromiseToPay.customer_id, sa.func.max(PromiseToPay.promised_on))
        .where(PromiseToPay.customer_id.in_(customer_ids), PromiseToPay.state == PromiseState.OPEN)
        .group_by(PromiseToPay.customer_id)
    )
    return dict(db.session.execute(query).all())


def _money_since(case: DunningCase) -> Money:
    """Real money of the customer that went onto invoices since the case began."""
    query = (
        sa.select(total_of(PaymentApplication.amount))
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .where(
            Payment.customer_id == case.customer_id,
            Payment.origin == PaymentOrigin.MONEY,
            PaymentApplication.applied_on >= case.opened_on,
        )
    )
    return db.session.scalar(query) or ZERO
