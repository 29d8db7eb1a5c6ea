"""What the tests of refunds and disputes share."""

import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.kernel.money import Money
from portal.ledger import account_id_for, trial_balance
from portal.models import Dispute, GatewayRefund, Invoice, JournalLine, Payment, RefundReason
from portal.payment_collection import (
    RuleWords,
    change_rules,
    collection_rules,
    keep_event,
    send_back,
    settle,
)
from portal.payments import RefundWords, credit_of, payment_types, sources_of_payment
from portal.tasks import run_waiting
from tests.payment_collection.test_settling import begin, deliver, press


def house():
    return current_app.extensions["gateway"]


def paid(build, amount="80", *, by="succeed", credit=None):
    """An invoice paid online; with `credit` more came in than it asked for."""
    invoice = build.posted(amount)
    attempt_id, page = begin(invoice)
    if credit:
        build.payment(invoice.customer, credit, invoice)
        db.session.commit()
    for button in ["bank-debit", "debit-settles"] if by == "bank-debit" else [by]:
        press(page, button)
    settle(attempt_id)
    payment = db.session.scalars(sa.select(Payment).where(Payment.provider == "test")).one()
    db.session.commit()
    return payment, invoice


def limit_refunds(amount):
    """Above this a refund needs a second person."""
    change_rules(RuleWords(refund_limit=Money.of(amount)), version=collection_rules().version)
    db.session.commit()


def words(build, amount, reason="Wrong amount charged", **more):
    row = db.session.scalars(sa.select(RefundReason).where(RefundReason.name == reason)).one()
    mine = {"reason": row, "type": payment_types()[0], "amount": Money.of(amount),
            "on": build.today}  # fmt: skip
    return RefundWords(**(mine | more))


def back(build, payment, amount, reason="Wrong amount charged"):
    """Send money back to the card, and let the worker ask for it."""
    given = send_back(sources_of_payment(payment)[0], words(build, amount, reason))
    db.session.commit()
    run_waiting()
    return fresh(given)


def at_gateway(payment, button, refund_ref=""):
    """A button of the gateway's page of this payment; gives the webhooks, which may be lost."""
    ref = payment.provider_ref
    db.session.commit()
    return house().press_payment(ref, button, refund_ref)


def told(payment, button, refund_ref=""):
    """The same, and every webhook arrives."""
    for body in at_gateway(payment, button, refund_ref):
        deliver(body)


def keep(body):
    keep_event(house().verify_event(body, house().sign(body)), body)
    db.session.commit()


def fresh(row):
    return db.session.get(type(row), row.id, populate_existing=True)


def only_refund():
    return db.session.scalars(
        sa.select(GatewayRefund).execution_options(populate_existing=True)
    ).one()


def only_dispute():
    return db.session.scalars(sa.select(Dispute).execution_options(populate_existing=True)).one()


def held_on(role):
    query = sa.select(sa.func.sum(JournalLine.amount)).where(
        JournalLine.account_id == account_id_for(role)
    )
    return db.session.scalar(query) or Money(0)


def books(build):
    """The end of a story: accounts, what is owed, what is credit."""
    db.session.expire_all()
    invoices = db.session.scalars(sa.select(Invoice).order_by(Invoice.id)).unique().all()
    accounts = {row.account.number: row.balance for row in trial_balance(build.today)}
    customers = {one.customer_id for one in invoices}
    return (
        {number: amount for number, amount in accounts.items() if amount},
        [one.balance for one in invoices],
        [credit_of(one) for one in sorted(customers)],
        [one.disputed for one in db.session.scalars(sa.select(Payment).order_by(Payment.id))
         if not one.is_refund],
    )  # fmt: skip
