"""What makes up a customer's balance on a day, from dated documents, money and applications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa

from portal.db import as_money, db, total_of
from portal.kernel.money import ZERO, Money
from portal.models import OFF_THE_BOOKS, Invoice, Payment, PaymentApplication
from portal.payments import credit_of
from portal.receivables import BUCKETS, AgingRow, AgingView, OpenItem, every_open_item


@dataclass(frozen=True)
class Standing:
    """What was open on that day, and what stands against it.

    `credit` is free to be used; `held` is what a bank holds in a dispute; `deposits` were paid
    on invoices that were not final then, so they are owed to nobody yet.
    """

    on: date
    items: Sequence[OpenItem]
    aging: AgingRow
    credit: Money
    held: Money
    deposits: Money

    @property
    def due(self) -> Money:
        """What the customer is asked for; negative is credit."""
        return self.aging.total - self.credit

    @property
    def balance(self) -> Money:
        """What the account stands at: documents less money, whatever it was applied to."""
        return self.due - self.held - self.deposits


def standing_of(customer_id: int, *, on: date) -> Standing:
    """As of the end of that day; what was paid later is still open (servicetitan-rules §11.1)."""
    items = every_open_item(AgingView(customer_id=customer_id), on=on)
    free, deposits = _unused_money(customer_id, on)
    credit = credit_of(customer_id, on=on) if free else ZERO
    return Standing(on, items, _aged(items, on), credit, free - credit, deposits)


def _aged(items: Sequence[OpenItem], on: date) -> AgingRow:
    """The same buckets as the aging of everybody, from the rows at hand."""
    sums = dict.fromkeys(BUCKETS, ZERO)
    for one in items:
        sums[_bucket(one.due_date, on)] += one.open
    return AgingRow(0, "", total=Money.total(sums.values()), **sums)


def _bucket(due: date | None, on: date) -> str:
    if due is None:
        return "no_term"
    for name, days in (("current", 0), ("days_1_30", 30), ("days_31_60", 60), ("days_61_90", 90)):
        if due >= on - timedelta(days=days):
            return name
    return "days_over_90"


def _unused_money(customer_id: int, on: date) -> tuple[Money, Money]:
    """What had come in and was on no invoice, and what was on invoices not final, that day."""
    mine = Payment.customer_id == customer_id
    applied = sa.select(as_money(-PaymentApplication.amount)).join(
        Payment, Payment.id == PaymentApplication.payment_id
    )
    moves = sa.union_all(
        sa.select(Payment.amount.label("amount")).where(mine, Payment.received_on <= on),
        sa.select(as_money(-Payment.amount)).where(mine, Payment.returned_on <= on),
        applied.where(mine, PaymentApplication.applied_on <= on),
    ).subquery()
    early = sa.or_(
        Invoice.state.in_(OFF_THE_BOOKS), Invoice.invoice_date.is_(None), Invoice.invoice_date > on
    )
    deposits = (
        sa.select(total_of(PaymentApplication.amount))
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .join(Invoice, Invoice.id == PaymentApplication.invoice_id)
        .where(mine, PaymentApplication.applied_on <= on, early)
    )
    found: Any = db.session.execute(
        sa.select(
            as_money(sa.select(total_of(moves.c.amount)).scalar_subquery()),
            as_money(deposits.scalar_subquery()),
        )
    ).one()
    return found[0] or ZERO, found[1] or ZERO
