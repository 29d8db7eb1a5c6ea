"""The customer account: every event once, and a balance that ties to invoices and credit."""

from datetime import date, timedelta
from random import Random

import pytest

from portal.db import PageRequest
from portal.kernel.money import ZERO, Money
from portal.payments import ReturnReason, credit_of, return_payment, unapply
from portal.receivables import account_balance, account_lines, aging_of_customer

DAY = timedelta(days=1)


def cents(amount):
    return str(Money(amount).amount)


def told(customer, **page):
    lines = account_lines(customer.id, PageRequest(**page)).rows
    return [(line.event, str(line.amount), str(line.balance)) for line in reversed(lines)]


def test_every_event_stands_with_the_balance_after_it(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    paid = build.payment(invoice.customer, "130.00", invoice, on=date(2026, 1, 20))
    assert told(invoice.customer) == [
        ("document", "$100.00", "$100.00"),
        ("payment", "-$130.00", "-$30.00"),
    ]

    return_payment(paid, ReturnReason.BOUNCED, on=date(2026, 2, 2))

    assert told(invoice.customer)[-1] == ("return", "$130.00", "$100.00")


def test_applying_and_taking_back_moves_nothing_on_the_account(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    paid = build.payment(invoice.customer, "40.00", invoice, on=date(2026, 1, 20))
    before = told(invoice.customer)

    unapply(paid.applications[0])

    assert told(invoice.customer) == before


def test_an_invoice_that_is_not_posted_is_no_part_of_the_account(build):
    invoice = build.invoice("100.00")

    assert told(invoice.customer) == []
    assert account_balance(invoice.customer_id) == ZERO


def test_another_customers_rows_stay_theirs(build):
    invoice, other = build.posted("100.00"), build.posted("70.00")

    assert account_balance(invoice.customer_id) == invoice.balance
    assert account_balance(other.customer_id) == other.balance


def test_pages_show_the_same_balances_as_the_whole(build):
    customer = build.posted("10.00", on=date(2026, 1, 1)).customer
    for day in range(1, 6):
        build.payment(customer, "1.00", on=date(2026, 1, 1) + day * DAY)

    pages = [account_lines(customer.id, PageRequest(number=n, size=2)) for n in (1, 2, 3)]

    assert [line for page in pages for line in page.rows] == account_lines(
        customer.id, PageRequest()
    ).rows
    assert pages[2].last == 3


@pytest.mark.parametrize("seed", range(8))
def test_the_balance_is_what_is_open_less_credit_whatever_happened(build, seed):
    chance, customer = Random(seed), build.customer()
    for _step in range(chance.randint(1, 6)):
        invoice = build.posted(cents(chance.randint(1, 30_000)), customer=customer)
        if chance.random() < 0.8:
            build.payment(customer, cents(chance.randint(1, 40_000)), invoice)

    owed = aging_of_customer(customer.id, on=build.today).total
    assert account_balance(customer.id) == owed - credit_of(customer.id)
    newest = account_lines(customer.id, PageRequest(size=1)).rows[0]
    assert newest.balance == account_balance(customer.id)
