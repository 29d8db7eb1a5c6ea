"""Do the control accounts tie to their subledgers as of a day?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from portal.db import NO_MONEY, db, total_of
from portal.kernel.money import ZERO, Money
from portal.ledger import account_for, balance_of
from portal.models import (
    ON_THE_BOOKS,
    Account,
    AccountRole,
    Invoice,
    Payment,
    PaymentApplication,
)
from portal.receivables import aging_totals


@dataclass(frozen=True)
class Tie:
    """A control account's balance beside what its documents add up to; debit positive."""

    account: Account
    booked: Money
    documents: Money

    @property
    def difference(self) -> Money:
        return self.booked - self.documents


def control_ties(*, on: date) -> list[Tie]:
    """Accounts Receivable and Customer Deposits as of a day; every difference is zero."""
    return [
        _tie(AccountRole.RECEIVABLE, aging_totals(on=on).total, on),
        _tie(AccountRole.CUSTOMER_DEPOSITS, -_deposits_held(on), on),
    ]


def _tie(role: AccountRole, documents: Money, on: date) -> Tie:
    account = account_for(role)
    return Tie(account, balance_of(account.id, on), documents)


def _deposits_held(on: date) -> Money:
    """Credit received by that day and not returned, less what had reached the books by then.

    Counted back from what is held now, so that a recent day reads little.
    """
    of_books = Invoice.state.in_(ON_THE_BOOKS)
    now = sa.select(total_of(Payment.unapplied)).where(Payment.unapplied > NO_MONEY)
    received_later = sa.select(total_of(Payment.amount)).where(Payment.received_on > on)
    returned_later = sa.select(total_of(Payment.amount)).where(Payment.returned_on > on)
    return (
        _amount(now)
        + _applied(Invoice.state.not_in(ON_THE_BOOKS))
        + _applied(of_books, Invoice.last_applied_on > on, PaymentApplication.applied_on > on)
        + _applied(of_books, Invoice.invoice_date > on, PaymentApplication.applied_on <= on)
        - _amount(received_later)
        + _amount(returned_later)
    )


def _applied(*wheres: sa.ColumnElement[bool]) -> Money:
    query = sa.select(total_of(PaymentApplication.amount))
    joined = query.join(Invoice, Invoice.id == PaymentApplication.invoice_id)
    return _amount(joined.where(*wheres))


def _amount(query: sa.Select[Any]) -> Money:
    return db.session.scalar(query) or ZERO
