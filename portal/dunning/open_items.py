"""What a customer may be asked for: open invoices, less what must be left alone just now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money, db
from portal.invoices import disputed_amounts, plans_in_good_standing
from portal.kernel.money import ZERO, Money
from portal.models import HAS_BALANCE, ON_THE_BOOKS, Invoice, Payment
from portal.payment_collection import on_its_way

CHUNK = 500  # customers per statement


@dataclass(frozen=True)
class OpenItem:
    """One final invoice with a balance and a due date, and what of it must not be asked for."""

    invoice_id: int
    customer_id: int
    number: str
    due_on: date
    balance: Money
    disputed: Money = ZERO
    on_its_way: Money = ZERO
    on_plan: str = ""  # the number of the plan that is kept to

    @property
    def chaseable(self) -> Money:
        """What nobody contests, no bank confirms and no plan covers."""
        if self.on_plan:
            return ZERO
        return max(self.balance - self.disputed - self.on_its_way, ZERO)

    @property
    def is_spared(self) -> bool:
        """Whether any of it must be left alone."""
        return self.chaseable != self.balance

    def days_late(self, on: date) -> int:
        return (on - self.due_on).days

    def is_overdue(self, on: date) -> bool:
        return self.due_on < on


def open_items_of(
    customer_ids: Collection[int], *, on: date, due_until: date | None = None
) -> dict[int, list[OpenItem]]:
    """By customer, oldest first; some statements per five hundred customers."""
    wanted, found = sorted(set(customer_ids)), dict[int, list[OpenItem]]()
    for start in range(0, len(wanted), CHUNK):
        rows = _rows(wanted[start : start + CHUNK], due_until)
        for one in _with_reasons(rows, on):
            found.setdefault(one.customer_id, []).append(one)
    return found


def customers_with_due(until: date) -> list[int]:
    """Whoever has a final invoice with a balance that is due up to that day, by id."""
    query = (
        sa.select(Invoice.customer_id)
        .where(
            HAS_BALANCE,
            Invoice.due_date <= until,
            Invoice.state.in_(ON_THE_BOOKS),
            Invoice.balance > NO_MONEY,
        )
        .distinct()
        .order_by(Invoice.customer_id)
    )
    return list(db.session.scalars(query))


def credit_by_customer(customer_ids: Collection[int]) -> dict[int, Money]:
    """What each has in credit and could be applied; who has none is left out."""
    wanted, found = sorted(set(customer_ids)), dict[int, Money]()
    for start in range(0, len(wanted), CHUNK):
        query = (
            sa.select(Payment.customer_id, as_money(sa.func.sum(Payment.unapplied)))
            .where(
                Payment.customer_id.in_(wanted[start : start + CHUNK]),
                Payment.unapplied > NO_MONEY,
                ~Payment.disputed,
            )
            .group_by(Payment.customer_id)
        )
        found |= dict(db.session.execute(query).all())
    return found


def _rows(customer_ids: Sequence[int], due_until: date | None) -> list[OpenItem]:
    query = sa.select(
        Invoice.id,
        Invoice.customer_id,
        sa.func.coalesce(Invoice.document_number, Invoice.reference_number),
        Invoice.due_date,
        Invoice.balance,
    ).where(
        HAS_BALANCE,
        Invoice.customer_id.in_(customer_ids),
        Invoice.state.in_(ON_THE_BOOKS),
        Invoice.due_date.is_not(None),
        Invoice.balance > NO_MONEY,
    )
    if due_until is not None:
        query = query.where(Invoice.due_date <= due_until)
    rows = db.session.execute(query.order_by(Invoice.due_date, Invoice.id))
    return [
        OpenItem(one, customer_id, number, due, balance)
        for one, customer_id, number, due, balance in rows
        if due is not None
    ]


def _with_reasons(rows: Sequence[OpenItem], on: date) -> list[OpenItem]:
    ids = [one.invoice_id for one in rows]
    if not ids:
        return []
    disputed, waiting = disputed_amounts(ids), on_its_way(ids)
    plans = plans_in_good_standing(ids, on=on)
    return [
        OpenItem(
            one.invoice_id, one.customer_id, one.number, one.due_on, one.balance,
            disputed.get(one.invoice_id, ZERO),
            waiting[one.invoice_id].amount if one.invoice_id in waiting else ZERO,
            plans[one.invoice_id].number if one.invoice_id in plans else "",
        )
        for one in rows
    ]  # fmt: skip
