"""Since when money of a payment is free: dated back, it must not be used twice in between."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.db import as_money, db
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.models import Payment, PaymentApplication


def require_free(payment: Payment, share: Money, on: date) -> None:
    """DomainError naming the first possible day when `share` was not all credit since `on`."""
    first = first_day_free(payment, share, on)
    if first > on:
        raise DomainError(
            f"{share} of payment {payment.id} was not all credit on {on.isoformat()}: it was "
            f"received or used otherwise until then. The first possible day is "
            f"{first.isoformat()}."
        )


def first_day_free(payment: Payment, share: Money, on: date) -> date:
    """The first day from `on` since when at least `share` was credit without a break.

    `share` is at most what is unapplied now; the payment must be locked.
    """
    free = payment.unapplied
    for day, moved in _moves_after(payment, on):
        free -= moved
        if free < share:  # just before that day
            return day
    return on


def _moves_after(payment: Payment, on: date) -> list[tuple[date, Money]]:
    """How its credit changed on each later day, the newest first."""
    came = sa.select(Payment.received_on.label("day"), Payment.amount.label("amount"))
    moves = sa.union_all(
        came.where(Payment.id == payment.id, Payment.received_on > on),
        came.where(
            Payment.refunds_id == payment.id,
            Payment.received_on > on,
            Payment.returned_on.is_(None),
        ),
        sa.select(PaymentApplication.applied_on, as_money(-PaymentApplication.amount)).where(
            PaymentApplication.payment_id == payment.id, PaymentApplication.applied_on > on
        ),
    ).subquery()
    query = (
        sa.select(moves.c.day, sa.func.sum(moves.c.amount))
        .group_by(moves.c.day)
        .order_by(moves.c.day.desc())
    )
    return [(day, moved) for day, moved in db.session.execute(query)]
