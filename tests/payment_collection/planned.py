"""Helpers of the tests about planned charges: a customer with autopay, days that pass."""

from datetime import timedelta

import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.kernel import clock
from portal.models import (
    Autopay,
    Customer,
    Invoice,
    Message,
    Payment,
    PlannedCharge,
    TestGatewayObject,
)
from portal.payment_collection import (
    AgreedBy,
    AutopayWords,
    plan_autopay,
    turn_on,
)
from portal.tasks import look_at, run_waiting, sweep
from tests.conftest import MONDAY

GIVEN = AgreedBy("Ada Lovelace", address="192.0.2.7", agent="pytest", language="en")
MINE = ("planned_charge", "charge_run", "attempt", "gateway_event")


def with_autopay(build, customer, behaviour="card", **words):
    """Autopay with a method that behaves so; committed."""
    method = build.saved_method(customer, behaviour)
    in_transaction(lambda: turn_on(db.session.get_one(Customer, customer.id),
                                   AutopayWords(**words), GIVEN))  # fmt: skip
    return method


def work():
    """What the worker does in a turn: the schedule's part, then everything that waits."""
    db.session.commit()
    plan_autopay()
    for name, row_id in sweep():
        if name in MINE:
            look_at(name, row_id)
    run_waiting()
    db.session.commit()


def after(days, hours=0):
    """The clock so long after Monday, March 2."""
    return clock.frozen(MONDAY + timedelta(days=days, hours=hours))


def charges(invoice=None):
    query = sa.select(PlannedCharge).order_by(PlannedCharge.id)
    if invoice is not None:
        query = query.where(PlannedCharge.invoice_id == invoice.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def payments():
    query = sa.select(Payment).order_by(Payment.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def mails(kind):
    return db.session.scalars(
        sa.select(Message).where(Message.kind == kind).order_by(Message.id)
    ).all()


def balance_of(invoice):
    return db.session.get_one(Invoice, invoice.id, populate_existing=True).balance


def gateway_charges(state="succeeded"):
    """What the gateway knows of, in its own books."""
    query = sa.select(TestGatewayObject).where(
        TestGatewayObject.kind == "charge", TestGatewayObject.state == state
    )
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def autopay_row(customer):
    query = sa.select(Autopay).where(Autopay.customer_id == customer.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()
