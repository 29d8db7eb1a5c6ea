import pytest

from portal.db import db
from portal.invoices import post_invoice, remove_line
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.ledger import entries_of
from portal.models import AccountRole
from portal.payments import apply_oldest_first, apply_payment, unapply


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
