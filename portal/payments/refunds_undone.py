"""Money given back that came back to us: the refund failed, or a lost dispute was won after all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.db import claim, db, lock_rows
from portal.kernel.money import ZERO, Money
from portal.ledger import next_open_day, reverse_entry
from portal.models import Invoice, Payment, PaymentApplication
from portal.payments.applying import apply_locked, lock_invoices
from portal.payments.money_gone import GATEWAY_KEY
from portal.payments.returning import live_entry


def undo_refund(given: Payment, *, on: date, because: str, off: Invoice | None = None) -> bool:
    """Everything is as before the refund, from `on` or the first later open day.

    The money goes back onto the invoice it was taken `off`, then onto what lost disputes and
    refunds made at the processor took it off since, each up to its balance: so it does not
    matter which of them was heard of first. The rest is the customer's credit. A refund
    document made with it stays, and its credit waits to be paid out another way. Whatever the
    refund's state: what came back is always recorded. False when it was undone before.
    """
    row, money = given.refunds, given.gives_back
    assert row is not None
    assert money is not None
    invoices = [*([off] if off else []), *_taken_off(row)]
    lock_invoices(invoices)
    lock_rows(Payment, [given.id, row.id, money.id])
    if given.returned_on is not None:
        return False
    day = next_open_day(max(on, given.received_on))
    row.unapplied -= given.amount
    db.session.flush()
    reverse_entry(live_entry(given), on=day, memo=f"Refund came back: {because}")
    claim(given, returned_on=day, returned_because=because)
    back = _put_back(row, -given.amount, invoices, day)
    _tell(given, back, because)
    return True


def _taken_off(row: Payment) -> Sequence[Invoice]:
    """What money that left by itself was taken off on its day, the last one first."""
    days = sa.select(Payment.received_on).where(
        Payment.refunds_id == row.id,
        Payment.external_key.startswith(GATEWAY_KEY, autoescape=True),
    )
    query = (
        sa.select(Invoice)
        .join(PaymentApplication, PaymentApplication.invoice_id == Invoice.id)
        .where(
            PaymentApplication.payment_id == row.id,
            PaymentApplication.reverses_id.is_not(None),
            PaymentApplication.applied_on.in_(days),
        )
        .order_by(PaymentApplication.id.desc())
    )
    return list(dict.fromkeys(db.session.scalars(query).unique()))


def _put_back(row: Payment, amount: Money, invoices: Sequence[Invoice], on: date) -> Money:
    """Gives how much went back onto invoices; rows are locked."""
    left = amount
    for invoice in dict.fromkeys(invoices):
        if left > ZERO:
            left -= apply_locked(row, invoice, left, on)
    return amount - left


def _tell(given: Payment, back: Money, because: str) -> None:
    amount = -given.amount
    where = "the customer's credit again" if not back else "where it was before the refund"
    what = f"The refund of {amount} came back, {because}: it is {where}."
    for one in dict.fromkeys((given, given.refunds, given.gives_back)):
        assert one is not None
        record("refund came back", one, what)
