"""Money on its way: a debit the bank accepted and has not confirmed. Reserved, not received.

The balance stays what it is until the money is there; meanwhile nobody should be asked for it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.company import business_day, company
from portal.db import as_money, db
from portal.kernel.calendar import add_business_days
from portal.kernel.money import ZERO, Money
from portal.models import AttemptShare, AttemptState, Invoice, PaymentAttempt

ACH_DAYS, SEPA_DAYS = 4, 5  # business days until a bank confirms (payments-reliability 1.2)
CHUNK = 1_000  # ids per statement


@dataclass(frozen=True)
class OnItsWay:
    """What is reserved on one invoice, and when the bank should have confirmed it."""

    invoice_id: int
    attempt_id: int
    amount: Money
    expected_on: date


def expected_on(attempt: PaymentAttempt) -> date:
    """When a debit begun that day should arrive; weekends do not count, bank holidays do.

    Counted from the day the payment was begun: a page lives a day at most. Banks may be slower.
    """
    days = SEPA_DAYS if company().currency == "EUR" else ACH_DAYS
    return add_business_days(business_day(attempt.created_at), days)


def on_its_way(invoice_ids: Collection[int]) -> dict[int, OnItsWay]:
    """What is reserved on which of these invoices: one statement per thousand."""
    wanted, found = sorted(set(invoice_ids)), {}
    for start in range(0, len(wanted), CHUNK):
        query = _processing().where(AttemptShare.invoice_id.in_(wanted[start : start + CHUNK]))
        for share, attempt in db.session.execute(query):
            found[share.invoice_id] = OnItsWay(
                share.invoice_id, attempt.id, share.amount, expected_on(attempt)
            )
    return found


def is_on_its_way(invoice: Invoice) -> bool:
    """Whether a debit for it waits for the bank: no reminder meanwhile, no second payment."""
    return bool(on_its_way([invoice.id]))


def reserved_of(customer_ids: Sequence[int]) -> dict[int, Money]:
    """How much is on its way per customer; who has none is left out."""
    query = (
        sa.select(PaymentAttempt.customer_id, as_money(sa.func.sum(AttemptShare.amount)))
        .join(AttemptShare, AttemptShare.attempt_id == PaymentAttempt.id)
        .where(
            PaymentAttempt.customer_id.in_(customer_ids),
            PaymentAttempt.state == AttemptState.PROCESSING,
            AttemptShare.live,
        )
        .group_by(PaymentAttempt.customer_id)
    )
    return {one: amount for one, amount in db.session.execute(query) if amount > ZERO}


def _processing() -> sa.Select[AttemptShare, PaymentAttempt]:
    return (
        sa.select(AttemptShare, PaymentAttempt)
        .join(PaymentAttempt, PaymentAttempt.id == AttemptShare.attempt_id)
        .where(AttemptShare.live, PaymentAttempt.state == AttemptState.PROCESSING)
    )
