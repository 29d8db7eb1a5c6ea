"""Everybody's credit as of a day, found from today's and what moved since."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.company import today
from portal.db import NO_MONEY, as_money
from portal.kernel.money import Money
from portal.models import Invoice, Payment, PaymentApplication
from portal.payments.credit import disputed_on

IS_CREDIT = sa.text("payments.unapplied > 0")  # the partial index's very words


def credit_sums(on: date, *, with_disputed: bool = False) -> sa.Select[int, Money]:
    """(customer_id, amount) of every customer who had credit on that day.

    As `credit_of` counts it, which reads one customer's whole story. Here today's credit is
    taken, and what came, went or was applied after the day is undone, so that years of paid
    invoices are not read. `with_disputed` counts money a bank holds as well.
    """
    day = sa.literal(on, literal_execute=True)
    moves = [
        sa.select(Payment.customer_id, Payment.unapplied.label("amount")).where(IS_CREDIT),
        sa.select(Payment.customer_id, as_money(-Payment.amount)).where(Payment.received_on > day),
        sa.select(Payment.customer_id, Payment.amount).where(Payment.returned_on > day),
        sa.select(Payment.customer_id, PaymentApplication.amount)
        .join(PaymentApplication, PaymentApplication.payment_id == Payment.id)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .where(Invoice.last_applied_on > day, PaymentApplication.applied_on > day),
    ]
    if not with_disputed:
        moves += _disputed(on)
    every = sa.union_all(*moves).subquery()
    total = sa.func.sum(every.c.amount)
    return (
        sa.select(every.c.customer_id, total.label("amount"))
        .group_by(every.c.customer_id)
        .having(total > NO_MONEY)
    )


def customers_in_credit(*, on: date) -> sa.Select[int]:
    """The ids of everybody with credit as of a day, as `credit_of` counts it, for another query."""
    if on >= today():
        return sa.select(Payment.customer_id).where(IS_CREDIT, ~Payment.disputed).distinct()
    return sa.select(credit_sums(on).subquery().c.customer_id)


def _disputed(on: date) -> list[sa.Select[int, Money]]:
    """What is left of payments whose money a bank held that day, to be taken off again."""
    held = sa.func.coalesce(Payment.refunds_id, Payment.id).in_(disputed_on(on))
    return [
        sa.select(Payment.customer_id, as_money(-Payment.amount)).where(
            held, Payment.received_on <= on
        ),
        sa.select(Payment.customer_id, Payment.amount).where(held, Payment.returned_on <= on),
        sa.select(Payment.customer_id, PaymentApplication.amount)
        .join(PaymentApplication, PaymentApplication.payment_id == Payment.id)
        .where(held, PaymentApplication.applied_on <= on),
    ]
