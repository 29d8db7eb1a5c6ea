"""What the house makes and posts in one step is reviewed by whoever makes it (decisions/0018)."""

import pytest

from portal.company import company
from portal.db import db
from portal.invoices import (
    LineWords,
    finance,
    post_invoice,
    start_interest_invoice,
    write_off,
)
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.late_fees import take_back_fee
from portal.models import Invoice, InvoiceState, LateFee, RefundEffect, ReviewState
from portal.payments import CounterSale, refund, sell_at_counter, sources_of_invoice
from tests.payments.test_refunding import words


def writing_off(build, invoice):
    return [write_off(invoice, because="bankrupt")]


def financing(build, invoice):
    payer = build.customer("Quick Lending", term_id=build.term("Net 30").id)
    pair = finance(invoice, payer, Money.of(60), because="Contract 17")
    return [pair.leaves, pair.arrives]


def refunding(build, invoice):
    build.payment(invoice.customer, "100", invoice)
    (source,) = sources_of_invoice(invoice)
    return [refund(source, words(build, "20", RefundEffect.LOWERS_REVENUE)).refunds.document]


def selling(build, invoice):
    line = LineWords("Key cut", Quantity.of(1), UnitPrice.of(5))
    return [sell_at_counter(CounterSale(invoice.customer, [line]), seen=Money.of(5)).invoice]


def taking_a_late_fee_back(build, invoice):
    today = build.today
    fee = start_interest_invoice(invoice, Money.of(7), first=today, last=today, sentence="1 %")
    fee.review_state = ReviewState.REVIEWED
    row = LateFee(invoice=invoice, document=fee, starts_on=today, ends_on=today, amount=fee.total)
    db.session.add(row)
    db.session.flush()
    post_invoice(fee)
    return [take_back_fee(fee, because="the bank was slow")]


@pytest.mark.parametrize(
    "make", [writing_off, financing, refunding, selling, taking_a_late_fee_back]
)
def test_it_is_posted_where_only_reviewed_ones_are(build, make):
    invoice: Invoice = build.posted("100")
    company().only_reviewed_posts = True
    db.session.flush()

    made = make(build, invoice)

    assert [one.state for one in made] == [InvoiceState.POSTED] * len(made)
    assert [one.review_state for one in made] == [ReviewState.REVIEWED] * len(made)
