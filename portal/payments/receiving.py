"""Recording money that was really received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.db import db, insert_once
from portal.kernel.errors import InvalidFields
from portal.kernel.events import Event, tell
from portal.kernel.money import ZERO, Money
from portal.ledger import Entry, Leg, post_entries, require_open_period
from portal.models import AccountRole, Customer, Invoice, Payment, PaymentType
from portal.payments.applying import (
    entries_for,
    lock_invoices,
    put_on_invoices,
    shares_that_fit,
    tell_of,
)


@dataclass(frozen=True)
class PaymentReceived(Event):
    """Money arrived; `invoices` are those it was applied to."""

    payment: Payment
    invoices: Sequence[Invoice]
    receipt_to: str = ""


@dataclass(frozen=True)
class ReceivedMoney:
    """What is known of money received.

    `provider` with `provider_ref` identify it at a gateway: the same pair is the same money.
    """

    customer: Customer
    amount: Money
    type: PaymentType
    on: date
    reference: str = ""
    memo: str = ""
    provider: str | None = None
    provider_ref: str | None = None
    external_key: str | None = None
    livemode: bool = True
    receipt_to: str = ""  # who paid, when that is not simply the customer's billing contact


def receive_payment(money: ReceivedMoney, shares: Sequence[tuple[Invoice, Money]] = ()) -> Payment:
    """Record the whole amount, apply the shares up to each balance, keep the rest as credit.

    Books Dr the type's account, Cr Customer Deposits (ARCHITECTURE, decision 3). Safe to call
    twice with the same provider reference: the first payment is returned, nothing is booked.
    Raises InvalidFields for an amount that is not positive, PeriodClosed.
    """
    if seen := _already(money):
        return seen
    if money.amount <= ZERO:
        raise InvalidFields({"amount": "Give an amount above zero."})
    require_open_period(money.on)
    wanted = [(invoice, share) for invoice, share in shares if share > ZERO]
    if wanted:
        lock_invoices([invoice for invoice, _ in wanted])
    fitting = shares_that_fit(wanted, customer_id=money.customer.id, up_to=money.amount)
    payment = _insert(money, applied=Money.total(share for _, share in fitting))
    if payment is None:
        return _already_or_fail(money)
    rows = put_on_invoices(payment, fitting, on=money.on)
    post_entries([receipt_entry(payment), *entries_for(rows)])
    record("received", payment, f"{money.amount} received by {money.type.name}.")
    tell_of(rows)
    tell(PaymentReceived(payment, [row.invoice for row in rows], money.receipt_to))
    return payment


def receipt_entry(payment: Payment, account: AccountRole | None = None) -> Entry:
    """Dr the account of its type, or `account`, Cr Customer Deposits; a refund the other way."""
    what = "Refund to" if payment.is_refund else "Payment from"
    return Entry(
        on=payment.received_on,
        memo=f"{what} {payment.customer.name}",
        source=("payment", payment.id),
        legs=[
            Leg(account or payment.type.account_id, payment.amount),
            Leg(AccountRole.CUSTOMER_DEPOSITS, -payment.amount, payment.customer_id),
        ],
    )


def _insert(money: ReceivedMoney, *, applied: Money) -> Payment | None:
    payment = Payment(
        customer=money.customer,
        type=money.type,
        amount=money.amount,
        unapplied=money.amount - applied,
        received_on=money.on,
        reference=money.reference,
        memo=money.memo,
        provider=money.provider,
        provider_ref=money.provider_ref,
        external_key=money.external_key,
        livemode=money.livemode,
        applications=[],
    )
    if not (money.provider_ref or money.external_key):  # nothing another one could equal
        db.session.add(payment)  # written together with its shares
        return payment
    return payment if insert_once(payment) else None


def _already(money: ReceivedMoney) -> Payment | None:
    if money.provider_ref:
        same = sa.and_(
            Payment.provider == money.provider, Payment.provider_ref == money.provider_ref
        )
    elif money.external_key:
        same = Payment.external_key == money.external_key
    else:
        return None
    return db.session.scalar(sa.select(Payment).where(same))


def _already_or_fail(money: ReceivedMoney) -> Payment:
    payment = _already(money)
    if payment is None:
        raise RuntimeError("a payment was refused by the database for no reason we know")
    return payment
