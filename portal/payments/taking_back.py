"""Taking money back off invoices, and moving it from one to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.company import today
from portal.db import db, lock_rows
from portal.invoices import InvoiceShrinking
from portal.kernel.errors import Conflict, DomainError, NotAllowed
from portal.kernel.money import ZERO, Money
from portal.ledger import post_entries, require_open_period
from portal.models import Invoice, InvoiceState, Payment, PaymentApplication, PaymentState
from portal.payments.applying import (
    apply_locked,
    entries_for,
    lock_both,
    lock_invoices,
    tell_both,
)
from portal.payments.document_credit import bound_problem


def unapply(
    application: PaymentApplication,
    *,
    on: date | None = None,
    exported_too: bool = True,
    returned_with: int | None = None,
) -> None:
    """Take one application back: a negative row, mirrored in the ledger; the money is credit.

    `returned_with` is the entry of the return that takes it back.
    Raises PeriodClosed for the day it is taken back, NotAllowed when payment or invoice went to
    the accounting system and not `exported_too`, DomainError when it was already taken back or
    is what a write-off or a financing took off.
    """
    payment, invoice = application.payment, application.invoice
    lock_both([invoice], payment)  # first: two people may press at once
    day = on or today()
    require_open_period(day)
    if not exported_too:
        require_not_exported(application)
    if problem := bound_problem(payment):
        raise DomainError(problem)
    if application.reverses_id or _reversal_of(application):
        raise DomainError("This application was already taken back.")
    payment.unapplied += application.amount
    invoice.balance += application.amount
    invoice.settled_on = None
    invoice.last_applied_on = max(day, invoice.last_applied_on or day)
    row = PaymentApplication(payment=payment, invoice=invoice, amount=-application.amount,
                             applied_on=day, reverses_id=application.id,
                             returned_with_id=returned_with)  # fmt: skip
    db.session.add(row)
    db.session.flush()
    post_entries(entries_for([row]))
    tell_both("unapplied", payment, invoice, f"{application.amount} were taken back")


def require_not_exported(application: PaymentApplication) -> None:
    """NotAllowed when the accounting system knows of it: a right of its own (rules §9.2)."""
    if is_exported(application):
        raise NotAllowed(
            "This was sent to the accounting system. Taking it back needs the right "
            "“unapply exported payments”."
        )


def is_exported(application: PaymentApplication) -> bool:
    payment, invoice = application.payment, application.invoice
    return payment.state is PaymentState.EXPORTED or invoice.state is InvoiceState.EXPORTED


def move_application(
    application: PaymentApplication,
    to: Invoice,
    amount: Money,
    *,
    on: date,
    exported_too: bool = True,
) -> Money:
    """Take `amount` off its invoice and put it on another one, in one step; returns it.

    What is not moved stays where it was. Raises what `unapply` raises, and DomainError when
    the other invoice needs less, is another customer's, or the money is disputed.
    """
    payment, source = application.payment, application.invoice
    lock_both([source, to], payment)
    require_open_period(on)
    if payment.disputed:
        raise DomainError("The payer's bank disputes this money: it stays where it is.")
    if to.id == source.id:
        raise DomainError("Choose another invoice than the one it is on.", field="invoice_id")
    _require_room(application, to, amount)
    unapply(application, on=on, exported_too=exported_too)
    apply_locked(payment, source, application.amount - amount, on)
    moved = apply_locked(payment, to, amount, on)
    if moved != amount:  # cancelled, or not theirs
        raise DomainError(f"Invoice {to.number} cannot take this money.", field="invoice_id")
    return moved


def _require_room(application: PaymentApplication, to: Invoice, amount: Money) -> None:
    if amount <= ZERO:
        raise DomainError("Give an amount above zero.", field="amount")
    if amount > application.amount:
        raise DomainError(f"Only {application.amount} can be moved.", field="amount")
    if amount > to.balance:
        raise DomainError(f"Invoice {to.number} needs only {to.balance}.", field="amount")


def release_excess(event: InvoiceShrinking) -> None:
    """A Pending invoice shrinks below what is applied: give the newest applications back."""
    rows = live_applications(PaymentApplication.invoice_id == event.invoice.id)
    lock_rows(Payment, [row.payment_id for row in rows])  # by id, as everybody locks payments
    take_back_newest(rows, event.excess, on=today())


def live_applications(*wheres: sa.ColumnElement[bool]) -> list[PaymentApplication]:
    """Applications that still count, newest first."""
    reversal = aliased(PaymentApplication)
    query = (
        sa.select(PaymentApplication)
        .outerjoin(reversal, reversal.reverses_id == PaymentApplication.id)
        .where(*wheres, PaymentApplication.reverses_id.is_(None), reversal.id.is_(None))
        .order_by(PaymentApplication.id.desc())
        .options(joinedload(PaymentApplication.invoice), joinedload(PaymentApplication.payment))
    )
    return list(db.session.scalars(query))


def earliest_day(payment: Payment) -> date:
    """The first day money of this row can leave the house: before, it was still counted.

    The day it came, was last put on an invoice or taken off one, or was last given back.
    """
    moved = sa.select(sa.func.max(PaymentApplication.applied_on)).where(
        PaymentApplication.payment_id == payment.id
    )
    given = sa.select(sa.func.max(Payment.received_on)).where(
        Payment.refunds_id == payment.id, Payment.returned_on.is_(None)
    )
    days = db.session.execute(sa.select(moved.scalar_subquery(), given.scalar_subquery())).one()
    newest: date = max([payment.received_on, *(day for day in days if day)])
    return newest


def once_applied(payment: Payment) -> list[tuple[PaymentApplication, date]]:
    """What was on an invoice for some days and was taken back since, with the day it was.

    What was taken back on its own day is not among it: no day counts that.
    """
    back = aliased(PaymentApplication)
    query = (
        sa.select(PaymentApplication, back.applied_on)
        .join(back, back.reverses_id == PaymentApplication.id)
        .where(
            PaymentApplication.payment_id == payment.id,
            back.applied_on > PaymentApplication.applied_on,
        )
        .order_by(PaymentApplication.id)
        .options(joinedload(PaymentApplication.invoice))
    )
    return [(row, until) for row, until in db.session.execute(query).unique()]


def take_back_newest(
    rows: Sequence[PaymentApplication], amount: Money, *, on: date | None = None
) -> None:
    """Take `amount` off these applications, newest first; the last one in part.

    Without `on` each is taken back on its own day, as if it had never been.
    """
    missing = amount
    for row in rows:
        if missing <= ZERO:
            return
        day = on or row.applied_on
        unapply(row, on=day)
        missing -= row.amount
        if missing < ZERO:  # took back more than needed: what was there before stays, disputed too
            apply_locked(row.payment, row.invoice, -missing, day)


def lock_with_invoices(payment: Payment) -> list[PaymentApplication]:
    """Lock every invoice this payment is on, then the payment; what counts, newest first.

    Raises Conflict when it was applied to one more meanwhile.
    """
    mine = PaymentApplication.payment_id == payment.id
    known = {row.invoice_id: row.invoice for row in live_applications(mine)}
    lock_invoices(list(known.values()))
    db.session.refresh(payment, with_for_update={"of": Payment})
    rows = live_applications(mine)
    if any(row.invoice_id not in known for row in rows):
        raise Conflict("This payment was applied meanwhile. Look at it again, then retry.")
    return rows


def _reversal_of(application: PaymentApplication) -> int | None:
    return db.session.scalar(
        sa.select(PaymentApplication.id).where(PaymentApplication.reverses_id == application.id)
    )
