"""Interest, financing and the counter at the same moment: one answer, and the books hold."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.customers import get_customer
from portal.db import db, in_transaction
from portal.invoices import (
    LineWords,
    charge_interest,
    finance,
    financings_of,
    get_invoice,
    undo_financing,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import Customer, Invoice, InvoiceKind
from portal.payments import (
    CounterSale,
    ReceivedMoney,
    payment_types,
    receive_payment,
    sell_at_counter,
)

pytestmark = pytest.mark.concurrency


def refusals(raised):
    assert all(one is None or isinstance(one, DomainError) for one in raised), raised
    return [str(one) for one in raised if one]


def test_two_who_charge_interest_at_once_make_one_draft(build, at_once, turn):
    number = build.posted("1000", on=date(2026, 1, 1)).id

    def charge():
        in_transaction(lambda: charge_interest(get_invoice(number), flat=Money.of(5)))

    told = refusals(at_once(charge, charge))

    assert len(told) == 1
    assert "already charged this month" in told[0]
    drafts = sa.select(sa.func.count()).where(Invoice.kind == InvoiceKind.INTEREST)
    assert db.session.scalar(drafts) == 1


def test_two_payers_never_take_over_more_than_is_owed(build, at_once, turn):
    number = build.posted("1000").id
    payers = [build.customer(name).id for name in ("Quick Lending", "Slow Lending")]

    def takes(payer):
        return lambda: in_transaction(
            lambda: finance(
                get_invoice(number), get_customer(payer), Money.of(700), because="Contract"
            )
        )

    told = refusals(at_once(*[takes(one) for one in payers]))

    assert len(told) == 1
    assert "Only $300.00" in told[0]
    assert get_invoice(number).balance == Money.of(300)


def test_undoing_beside_a_payer_never_loses_the_money(build, at_once, turn):
    bank = build.customer("Quick Lending")
    invoice = build.posted("1000")
    pair = finance(invoice, bank, Money.of(700), because="Contract")
    number, half, payer = invoice.id, pair.arrives.id, bank.id

    def undo():
        def act():
            (found,) = financings_of(get_invoice(number))
            undo_financing(found, because="The bank refused")

        in_transaction(act)

    def pay():
        def act():
            money = ReceivedMoney(customer=get_customer(payer), amount=Money.of(700),
                                  type=payment_types()[0], on=build.today)  # fmt: skip
            receive_payment(money, [(get_invoice(half), Money.of(700))])

        in_transaction(act)

    told = refusals(at_once(undo, pay))

    owed = get_invoice(number).balance
    assert owed == (Money.of(300) if told else Money.of(1000))
    if told:
        assert get_invoice(half).balance == ZERO


def test_two_first_sales_make_one_counter_customer(build, at_once, turn):
    line = LineWords("Key cut", Quantity.of(1), UnitPrice.of(5))
    cash = payment_types()[1].id

    def sell():
        def act():
            paid_by = next(one for one in payment_types() if one.id == cash)
            sale = CounterSale(None, [line], paid_by=paid_by)
            sell_at_counter(sale, seen=Money.of(5))

        in_transaction(act)

    assert refusals(at_once(sell, sell)) == []

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Customer)) == 1
    numbers = db.session.scalars(sa.select(Invoice.document_number)).all()
    assert sorted(numbers) == ["INV-2026-00001", "INV-2026-00002"]
