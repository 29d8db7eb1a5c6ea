"""An invoice and everything that corrects it: the documents and what is owed over all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import NO_MONEY, db, total_of
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, Payment


@dataclass(frozen=True)
class Family:
    """`members` begin with the original; `balance` counts what is final.

    `credit` is what the corrections gave that no invoice needed yet; it is off the balance.
    """

    members: Sequence[Invoice]
    balance: Money
    credit: Money

    @property
    def original(self) -> Invoice:
        return self.members[0]

    @property
    def corrections(self) -> Sequence[Invoice]:
        return self.members[1:]


def family_of(invoice: Invoice) -> Family:
    """The whole family of a document, whichever member it is, in four statements at most.

    Family balance = the original's and the corrections' own balances, less their credit that
    is not used (ARCHITECTURE, decision 6); drafts and cancelled ones do not count.
    """
    root = _root_of(invoice.id)
    members = _descendants(root)
    final = [one for one in members if one.is_on_the_books]
    credit = _unused_credit([one.id for one in final]) if len(members) > 1 else ZERO
    return Family(members, Money.total(one.balance for one in final) - credit, credit)


def _root_of(invoice_id: int) -> int:
    step = sa.select(Invoice.id, Invoice.adjusts_id)
    up = step.where(Invoice.id == invoice_id).cte(recursive=True)
    up = up.union(step.where(Invoice.id == up.c.adjusts_id))
    top = sa.select(up.c.id).where(up.c.adjusts_id.is_(None))
    return int(db.session.scalars(top).one())


def _descendants(root: int) -> list[Invoice]:
    down = sa.select(Invoice.id).where(Invoice.id == root).cte(recursive=True)
    down = down.union(sa.select(Invoice.id).where(Invoice.adjusts_id == down.c.id))
    query = sa.select(Invoice).where(Invoice.id.in_(sa.select(down.c.id))).order_by(Invoice.id)
    return list(db.session.scalars(query))


def _unused_credit(ids: Sequence[int]) -> Money:
    query = sa.select(total_of(Payment.unapplied)).where(
        Payment.document_id.in_(ids), Payment.unapplied > NO_MONEY
    )
    return db.session.scalar(query) or ZERO
