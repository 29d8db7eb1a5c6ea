"""Refund against refund and refund against dispute: never more leaves than came in."""

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Dispute, GatewayRefund, Invoice, Payment, RefundReason
from portal.payment_collection import (
    find_refunds,
    look_at_dispute,
    recheck_refund,
    send_back,
    settle_refund,
)
from portal.payments import RefundWords, get_payment, payment_types, sources_of_payment
from portal.tasks import run_waiting
from tests.payment_collection.money_back import at_gateway, back, only_refund, paid, told

pytestmark = pytest.mark.concurrency


def sends(build, number, amount):
    def act():
        reason = db.session.scalars(
            sa.select(RefundReason).where(RefundReason.name == "Wrong amount charged")
        ).one()
        source = sources_of_payment(get_payment(number))[0]
        words = RefundWords(reason=reason, type=payment_types()[0], amount=Money.of(amount),
                            on=build.today)  # fmt: skip
        send_back(source, words)

    return lambda: in_transaction(act)


def given_back():
    rows = db.session.scalars(
        sa.select(Payment.amount).where(Payment.amount < ZERO, Payment.returned_on.is_(None))
    )
    return -Money.total(rows)


def owed(invoice_id):
    return db.session.get(Invoice, invoice_id).balance


def only_refusals(raised):
    return all(one is None or isinstance(one, DomainError | IndexError) for one in raised)


def test_two_refunds_never_give_more_than_came_in(build, at_once, turn):
    number = paid(build)[0].id

    raised = at_once(sends(build, number, "60"), sends(build, number, "50"))

    assert only_refusals(raised)
    assert given_back() in (Money.of(60), Money.of(50))
    run_waiting()


def test_a_refund_and_a_dispute_end_in_one_of_two_ways(build, at_once, turn):
    payment, invoice = paid(build)
    owing = invoice.id
    number, ref = payment.id, f"tdp_{payment.provider_ref}"
    at_gateway(payment, "dispute")

    raised = at_once(sends(build, number, "30"), lambda: look_at_dispute(ref))
    run_waiting()  # the gateway refuses what the bank holds

    assert only_refusals(raised)
    told(get_payment(number), "dispute-lost")
    assert owed(owing) == Money.of(80)
    assert given_back() == Money.of(80)


def test_everybody_who_settles_a_refund_books_it_once(build, at_once, turn):
    payment, invoice = paid(build, by="bank-debit")
    owing = invoice.id
    back(build, payment, "30")
    row, ref = only_refund().id, payment.provider_ref
    at_gateway(payment, "refund-fails", only_refund().refund_ref)

    raised = at_once(
        lambda: settle_refund(row), lambda: recheck_refund(row), lambda: find_refunds(ref)
    )

    assert raised == [None] * 3
    assert (given_back(), owed(owing)) == (ZERO, ZERO)


def test_a_refund_made_there_is_found_once_by_many(build, at_once, turn):
    payment, invoice = paid(build)
    owing = invoice.id
    ref = payment.provider_ref
    at_gateway(payment, "refund-half")

    raised = at_once(*[lambda: find_refunds(ref)] * 4)

    assert raised == [None] * 4
    assert len(db.session.scalars(sa.select(GatewayRefund)).all()) == 1
    assert owed(owing) == Money.of(40)


def test_a_lost_dispute_is_booked_once_by_many(build, at_once, turn):
    payment, invoice = paid(build)
    owing = invoice.id
    ref = f"tdp_{payment.provider_ref}"
    at_gateway(payment, "dispute")
    at_gateway(payment, "dispute-lost")

    raised = at_once(*[lambda: look_at_dispute(ref)] * 4)

    assert raised == [None] * 4
    assert len(db.session.scalars(sa.select(Dispute)).all()) == 1
    assert (given_back(), owed(owing)) == (Money.of(80), Money.of(80))
