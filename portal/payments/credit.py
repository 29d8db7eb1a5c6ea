"""What customers have in credit, now or as of a day (docs/decisions/0007)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import NO_MONEY, as_money, db, total_of
from portal.kernel.money import ZERO, Money
from portal.ledger import account_id_for
from portal.models import (
    AccountRole,
    Dispute,
    DisputeMovement,
    JournalEntry,
    JournalLine,
    Payment,
    PaymentApplication,
)

DISPUTED = AccountRole.DISPUTED
ON = sa.bindparam("on", type_=sa.Date())


def credit_of(customer_id: int, *, on: date | None = None) -> Money:
    """What the customer has and is not applied to anything, now or as of a day.

    Money received and credit of documents alike, less what was given back or returned. Disputed
    money is nobody's to use. What waits on a Pending invoice is applied, though it is still a
    deposit in the ledger.
    """
    if on is None:
        return credit_of_many([customer_id])
    return _credits_as_of([customer_id], on).get(customer_id, ZERO)


def credit_of_many(customer_ids: Sequence[int]) -> Money:
    """What is in credit today over several customers of one payer."""
    query = sa.select(total_of(Payment.unapplied)).where(
        Payment.customer_id.in_(customer_ids), ~Payment.disputed
    )
    return db.session.scalar(query) or ZERO


def credits_of(customer_ids: Sequence[int], *, on: date) -> dict[int, Money]:
    """Each customer's credit as of a day, as `credit_of` counts it; who has none is left out."""
    found = _credits_as_of(customer_ids, on)
    return {customer_id: amount for customer_id, amount in found.items() if amount > ZERO}


def _credits_as_of(customer_ids: Sequence[int], on: date) -> dict[int, Money]:
    """From dated rows alone: what came, what went back, what was applied up to that day."""
    told = {"customers": list(customer_ids), "on": on, "disputed": account_id_for(DISPUTED)}
    return dict(db.session.execute(_credits(), told).all())


@cache
def _credits() -> sa.Select[int, Money]:
    """Put together once: that takes longer than running it. Told `customers`, `on`, `disputed`."""
    mine = sa.and_(
        Payment.customer_id.in_(sa.bindparam("customers", expanding=True)),
        sa.func.coalesce(Payment.refunds_id, Payment.id).not_in(_disputed_on()),
    )
    came = sa.select(Payment.customer_id, Payment.amount.label("amount"))
    returned = sa.select(Payment.customer_id, as_money(-Payment.amount))
    applied = sa.select(Payment.customer_id, as_money(-PaymentApplication.amount)).join(
        PaymentApplication, PaymentApplication.payment_id == Payment.id
    )
    moves = sa.union_all(
        came.where(mine, Payment.received_on <= ON),
        returned.where(mine, Payment.returned_on <= ON),
        applied.where(mine, PaymentApplication.applied_on <= ON),
    ).subquery()
    return sa.select(moves.c.customer_id, sa.func.sum(moves.c.amount)).group_by(moves.c.customer_id)


def disputed_on(on: date) -> sa.Select[int]:
    """The same for one day, to stand within another query."""
    return _disputed_on().params(on=on, disputed=account_id_for(DISPUTED))


def _disputed_on() -> sa.Select[int]:
    """The payments whose money a bank held on that day, as the journal dates it.

    Funds held and given back are movements of the dispute; what was lost left the payment.
    """
    moved = sa.select(Dispute.payment_id, JournalLine.amount).join(
        DisputeMovement, DisputeMovement.dispute_id == Dispute.id
    )
    held = _disputed_lines(moved, "disputemovement", DisputeMovement.id)
    lost = _disputed_lines(
        sa.select(Payment.gives_back_id, JournalLine.amount), "payment", Payment.id
    )
    excess = _disputed_lines(
        sa.select(Dispute.payment_id, JournalLine.amount), "dispute", Dispute.id
    )
    moves = sa.union_all(held, lost, excess).subquery()
    return (
        sa.select(moves.c.payment_id)
        .group_by(moves.c.payment_id)
        .having(sa.func.sum(moves.c.amount) > NO_MONEY)
    )


def _disputed_lines(query: Any, kind: str, source: InstrumentedAttribute[int]) -> Any:
    return (
        query.join(
            JournalEntry,
            sa.and_(JournalEntry.source_kind == kind, JournalEntry.source_id == source),
        )
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalLine.account_id == sa.bindparam("disputed"),
            JournalLine.entry_date <= ON,
        )
    )
