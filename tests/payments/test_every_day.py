"""A random story of money coming, going and corrected: every day of it ties out."""

from datetime import date, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import open_invoices, post_invoice, unpost_invoice
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.ledger import verify_books
from portal.models import Invoice, InvoiceState, Payment, RefundEffect, RefundReason
from portal.payments import (
    PaymentWords,
    RefundWords,
    ReturnReason,
    apply_payment,
    change_payment,
    credit_of,
    credits_of,
    delete_payment,
    live_applications,
    move_application,
    post_payments,
    refund,
    refund_types,
    return_payment,
    sources_of_payment,
    unapply,
    unpost_payments,
    void_refund,
)
from portal.reports import control_ties

START, DAYS, STEPS = date(2026, 1, 1), 60, 100


class Story:
    """One step after the other; a refusal is a step that changes nothing."""

    def __init__(self, build, seed):
        self.build, self.random = build, Random(seed)
        self.customers = [build.customer(f"Customer {n}") for n in range(2)]
        self.done = dict.fromkeys(self.steps(), 0)

    def steps(self):
        return [name for name in dir(self) if name.startswith("step_")]

    def take_step(self):
        name = self.random.choice(self.steps())
        try:
            with db.session.begin_nested():
                getattr(self, name)(self.random.choice(self.customers))
            self.done[name] += 1
        except (DomainError, LookupError):
            db.session.expire_all()

    def day(self):
        return START + timedelta(days=self.random.randrange(DAYS))

    def any_of(self, query):
        return self.random.choice(list(db.session.scalars(query.order_by(sa.text("id")))))

    def payment(self, customer):
        return self.any_of(sa.select(Payment).where(Payment.customer_id == customer.id))

    def amount(self):
        return Money.of(self.random.randint(1, 150))

    def step_invoice(self, customer):
        make = self.random.choice([self.build.posted, self.build.invoice])
        make(str(self.random.randint(20, 200)), customer=customer, on=self.day())

    def step_post(self, customer):
        drafts = sa.select(Invoice).where(Invoice.state == InvoiceState.PENDING)
        post_invoice(self.any_of(drafts))

    def step_unpost(self, customer):
        posted = sa.select(Invoice).where(Invoice.state == InvoiceState.POSTED)
        unpost_invoice(self.any_of(posted), because="a test")

    def step_pay(self, customer):
        owed = open_invoices(customer.id)
        self.build.payment(customer, str(self.random.randint(10, 250)), *owed[:2], on=self.day())

    step_pay_again = step_pay

    def step_apply(self, customer):
        payment, invoice = self.payment(customer), self.random.choice(open_invoices(customer.id))
        apply_payment(payment, invoice, self.amount(), on=self.build.today)

    def step_unapply(self, customer):
        unapply(self.random.choice(live_applications()))

    def step_move(self, customer):
        row = self.random.choice(live_applications())
        to = self.random.choice(open_invoices(row.payment.customer_id))
        move_application(row, to, min(row.amount, to.balance), on=self.build.today)

    def step_return(self, customer):
        payment = self.payment(customer)
        on = max(payment.received_on, self.build.today - timedelta(days=1))
        return_payment(payment, self.random.choice(list(ReturnReason)), on=on)

    def step_delete(self, customer):
        payment = self.payment(customer)
        delete_payment(payment, version=payment.version)

    def step_change(self, customer):
        payment = self.payment(customer)
        words = PaymentWords(payment.type, self.amount(), self.day())
        change_payment(payment, words, version=payment.version)

    def step_refund(self, customer):
        source = self.random.choice(sources_of_payment(self.payment(customer)))
        effect = self.random.choice(list(RefundEffect))
        reason = self.any_of(sa.select(RefundReason).where(RefundReason.effect == effect))
        on = max(self.build.today - timedelta(days=1), source.gives_back.received_on)
        words = RefundWords(reason=reason, type=refund_types()[0], effect=effect, on=on,
                            amount=min(self.amount(), source.limit))  # fmt: skip
        refund(source, words)

    step_refund_again = step_refund

    def step_void(self, customer):
        given = self.any_of(sa.select(Payment).where(Payment.amount < ZERO))
        void_refund(given, version=given.version)

    def step_lock(self, customer):
        number = self.payment(customer).id
        self.random.choice([post_payments, unpost_payments])([number])


@pytest.mark.parametrize("seed", range(2))
def test_on_every_day_credit_and_control_accounts_tie(build, seed):
    story = Story(build, seed)
    for step in range(STEPS):
        story.take_step()
        db.session.expire_all()
        if step % 25 == 0:
            assert verify_books() == [], story.done

    assert verify_books() == []
    back = ("refund", "refund_again", "return", "change", "delete", "move", "void", "unpost")
    assert sum(story.done[f"step_{name}"] for name in back) >= 4, story.done
    for n in range(0, DAYS + 4, 3):
        on = START + timedelta(days=n)
        assert [tie.difference for tie in control_ties(on=on)] == [ZERO, ZERO]
    ids = [one.id for one in story.customers]
    for number in ids:
        assert credit_of(number) == credit_of(number, on=date(2027, 1, 1))
        assert credits_of([number], on=date(2027, 1, 1)).get(number, ZERO) == credit_of(number)
