from datetime import timedelta

import pytest

from portal.db import db
from portal.invoices import post_invoice, remove_line
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.ledger import entries_of
from portal.models import AccountRole
from portal.payments import (
    ReceivedMoney,
    apply_credit,
    apply_oldest_first,
    apply_payment,
    payment_types,
    receive_payment,
    unapply,
)


def test_money_is_applied_and_the_rest_is_credit(build):
    customer = build.customer()
    invoice = build.posted("30.00", customer=customer)

    payment = build.payment(customer, "50.00", invoice)

    assert (invoice.balance, payment.unapplied) == (ZERO, Money.of(20))
    assert invoice.settled_on == build.today


def test_oldest_invoice_first(build):
    customer = build.customer()
    first = build.posted("30.00", customer=customer, on=build.today.replace(month=1))
    second = build.posted("50.00", customer=customer)
    payment = build.payment(customer, "40.00")

    apply_oldest_first(payment, on=build.today)

    assert (first.balance, second.balance) == (ZERO, Money.of(40))


def test_the_same_gateway_payment_is_recorded_once(build):
    customer = build.customer()
    once = build.payment(customer, "10", provider="stripe", provider_ref="pi_1")
    twice = build.payment(customer, "10", provider="stripe", provider_ref="pi_1")

    assert once is twice


def test_a_deposit_on_a_pending_invoice_waits_in_deposits_until_posting(build):
    invoice = build.invoice("100.00")
    payment = build.payment(invoice.customer, "40.00", invoice)
    assert invoice.balance == Money.of(60)
    application = payment.applications[0]
    assert entries_of(application) == []

    post_invoice(invoice)

    (entry,) = entries_of(application)
    assert {line.account.role: line.amount for line in entry.lines} == {
        AccountRole.CUSTOMER_DEPOSITS: Money.of(40),
        AccountRole.RECEIVABLE: -Money.of(40),
    }


def test_taking_an_application_back_mirrors_the_ledger(build):
    invoice = build.posted("30.00")
    payment = build.payment(invoice.customer, "30.00", invoice)

    unapply(payment.applications[0])

    assert (invoice.balance, payment.unapplied, invoice.settled_on) == (
        Money.of(30), Money.of(30), None,
    )  # fmt: skip
    with pytest.raises(DomainError, match="already taken back"):
        unapply(payment.applications[0])


def test_a_shrinking_pending_invoice_gives_money_back(build):
    invoice = build.invoice("100.00", "20.00")
    payment = build.payment(invoice.customer, "110.00", invoice)

    remove_line(invoice, invoice.lines[0])
    db.session.flush()

    assert (invoice.total, invoice.balance, payment.unapplied) == (
        Money.of(20), ZERO, Money.of(90),
    )  # fmt: skip


def test_nobody_pays_another_customers_invoice(build):
    invoice = build.posted("10")
    payment = build.payment(build.customer("Mallory"), "10")

    with pytest.raises(DomainError, match="own customer"):
        apply_payment(payment, invoice, Money.of(10), on=build.today)


def test_refuses_an_amount_of_zero(build):
    with pytest.raises(InvalidFields, match="above zero"):
        build.payment(build.customer(), "0.00")


def test_credit_is_the_oldest_money_first_and_never_disputed_money(build):
    invoice = build.posted("100")
    disputed, older, newer = (build.payment(invoice.customer, "40") for _ in range(3))
    disputed.disputed = True
    later = build.payment(invoice.customer, "5", on=build.today + timedelta(days=3))
    db.session.flush()

    used = apply_credit(invoice, on=build.today)

    assert used == Money.of(85)
    assert [one.unapplied for one in (disputed, older, newer, later)] == [
        Money.of(40), ZERO, ZERO, ZERO,
    ]  # fmt: skip
    assert later.applications[0].applied_on == later.received_on


def test_an_invoice_named_twice_is_paid_once(build):
    invoice = build.posted("50")
    money = ReceivedMoney(customer=invoice.customer, amount=Money.of(80),
                          type=payment_types()[0], on=build.today)  # fmt: skip

    payment = receive_payment(money, [(invoice, Money.of(40)), (invoice, Money.of(40))])

    assert (invoice.balance, payment.unapplied) == (ZERO, Money.of(30))
