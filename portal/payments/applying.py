"""Applying money to invoices, never more than is owed or unapplied."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import lazyload
from sqlalchemy.orm.attributes import set_committed_value

from portal.audit import Happening, record_many
from portal.db import NO_MONEY, db
from portal.invoices import InvoiceChanged, application_entry, open_invoices
from portal.kernel.errors import DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.ledger import Entry, post_entries, require_open_period
from portal.models import ON_THE_BOOKS, Invoice, InvoiceState, Payment, PaymentApplication
from portal.payments.free_credit import require_free
from portal.payments.spoken_for import spoken_for


def apply_payment(payment: Payment, invoice: Invoice, amount: Money, *, on: date) -> Money:
    """Apply up to `amount`, capped at what is unapplied and still owed; returns what was.

    Balance and unapplied move by compare-and-set, so racing payers can never apply more than
    is owed. On a posted invoice it books Dr Customer Deposits, Cr A/R; on a Pending one the
    money stays in Customer Deposits until posting. Raises DomainError for a day on which the
    money was not credit yet.
    """
    lock_both([invoice], payment)
    if payment.disputed:
        raise DomainError(
            f"Payment {payment.id} is disputed: the payer's bank holds the money until that is "
            "decided."
        )
    return apply_locked(payment, invoice, amount, on)


def apply_locked(payment: Payment, invoice: Invoice, amount: Money, on: date) -> Money:
    """As `apply_payment`, for rows that are locked; disputed money may stay where it was."""
    require_open_period(on)  # on a Pending invoice nothing is booked, and still it is dated
    shares = shares_that_fit([(invoice, amount)], customer_id=payment.customer_id,
                             up_to=payment.unapplied)  # fmt: skip
    if not shares:
        return ZERO
    require_free(payment, shares[0][1], _first_day_owed(invoice, shares[0][1], on))
    take_from(payment, shares[0][1])
    rows = put_on_invoices(payment, shares, on=on)
    post_entries(entries_for(rows))
    tell_of(rows)
    return shares[0][1]


def shares_that_fit(
    wanted: Sequence[tuple[Invoice, Money]], *, customer_id: int, up_to: Money
) -> list[tuple[Invoice, Money]]:
    """What of each share is still owed and covered by `up_to`, in the order invoices lock.

    The invoices must be locked. Raises DomainError for another customer's invoice.
    """
    fitting = []
    sums: dict[Invoice, Money] = defaultdict(lambda: ZERO)  # one invoice may be named twice
    for invoice, amount in wanted:
        sums[invoice] += amount
    for invoice, amount in sorted(sums.items(), key=lambda pair: pair[0].id):
        if invoice.customer_id != customer_id:
            raise DomainError("A payment can only be applied to its own customer's invoices.")
        share = min(amount, up_to, invoice.balance)
        if share > ZERO and invoice.state is not InvoiceState.CANCELLED:
            fitting.append((invoice, share))
            up_to -= share
    return fitting


def put_on_invoices(
    payment: Payment, shares: Sequence[tuple[Invoice, Money]], *, on: date
) -> list[PaymentApplication]:
    """Lower each balance and write the application rows; booking them is the caller's.

    A payment that was not written yet is written with them. Each is dated `on`, or the later
    day since which the invoice owes that much without a break.
    Raises PeriodClosed when that later day's month is closed.
    """
    days = [_first_day_owed(invoice, share, on) for invoice, share in shares]
    with db.session.no_autoflush:  # a new payment is written below, together with its shares
        for (invoice, share), day in zip(shares, days, strict=True):
            _lower_balance(invoice, share, day)
    rows = [
        PaymentApplication(payment=payment, invoice=invoice, amount=share, applied_on=day)
        for (invoice, share), day in zip(shares, days, strict=True)
    ]
    db.session.add_all(rows)
    db.session.flush()
    return rows


def entries_for(rows: Sequence[PaymentApplication]) -> list[Entry]:
    """The entries of applications to invoices on the books; the others book when posted."""
    return [
        application_entry(row.invoice, row) for row in rows if row.invoice.state in ON_THE_BOOKS
    ]


def tell_of(rows: Sequence[PaymentApplication]) -> None:
    """Write the timelines, and let the house know what is owed now."""
    for row in rows:
        tell_both("applied", row.payment, row.invoice, f"{row.amount} were applied")
        tell(InvoiceChanged(row.invoice))


def apply_oldest_first(payment: Payment, *, on: date) -> Money:
    """Apply what is unapplied to the customer's open invoices, oldest due first."""
    applied = ZERO
    due_first = open_invoices(payment.customer_id)
    lock_both(due_first, payment)  # all of them at once: others lock in order of their ids
    for invoice in due_first:
        if payment.unapplied <= ZERO:
            break
        applied += apply_payment(payment, invoice, payment.unapplied, on=on)
    return applied


