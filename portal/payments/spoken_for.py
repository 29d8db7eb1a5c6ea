"""Credit that somebody asked to give back: it waits for a second person, and pays nothing else."""

from __future__ import annotations

import sqlalchemy as sa

from portal.db import NO_MONEY, db
from portal.kernel.money import ZERO, Money
from portal.models import Payment, RefundRequest, RefundRequestState
from portal.payments.credit import credit_of

OUT_OF_CREDIT = "-0"  # how the key of a source ends that is no invoice's: RefundSource.key


def free_credit_of(customer_id: int) -> Money:
    """The customer's credit that may be used today, less what waits to be given back."""
    return max(credit_of(customer_id) - Money.total(spoken_for(customer_id).values()), ZERO)


def spoken_for(customer_id: int) -> dict[int, Money]:
    """By payment, how much of its credit waits for approval to go back."""
    query = (
        sa.select(Payment.id, Payment.unapplied, sa.func.sum(RefundRequest.amount))
        .join(RefundRequest, RefundRequest.payment_id == Payment.id)
        .where(
            Payment.customer_id == customer_id,
            Payment.unapplied > NO_MONEY,
            ~Payment.disputed,
            RefundRequest.state == RefundRequestState.WAITING,
            RefundRequest.source_key.endswith(OUT_OF_CREDIT),
        )
        .group_by(Payment.id, Payment.unapplied)
    )
    return {one: min(unapplied, asked) for one, unapplied, asked in db.session.execute(query)}
