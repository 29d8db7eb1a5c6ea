"""What posting would write into the journal, told before anybody presses the button."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from portal.db import db
from portal.invoices.booking import application_entry, application_legs, revenue_legs
from portal.kernel.money import ZERO, Money
from portal.ledger import Leg
from portal.models import Account, Invoice, InvoiceKind, PaymentApplication


@dataclass(frozen=True)
class PreviewRow:
    """What all the invoices together book on one account; both sides are zero or more."""

    account: Account
    debit: Money
    credit: Money


def posting_preview(invoices: Sequence[Invoice]) -> list[PreviewRow]:
    """The legs of the entries posting these would write, summed per account and side.

    From the very functions that post, money waiting on the invoices included, and the credit a
    correction gives where it is used for its original at once. Reads only; the invoices need a
    date.
    """
    debit: dict[int, Money] = defaultdict(lambda: ZERO)
    credit: dict[int, Money] = defaultdict(lambda: ZERO)
    for leg in _legs(invoices):
        side = debit if leg.amount > ZERO else credit
        side[leg.account_id] += abs(leg.amount)
    used = {account for account, amount in [*debit.items(), *credit.items()] if amount}
    query = sa.select(Account).where(Account.id.in_(used)).order_by(Account.number)
    return [PreviewRow(one, debit[one.id], credit[one.id]) for one in db.session.scalars(query)]


def _legs(invoices: Sequence[Invoice]) -> list[Leg]:
    by_id = {one.id: one for one in invoices}
    legs = [leg for one in invoices for leg in revenue_legs(one)]
    query = sa.select(PaymentApplication).where(PaymentApplication.invoice_id.in_(by_id))
    for waiting in db.session.scalars(query):
        legs += application_entry(by_id[waiting.invoice_id], waiting).legs
    return legs + _credit_legs(invoices)


def _credit_legs(invoices: Sequence[Invoice]) -> list[Leg]:
    """What is left of each original's balance takes the credit that corrections of it give.

    The credit of a refund document is paid out instead (payments/document_credit).
    """
    legs: list[Leg] = []
    left: dict[int, Money] = {}
    for one in invoices:
        original = one.adjusts
        if original is None or one.total >= ZERO or one.kind is InvoiceKind.REFUND:
            continue
        share = min(-one.total, left.setdefault(original.id, max(original.balance, ZERO)))
        left[original.id] -= share
        legs += application_legs(original, share)
    return legs
