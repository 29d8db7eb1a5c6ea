"""Money collected in a range of days, by who looks after the customer."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from portal.db import NO_MONEY, db
from portal.kernel.money import ZERO, Money
from portal.models import Customer, Invoice, Payment, PaymentApplication, PaymentOrigin, User
from portal.reports.figures import Range


@dataclass(frozen=True)
class Collected:
    """What one collector's customers paid; `late` is the part that came after its due date.

    Who has no collector is listed under an empty name.
    """

    collector: str
    amount: Money
    late: Money


def collected_by_collector(asked: Range) -> list[Collected]:
    """Money applied to invoices on these days, less what was taken back, largest first.

    The customer's collector of today counts. Credit of documents is no money.
    """
    amount = PaymentApplication.amount
    undone = aliased(PaymentApplication)  # what is taken back counts as it did when it came
    came_on = sa.func.coalesce(undone.applied_on, PaymentApplication.applied_on)
    late = sa.case((came_on > Invoice.due_date, amount), else_=NO_MONEY)
    query = (
        sa.select(User.name, sa.func.sum(amount), sa.func.sum(late))
        .select_from(PaymentApplication)
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .join(Customer, Customer.id == Invoice.customer_id)
        .outerjoin(User, User.id == Customer.collector_id)
        .outerjoin(undone, undone.id == PaymentApplication.reverses_id)
        .where(
            PaymentApplication.applied_on.between(asked.start, asked.end),
            Payment.origin == PaymentOrigin.MONEY,
        )
        .group_by(User.id, User.name)
    )
    rows = [Collected(name or "", sum_, late_ or ZERO) for name, sum_, late_ in
            db.session.execute(query)]  # fmt: skip
    return sorted(rows, key=lambda one: (-one.amount.cents, one.collector))
