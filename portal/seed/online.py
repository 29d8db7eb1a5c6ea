"""Three customers of the demo who paid, or tried to pay, at the TEST GATEWAY today."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from portal.company import today
from portal.db import PageRequest, db
from portal.invoices import InvoiceFilter, find_invoices
from portal.kernel import clock
from portal.kernel.money import Money
from portal.models import InvoiceState, PaidState, PaymentAttempt, TestCheckout
from portal.payment_collection import (
    CheckoutWanted,
    due_payouts,
    find_payouts,
    gateway,
    has_gateway,
    settle,
    settle_payout,
    start_checkout,
)
from portal.payment_collection.gateways.test_gateway import TestGateway

BUTTONS = ("succeed", "decline", "bank-debit")
NOT_HER = "ada@customer.example"  # she is for whoever tries the demo out


def pay_online() -> None:
    """One pays by card, one's card is declined, one's bank debit is on its way.

    Nothing with a real gateway. The gateway is another system, so no transaction is open
    while it is asked.
    """
    house = gateway() if has_gateway() else None
    if not isinstance(house, TestGateway):
        return
    for (invoice_id, amount, email), button in zip(_open_invoices(), BUTTONS, strict=False):
        wanted = CheckoutWanted(
            [(invoice_id, amount)], started_by=email, email=email, return_path="/my/pay/back/"
        )
        session_ref = start_checkout(wanted).rpartition("/")[2]
        house.press(session_ref, button)
        mine = PaymentAttempt.session_ref == session_ref
        settle(db.session.scalars(sa.select(PaymentAttempt.id).where(mine)).one())
        db.session.commit()


def paid_page(payment_ref: str, amount: Money) -> TestCheckout:
    """What the TEST GATEWAY remembers of a payment that the story tells."""
    return TestCheckout(
        session_ref=f"tcs_{payment_ref}",
        payment_ref=payment_ref,
        idempotency_key=payment_ref,
        client_reference=payment_ref,
        amount=amount,
        state="succeeded",
        method="card",
        return_url="/my/",
        expires_at=clock.now(),
        pressed_at=clock.now(),
    )


def pay_out_to_the_bank() -> None:
    """What was paid online so far reaches the bank in one payout, matched and deposited."""
    house = gateway() if has_gateway() else None
    if not isinstance(house, TestGateway):
        return
    db.session.rollback()
    house.pay_out()
    for payout_ref in house.arrivals(date.max):
        house.let_arrive(payout_ref)
    find_payouts()
    for payout_id in list(due_payouts()):
        settle_payout(payout_id)


def _open_invoices() -> list[tuple[int, Money, str]]:
    """The newest posted invoices of three customers, what is owed, and who pays."""
    wanted = InvoiceFilter(state=InvoiceState.POSTED, paid=PaidState.UNPAID)
    found: dict[int, tuple[int, Money, str]] = {}
    for invoice in find_invoices(wanted, PageRequest(sort="-date"), on=today()).rows:
        email = invoice.customer.email
        if email and email != NOT_HER:
            found.setdefault(invoice.customer_id, (invoice.id, invoice.balance, email))
    db.session.rollback()
    return list(found.values())[: len(BUTTONS)]
