"""Applying money to invoices and taking it back, never more than is owed or unapplied."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm.attributes import set_committed_value

from portal.audit import Happening, record_many
from portal.company import today
from portal.db import db
from portal.invoices import InvoiceChanged, InvoiceShrinking, application_entry, open_invoices
from portal.kernel.errors import DomainError
from portal.kernel.events import tell
from portal.kernel.money import ZERO, Money
from portal.ledger import post_entries
from portal.models import ON_THE_BOOKS, Invoice, InvoiceState, Payment, PaymentApplication


def apply_payment(payment: Payment, invoice: Invoice, amount: Money, *, on: date) -> Money:
    """Apply up to `amount`, capped at what is unapplied and still owed; returns what was.

    Balance and unapplied move by compare-and-set, so racing payers can never apply more than
    is owed. On a posted invoice it books Dr Customer Deposits, Cr A/R; on a Pending one the
    money stays in Customer Deposits until posting.
    """
    if invoice.customer_id != payment.customer_id:
        raise DomainError("A payment can only be applied to its own customer's invoices.")
    share = _take(payment, invoice, amount)
    if share <= ZERO:
        return ZERO
    _put(payment, invoice, share, on=on, reverses=None)
    _tell_both("applied", payment, invoice, f"{share} were applied")
    tell(InvoiceChanged(invoice))
    return share


def apply_oldest_first(payment: Payment, *, on: date) -> Money:
    """Apply what is unapplied to the customer's open invoices, oldest due first."""
    applied = ZERO
    for invoice in open_invoices(payment.customer_id):
        if payment.unapplied <= ZERO:
            break
        applied += apply_payment(payment, invoice, payment.unapplied, on=on)
    return applied


def unapply(application: PaymentApplication, *, on: date | None = None) -> None:
    """Take one application back: a negative row, mirrored in the ledger; the money is credit.

    Raises DomainError when it was already taken back.
    """
    payment, invoice = application.payment, application.invoice
    _lock(payment, invoice)  # first: two people may press at once
    taken = db.session.scalar(
        sa.select(PaymentApplication.id).where(PaymentApplication.reverses_id == application.id)
    )
    if taken or application.reverses_id:
        raise DomainError("This application was already taken back.")
    payment.unapplied += application.amount
    invoice.balance += application.amount
    invoice.settled_on = None
    db.session.flush()
    day = on or today()
    _put(payment, invoice, -application.amount, on=day, reverses=application)
    _tell_both("unapplied", payment, invoice, f"{application.amount} were taken back")


def release_excess(event: InvoiceShrinking) -> None:
    """A Pending invoice shrinks below what is applied: give the newest applications back."""
    missing = event.excess
    query = (
        sa.select(PaymentApplication)
        .where(PaymentApplication.invoice_id == event.invoice.id)
        .order_by(PaymentApplication.id.desc())
    )
    rows = list(db.session.scalars(query))
    reversed_ids = {row.reverses_id for row in rows if row.reverses_id}
    for row in rows:
        if missing <= ZERO:
            return
        if row.reverses_id or row.id in reversed_ids:
            continue
        unapply(row)
        missing -= row.amount
        if missing < ZERO:  # took back more than needed: apply the difference again
            apply_payment(row.payment, event.invoice, -missing, on=today())


def _take(payment: Payment, invoice: Invoice, wanted: Money) -> Money:
    """Move the share on both rows under lock; what fits now decides, not what was read."""
    _lock(payment, invoice)
    if payment.disputed:
        raise DomainError(
            f"Payment {payment.id} is disputed: the payer's bank holds the money until that is "
            "decided."
        )
    if invoice.state is InvoiceState.CANCELLED:
        return ZERO
    share = min(wanted, payment.unapplied, invoice.balance)
    if share <= ZERO:
        return ZERO
    for table, row, column in (
        (Invoice, invoice, Invoice.balance),
        (Payment, payment, Payment.unapplied),
    ):
        left = db.session.scalar(
            sa.update(table)
            .where(table.id == row.id, column >= share)
            .values({column: column - share})
            .returning(column)
            .execution_options(synchronize_session=False)
        )
        if left is None:  # cannot happen under lock; the database decides all the same
            raise DomainError("The balance changed meanwhile. Try again.")
        set_committed_value(row, column.key, left)
    return share


def _lock(payment: Payment, invoice: Invoice) -> None:
    """Invoice first, then payment: everybody locks in this order."""
    db.session.flush()
    db.session.refresh(invoice, with_for_update={"of": Invoice})
    db.session.refresh(payment, with_for_update={"of": Payment})


def _put(
    payment: Payment,
    invoice: Invoice,
    amount: Money,
    *,
    on: date,
    reverses: PaymentApplication | None,
) -> None:
    row = PaymentApplication(
        payment=payment,
        invoice=invoice,
        amount=amount,
        applied_on=on,
        reverses_id=reverses.id if reverses else None,
    )
    db.session.add(row)
    db.session.flush()
    if invoice.state in ON_THE_BOOKS:
        assert invoice.invoice_date is not None
        post_entries([application_entry(invoice, row)])
        if amount > ZERO and invoice.balance == ZERO:
            invoice.settled_on = _latest_application(invoice)


def _latest_application(invoice: Invoice) -> date:
    latest = db.session.scalar(
        sa.select(sa.func.max(PaymentApplication.applied_on)).where(
            PaymentApplication.invoice_id == invoice.id
        )
    )
    assert latest is not None
    assert invoice.invoice_date is not None
    return max(latest, invoice.invoice_date)


def _tell_both(verb: str, payment: Payment, invoice: Invoice, what: str) -> None:
    """One line in the timeline of each."""
    of_payment = f"{what} from payment {payment.id}."
    record_many(
        [
            Happening(verb, "invoice", invoice.id, of_payment),
            Happening(verb, "payment", payment.id, f"{what}: invoice {invoice.number}."),
        ]
    )
