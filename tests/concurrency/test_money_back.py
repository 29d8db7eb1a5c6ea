"""Money that goes back while somebody else uses it: one answer, and the books hold."""

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.invoices import get_invoice
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Payment, PaymentApplication, RefundEffect, RefundReason
from portal.payments import (
    PaymentWords,
    RefundWords,
    ReturnReason,
    apply_payment,
    change_payment,
    get_payment,
    move_application,
    post_payments,
    refund,
    refund_types,
    return_payment,
    sources_of_payment,
    void_refund,
)

pytestmark = pytest.mark.concurrency


def refunds(build, number, amount, effect=RefundEffect.PAYS_OUT_CREDIT, *, at=0):
    def act():
        reason = db.session.scalars(
            sa.select(RefundReason).where(RefundReason.effect == effect, ~RefundReason.asks)
        ).first()
        source = sources_of_payment(get_payment(number))[at]
        refund(source, RefundWords(reason=reason, type=refund_types()[0], amount=Money.of(amount),
                                   on=build.today))  # fmt: skip

    return lambda: in_transaction(act)


def applies(build, number, invoice_id, amount):
    def act():
        apply_payment(
            get_payment(number), get_invoice(invoice_id), Money.of(amount), on=build.today
        )

    return lambda: in_transaction(act)


def returns(build, number):
    def act():
        return_payment(get_payment(number), ReturnReason.BOUNCED, on=build.today)

    return lambda: in_transaction(act)


def given_back():
    paid = db.session.scalars(
        sa.select(Payment.amount).where(Payment.amount < ZERO, Payment.returned_on.is_(None))
    )
    return -Money.total(paid)


def only_refusals(raised):
    return all(error is None or isinstance(error, DomainError) for error in raised)


def test_two_refunds_never_give_more_than_came_in(build, at_once, turn):
    number = build.payment(build.customer(), "100").id
    pay = refunds(build, number, "70")

    raised = at_once(pay, pay)

    assert sorted(error is None for error in raised) == [False, True]
    assert only_refusals(raised)
    assert (given_back(), get_payment(number).unapplied) == (Money.of(70), Money.of(30))


def test_revenue_is_lowered_once_by_two_who_give_all_back(build, at_once, turn):
    invoice = build.posted("100")
    number = build.payment(invoice.customer, "100", invoice).id
    pay = refunds(build, number, "100", RefundEffect.LOWERS_REVENUE)

    raised = at_once(pay, pay)

    assert sorted(error is None for error in raised) == [False, True]
    assert only_refusals(raised)
    assert given_back() == Money.of(100)


def test_credit_is_either_used_or_given_back(build, at_once, turn):
    invoice = build.posted("80")
    number = build.payment(invoice.customer, "100").id

    raised = at_once(refunds(build, number, "60"), applies(build, number, invoice.id, "80"))

    assert only_refusals(raised)
    assert raised[1] is None  # it takes what is left
    used = get_payment(number)
    applied = Money.total(one.amount for one in used.applications)
    assert applied + given_back() + used.unapplied == Money.of(100)
    assert applied in (Money.of(40), Money.of(80))


def test_what_bounces_while_it_is_applied_pays_nothing(build, at_once, turn):
    invoice = build.posted("80")
    number, invoice_id = build.payment(invoice.customer, "100").id, invoice.id

    raised = at_once(returns(build, number), applies(build, number, invoice_id, "80"))

    assert only_refusals(raised)
    if raised[0] is None:
        assert get_invoice(invoice_id).balance == Money.of(80)
        assert get_payment(number).unapplied == ZERO
    else:  # it was applied to an invoice nobody had locked: told to look again
        assert get_invoice(invoice_id).balance == ZERO


def test_money_is_either_given_back_or_bounced(build, at_once, turn):
    number = build.payment(build.customer(), "100").id

    raised = at_once(returns(build, number), refunds(build, number, "60"))

    assert sorted(error is None for error in raised) == [False, True]
    assert only_refusals(raised)


def test_a_payment_is_returned_once(build, at_once, turn):
    invoice = build.posted("80")
    number, invoice_id = build.payment(invoice.customer, "100", invoice).id, invoice.id
    back = returns(build, number)

    raised = at_once(back, back)

    assert sorted(error is None for error in raised) == [False, True]
    assert get_invoice(invoice_id).balance == Money.of(80)


def test_a_refund_is_voided_once(build, at_once, turn):
    invoice = build.posted("100")
    number = build.payment(invoice.customer, "100", invoice).id
    refunds(build, number, "40", RefundEffect.LOWERS_REVENUE)()
    given = db.session.scalars(sa.select(Payment).where(Payment.amount < ZERO)).one()
    refund_id, seen = given.id, given.version

    def void():
        in_transaction(lambda: void_refund(get_payment(refund_id), version=seen))

    raised = at_once(void, void)

    assert sorted(error is None for error in raised) == [False, True]
    assert only_refusals(raised)
    assert given_back() == ZERO


def test_a_payment_is_corrected_or_posted_never_both_at_once(build, at_once, turn):
    number = build.payment(build.customer(), "100").id
    seen = get_payment(number).version

    def change():
        def act():
            payment = get_payment(number)
            words = PaymentWords(payment.type, Money.of(90), payment.received_on)
            change_payment(payment, words, version=seen)

        in_transaction(act)

    raised = at_once(change, lambda: in_transaction(lambda: post_payments([number])))

    assert only_refusals(raised)
    assert raised[1] is None
    assert get_payment(number).amount == Money.of(90 if raised[0] is None else 100)


def test_money_moved_by_two_is_on_one_invoice(build, at_once, turn):
    first = build.posted("50")
    others = [build.posted("50", customer=first.customer).id for _ in range(2)]
    row = build.payment(first.customer, "50", first).applications[0].id

    def moves(to):
        def act():
            application = db.session.get_one(PaymentApplication, row)
            move_application(application, get_invoice(to), Money.of(50), on=build.today)

        return lambda: in_transaction(act)

    raised = at_once(*(moves(to) for to in others))

    assert sorted(error is None for error in raised) == [False, True]
    assert sorted(get_invoice(one).balance for one in others) == [ZERO, Money.of(50)]
