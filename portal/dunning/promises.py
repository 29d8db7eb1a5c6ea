"""Promises to pay: taken, taken back, and found kept or broken by themselves."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.company import today
from portal.db import claim, db, in_transaction, lock_rows, reading
from portal.dunning.cases import IS_LIVE, refresh_cases
from portal.dunning.judging import Arrived, Promised, paid_on_promises
from portal.dunning.rules import dunning_rules
from portal.kernel.errors import InvalidFields, NotFound
from portal.kernel.money import ZERO, Money
from portal.models import (
    PROMISE,
    Customer,
    DunningCase,
    Payment,
    PaymentOrigin,
    PromiseState,
    PromiseToPay,
    User,
)

log = logging.getLogger("fieldledger.dunning")

FARTHEST = 120  # days a promise may lie ahead


@dataclass(frozen=True)
class PromiseWords:
    """A promise as typed; `made_by` is who promised."""

    amount: Money
    promised_on: date
    made_by: str = ""
    note: str = ""


def promise(customer: Customer, words: PromiseWords, *, by: User | None = None) -> PromiseToPay:
    """Keep a promise; reminders stop until its day and the days of grace are over.

    Raises InvalidFields for no amount, or a day that is past or too far ahead.
    """
    on = today()
    case = live_case_of(customer.id)
    _check(words, on)
    row = PromiseToPay(
        customer_id=customer.id,
        case_id=case.id if case else None,
        amount=words.amount,
        made_on=on,
        promised_on=words.promised_on,
        made_by=words.made_by.strip(),
        taken_by_id=by.id if by else None,
        note=words.note.strip(),
    )
    db.session.add(row)
    db.session.flush()
    who = words.made_by.strip() or customer.name
    record("promised", case or customer, f"{who} promised {row.amount} by {row.promised_on}.")
    refresh_cases([customer.id])
    return row


def withdraw_promise(row: PromiseToPay, *, because: str) -> None:
    """It does not count any more: a mistake, or another one took its place."""
    if not because.strip():
        raise InvalidFields({"because": "Say why it does not count any more."})
    lock_rows(PromiseToPay, [row.id])
    claim(row, state=PROMISE.after(row.state, "withdraw"), decided_on=today())
    _record(row, f"The promise of {row.amount} was withdrawn: {because.strip()}")
    refresh_cases([row.customer_id])


def get_promise(promise_id: int) -> PromiseToPay:
    """One promise; NotFound otherwise."""
    row = db.session.get(PromiseToPay, promise_id)
    if row is None:
        raise NotFound("No such promise.")
    return row


def promises_of(customer_id: int) -> list[PromiseToPay]:
    """Every promise of the customer, newest first."""
    query = sa.select(PromiseToPay).where(PromiseToPay.customer_id == customer_id)
    return list(db.session.scalars(query.order_by(PromiseToPay.id.desc())))


def live_case_of(customer_id: int) -> DunningCase | None:
    return db.session.scalar(
        sa.select(DunningCase).where(IS_LIVE, DunningCase.customer_id == customer_id)
    )


# A kept promise, and money of that customer that came back since.
_CAME_BACK = sa.and_(
    PromiseToPay.state == PromiseState.KEPT,
    sa.exists(
        sa.select(Payment.id).where(
            Payment.customer_id == PromiseToPay.customer_id,
            Payment.received_on >= PromiseToPay.made_on,
            Payment.returned_on >= PromiseToPay.decided_on,
        )
    ),
)


def decide_promises() -> None:
    """Find which open promises were kept or are broken by today; each customer by itself."""
    with reading():
        ids = db.session.scalars(
            sa.select(PromiseToPay.customer_id)
            .where(sa.or_(PromiseToPay.state == PromiseState.OPEN, _CAME_BACK))
            .distinct()
        ).all()
        db.session.rollback()
    for customer_id in ids:
        try:
            in_transaction(lambda: decide_promises_of(customer_id))  # noqa: B023
        except Exception:  # one customer must not keep the others from being looked at
            log.exception("the promises of customer %s could not be decided", customer_id)
            db.session.rollback()


def decide_promises_of(customer_id: int) -> None:
    """Keep or break what is decided by today; a kept one whose payment came back opens again."""
    on, grace = today(), dunning_rules().promise_grace_days
    rows = db.session.scalars(
        sa.select(PromiseToPay)
        .where(
            PromiseToPay.customer_id == customer_id, PromiseToPay.state != PromiseState.WITHDRAWN
        )
        .order_by(PromiseToPay.id)
    ).all()
    paid = _paid(customer_id, rows, grace)
    decided = []
    for row in rows:
        verb = _verb(row, paid[row.id], on - timedelta(days=grace))
        if verb:
            _decide(row, verb, paid[row.id], on)
            decided.append(row)
    if decided:
        refresh_cases([customer_id])


def _verb(row: PromiseToPay, paid: Money, last_day: date) -> str:
    if row.state is PromiseState.OPEN and paid >= row.amount:
        return "keep"
    if row.state is PromiseState.OPEN and row.promised_on < last_day:
        return "break"
    if row.state is PromiseState.KEPT and paid < row.amount:
        return "reopen"
    return ""


def _decide(row: PromiseToPay, verb: str, paid: Money, on: date) -> None:
    after = PROMISE.after(row.state, verb)
    row.state, row.paid = after, paid
    row.decided_on = None if after is PromiseState.OPEN else on
    said = {
        "keep": f"The promise of {row.amount} by {row.promised_on} was kept.",
        "break": f"The promise of {row.amount} by {row.promised_on} is broken: {paid} came. "
        "Next: call and ask what happened.",
        "reopen": f"The promise of {row.amount} is open again: a payment came back.",
    }
    db.session.flush()
    _record(row, said[verb])


def _record(row: PromiseToPay, sentence: str) -> None:
    subject = live_case_of(row.customer_id) or row.customer
    record(str(row.state), subject, sentence)


def _paid(customer_id: int, rows: Sequence[PromiseToPay], grace: int) -> dict[int, Money]:
    since = min((one.made_on for one in rows), default=today())
    money = db.session.execute(
        sa.select(Payment.received_on, Payment.amount).where(
            Payment.customer_id == customer_id,
            Payment.origin == PaymentOrigin.MONEY,
            Payment.refunds_id.is_(None),
            Payment.returned_on.is_(None),
            ~Payment.disputed,
            Payment.received_on >= since,
        )
    )
    return paid_on_promises(
        [Promised(one.id, one.amount, one.made_on, one.promised_on) for one in rows],
        [Arrived(on, amount) for on, amount in money],
        grace_days=grace,
    )


def _check(words: PromiseWords, on: date) -> None:
    errors = {}
    if words.amount <= ZERO:
        errors["amount"] = "Give an amount above zero."
    if not on <= words.promised_on <= on + timedelta(days=FARTHEST):
        errors["promised_on"] = f"Choose a day from today to {FARTHEST} days from now."
    if errors:
        raise InvalidFields(errors)