def apply_credit(invoice: Invoice, *, on: date, most: Money | None = None) -> Money:
    """Use the customer's credit for one invoice, the oldest money first; returns what was used.

    All of it that fits, or `most`.

    Disputed money is left alone, and what waits to be given back. Zero when there is none, or
    nothing is owed.
    """
    lock_invoices([invoice])
    query = (
        sa.select(Payment)
        .where(Payment.customer_id == invoice.customer_id, Payment.unapplied > NO_MONEY)
        .where(~Payment.disputed)
        .order_by(Payment.id)
        .with_for_update(of=Payment)
        .execution_options(populate_existing=True)
    )
    used, found = ZERO, db.session.scalars(query).all()
    waiting = spoken_for(invoice.customer_id) if found else {}
    for payment in found:
        part = payment.unapplied - waiting.get(payment.id, ZERO)
        part = part if most is None else min(part, most - used)
        if part > ZERO:
            used += apply_locked(payment, invoice, part, max(on, payment.received_on))
    return used


def lock_invoices(invoices: Sequence[Invoice]) -> None:
    """Read what may have moved afresh, under lock until the transaction ends, in id order."""
    db.session.flush()
    db.session.scalars(_LOCKED, {"ids": [invoice.id for invoice in invoices]}).all()


_LOCKED = (
    sa.select(Invoice)
    .where(Invoice.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(Invoice.id)
    .with_for_update(of=Invoice)
    .options(lazyload(Invoice.lines), lazyload(Invoice.taxes))
    .execution_options(populate_existing=True)
)


def lock_both(invoices: Sequence[Invoice], payment: Payment) -> None:
    """Invoices first, then payment: everybody locks in this order."""
    lock_invoices(invoices)
    db.session.refresh(payment, with_for_update={"of": Payment})


def _first_day_owed(invoice: Invoice, share: Money, on: date) -> date:
    """The first day from `on` since when at least `share` is owed, as far as payments tell.

    Other money may have been on the invoice until later: dated before that was taken back, both
    together would have paid more than the invoice asks on the days between.
    """
    if invoice.last_applied_on is None or invoice.last_applied_on <= on:
        return on
    query = (
        sa.select(PaymentApplication.applied_on, sa.func.sum(PaymentApplication.amount))
        .where(PaymentApplication.invoice_id == invoice.id, PaymentApplication.applied_on > on)
        .group_by(PaymentApplication.applied_on)
        .order_by(PaymentApplication.applied_on.desc())
    )
    owed = invoice.balance
    for day, applied in db.session.execute(query).all():
        owed += applied
        if owed < share:  # just before that day
            require_open_period(day)
            return day
    return on


def _lower_balance(invoice: Invoice, share: Money, on: date) -> None:
    newest = max(on, invoice.last_applied_on or on)
    new: dict[str, Any] = {"balance": invoice.balance - share, "last_applied_on": newest}
    if invoice.state in ON_THE_BOOKS and share == invoice.balance:
        assert invoice.invoice_date is not None
        new["settled_on"] = max(newest, invoice.invoice_date)
    _claim(invoice, Invoice.balance, share, new)


def take_from(payment: Payment, share: Money) -> None:
    """Lower what is unapplied; the payment must be locked."""
    _claim(payment, Payment.unapplied, share, {"unapplied": payment.unapplied - share})


def _claim(row: Invoice | Payment, column: Any, share: Money, new: dict[str, Any]) -> None:
    """Compare-and-set: under lock it cannot fail, and the database decides all the same."""
    statement = _move(type(row), column.key, tuple(new))
    values = {f"new_{name}": value for name, value in new.items()}
    seen = {"row_id": row.id, "seen": getattr(row, column.key)}
    left = db.session.scalar(statement, values | seen)
    if left is None:
        raise DomainError("The balance changed meanwhile. Try again.")
    for name, value in new.items():
        set_committed_value(row, name, value)


@lru_cache(maxsize=8)  # an invoice with or without a last day, and a payment
def _move(row: type[Invoice | Payment], kept: str, columns: tuple[str, ...]) -> sa.Executable:
    table = cast(sa.Table, row.__table__)
    return (
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id"), table.c[kept] == sa.bindparam("seen"))
        .values({name: sa.bindparam(f"new_{name}") for name in columns})
        .returning(table.c[kept])
    )


def tell_both(verb: str, payment: Payment, invoice: Invoice, what: str) -> None:
    """One line in the timeline of each."""
    of_payment = f"{what} from payment {payment.id}."
    record_many(
        [
            Happening(verb, "invoice", invoice.id, of_payment),
            Happening(verb, "payment", payment.id, f"{what}: invoice {invoice.number}."),
        ]
    )
