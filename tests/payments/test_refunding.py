from dataclasses import replace
from datetime import date

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import PageRequest, db
from portal.invoices import finance, write_off
from portal.kernel.errors import DomainError, InvalidFields, PeriodClosed
from portal.kernel.money import ZERO, Money
from portal.ledger import close_through, trial_balance
from portal.models import (
    Invoice,
    InvoiceKind,
    InvoiceState,
    ItemKind,
    Payment,
    RefundEffect,
    RefundReason,
)
from portal.payments import (
    PaymentFilter,
    PaymentSort,
    RefundWords,
    credit_of,
    effect_of,
    find_payments,
    post_payments,
    refund,
    refund_problem,
    refund_types,
    return_payment,
    return_problem,
    shares_of,
    sources_of_invoice,
    sources_of_payment,
    unapply,
    void_refund,
)
from portal.payments.refund_documents import shares_of_amount, shares_of_lines
from portal.payments.returning import ReturnReason
from portal.reports import cash_by_month, control_ties
from tests.payments.test_returning import ties_on

REASONS = {
    RefundEffect.PAYS_OUT_CREDIT: "Overpaid",
    RefundEffect.REOPENS_INVOICE: "Wrong amount charged",
    RefundEffect.LOWERS_REVENUE: "Customer complaint",
}


def reason(name):
    return db.session.scalars(sa.select(RefundReason).where(RefundReason.name == name)).one()


def words(build, amount, effect=RefundEffect.PAYS_OUT_CREDIT, **more):
    mine = {"reason": reason(REASONS[effect]), "type": refund_types()[0],
            "amount": Money.of(amount), "on": build.today}  # fmt: skip
    return RefundWords(**(mine | more))


def balances(on):
    return {row.account.number: row.balance for row in trial_balance(on) if row.balance}


def taxed(build, *prices, percent="10"):
    location = build.location(zone=build.zone(percent))
    return build.posted(*prices, location=location)


def test_credit_is_paid_out(build):
    payment = build.payment(build.customer(), "100")
    (source,) = sources_of_payment(payment)

    given = refund(source, words(build, "30", reference="4711"))

    assert (given.amount, given.unapplied) == (-Money.of(30), ZERO)
    assert given.refunds is payment
    assert given.gives_back is payment
    assert payment.unapplied == credit_of(payment.customer_id) == Money.of(70)
    assert balances(build.today) == {"1050": Money.of(70), "2400": -Money.of(70)}
    assert trail_of(payment)[0].sentence == "$30.00 were given back by Check: Overpaid."


def test_an_invoice_is_owed_again_when_its_money_leaves(build):
    invoice = build.posted("100", on=date(2026, 2, 1))
    payment = build.payment(invoice.customer, "100", invoice, on=date(2026, 2, 3))
    (source,) = sources_of_invoice(invoice)

    refund(source, words(build, "40", RefundEffect.REOPENS_INVOICE))

    assert (invoice.balance, payment.unapplied) == (Money.of(40), ZERO)
    assert balances(build.today) == {
        "1050": Money.of(60), "1200": Money.of(40), "4000": -Money.of(100),
    }  # fmt: skip
    assert ties_on(date(2026, 2, 2), date(2026, 2, 28), build.today) == [ZERO] * 6


def test_revenue_and_tax_fall_with_a_complaint(build):
    invoice = taxed(build, "60", "40")
    build.payment(invoice.customer, "110", invoice)
    (source,) = sources_of_invoice(invoice)

    given = refund(source, words(build, "55", RefundEffect.LOWERS_REVENUE))

    document = given.refunds.document
    assert (document.kind, document.adjusts) == (InvoiceKind.REFUND, invoice)
    assert [line.total for line in document.lines] == [-Money.of(30), -Money.of(20)]
    assert (document.subtotal, document.tax_total) == (-Money.of(50), -Money.of(5))
    assert document.document_number.startswith("RF-2026-")
    assert (invoice.balance, given.gives_back.unapplied) == (ZERO, ZERO)
    assert credit_of(invoice.customer_id) == ZERO
    assert balances(build.today) == {
        "1050": Money.of(55), "2200": -Money.of(5), "4000": -Money.of(50),
    }  # fmt: skip
    told = [trail_of(one)[0].sentence for one in (invoice, document, given.gives_back)]
    assert told == ["$55.00 were given back by Check: Customer complaint."] * 3


def test_a_partly_paid_invoice_keeps_what_is_owed_on_it(build):
    invoice = build.posted("100")
    build.payment(invoice.customer, "60", invoice)
    (source,) = sources_of_invoice(invoice)

    refund(source, words(build, "20", RefundEffect.LOWERS_REVENUE))

    assert invoice.balance == Money.of(40)
    assert balances(build.today)["1200"] == Money.of(40)


def test_whole_lines_go_back_with_their_tax(build):
    invoice = taxed(build, "60", "33.33", percent="8.875")
    build.payment(invoice.customer, str(invoice.total.amount), invoice)
    (source,) = sources_of_invoice(invoice)
    chosen = [invoice.lines[1].id]
    shares = shares_of_lines(invoice, chosen)

    mine = words(build, str(shares.total.amount), RefundEffect.LOWERS_REVENUE, line_ids=chosen)
    given = refund(source, mine)

    document = given.refunds.document
    assert [(str(line.quantity), line.total) for line in document.lines] == [
        ("-1", -Money.of("33.33"))
    ]
    assert document.tax_total == -Money.of("2.96")
    assert given.amount == -Money.of("36.29")


@pytest.mark.parametrize("amount", ["0.01", "0.03", "17.77", "99.99", "106.14"])
def test_the_shares_add_up_to_the_cent(build, amount):
    invoice = taxed(build, "33.33", "70.01", "10", percent="8.875")
    invoice_lines = invoice.lines
    invoice_lines[2].kind, invoice_lines[2].total = ItemKind.DISCOUNT, -Money.of("5.83")

    with db.session.no_autoflush:
        invoice.subtotal = Money.of("97.51")
        shares = shares_of_amount(invoice, Money.of(amount))
        assert shares.total == Money.of(amount)
        db.session.refresh(invoice)
        db.session.refresh(invoice_lines[2])


def test_never_more_than_was_received_and_not_given_back(build):
    invoice = build.posted("100")
    payment = build.payment(invoice.customer, "150", invoice)
    credit, applied = sources_of_payment(payment)
    refund(applied, words(build, "90", RefundEffect.LOWERS_REVENUE))

    assert payment.unapplied == Money.of(50)
    credit, applied = sources_of_payment(payment)
    assert (credit.limit, applied.limit) == (Money.of(50), Money.of(60))
    with pytest.raises(InvalidFields, match=r"Only \$100\.00 of it"):
        refund(applied, words(build, "100.01", RefundEffect.REOPENS_INVOICE))
    with pytest.raises(InvalidFields, match=r"Only \$60\.00 of what came in"):
        refund(applied, words(build, "60.01", RefundEffect.REOPENS_INVOICE))
    refund(credit, words(build, "50"))
    (applied,) = sources_of_payment(payment)
    refund(applied, words(build, "10", RefundEffect.REOPENS_INVOICE))

    assert sources_of_payment(payment) == []
    assert "already given back" in refund_problem(payment)


def test_never_more_revenue_than_the_invoice_has_left(build):
    invoice = build.posted("100")
    first = build.payment(invoice.customer, "100", invoice)
    (source,) = sources_of_payment(first)
    refund(source, words(build, "80", RefundEffect.LOWERS_REVENUE))
    (source,) = sources_of_payment(first)
    assert source.limit == Money.of(20)
    again = build.payment(invoice.customer, "100")
    assert [one.limit for one in sources_of_payment(again)] == [Money.of(100)]


@pytest.mark.parametrize(
    ("effect", "which", "sentence"),
    [
        (RefundEffect.LOWERS_REVENUE, 0, "on no invoice"),
        (RefundEffect.PAYS_OUT_CREDIT, 1, "so it is no credit"),
    ],
)
def test_a_reason_must_fit_the_money(build, effect, which, sentence):
    invoice = build.posted("100")
    payment = build.payment(invoice.customer, "150", invoice)

    with pytest.raises(DomainError, match=sentence):
        refund(sources_of_payment(payment)[which], words(build, "10", effect))


def test_a_financing_charged_no_revenue_that_could_fall(build):
    bank = build.customer("Bank")
    half = finance(build.posted("100"), bank, Money.of(100), because="17").arrives
    payment = build.payment(bank, "100", half)

    with pytest.raises(DomainError, match="half of a financing"):
        refund(sources_of_invoice(half)[0], words(build, "100", RefundEffect.LOWERS_REVENUE))

    refund(sources_of_invoice(half)[0], words(build, "100", RefundEffect.REOPENS_INVOICE))
    assert (half.balance, payment.unapplied) == (Money.of(100), ZERO)


def test_revenue_of_a_draft_falls_by_editing_it(build):
    invoice = build.invoice("100")
    build.payment(invoice.customer, "100", invoice)

    with pytest.raises(DomainError, match="not final yet"):
        refund(
            sources_of_invoice(invoice)[0], words(build, "10", RefundEffect.LOWERS_REVENUE)
        )  # fmt: skip

    refund(sources_of_invoice(invoice)[0], words(build, "10", RefundEffect.REOPENS_INVOICE))
    assert invoice.balance == Money.of(10)


def test_a_reason_that_opens_an_invoice_pays_out_plain_credit(build):
    (source,) = sources_of_payment(build.payment(build.customer(), "100"))

    mine = words(build, "30", RefundEffect.REOPENS_INVOICE)

    assert effect_of(source, mine) is RefundEffect.PAYS_OUT_CREDIT


def test_other_reasons_ask_what_happens(build):
    (source,) = sources_of_payment(build.payment(build.customer(), "100"))

    with pytest.raises(InvalidFields) as refused:
        refund(source, words(build, "10", reason=reason("Other")))
    assert set(refused.value.errors) == {"effect"}

    mine = replace(words(build, "10", reason=reason("Other")), effect=RefundEffect.PAYS_OUT_CREDIT)
    assert refund(source, mine).refund_reason.asks


def test_closed_months_and_days_that_make_no_sense_are_refused(build):
    payment = build.payment(build.customer(), "100", on=date(2026, 2, 10))
    (source,) = sources_of_payment(payment)
    for day in (date(2026, 2, 9), date(2026, 3, 3)):
        with pytest.raises(InvalidFields) as refused:
            refund(source, words(build, "10", on=day))
        assert set(refused.value.errors) == {"on"}
    close_through(date(2026, 2, 28))

    with pytest.raises(PeriodClosed):
        refund(source, words(build, "10", on=date(2026, 2, 20)))


def test_neither_a_refund_nor_a_return_is_dated_before_the_money_was_free(build):
    invoice = build.posted("100", on=date(2026, 2, 1))
    payment = build.payment(invoice.customer, "100", invoice, on=date(2026, 2, 2))
    unapply(payment.applications[0], on=date(2026, 2, 20))
    (source,) = sources_of_payment(payment)

    with pytest.raises(InvalidFields, match="still counted on 2026-02-20"):
        refund(source, words(build, "10", on=date(2026, 2, 19)))
    with pytest.raises(DomainError, match="still counted on 2026-02-20"):
        return_payment(payment, ReturnReason.BOUNCED, on=date(2026, 2, 19))

    refund(source, words(build, "100", on=date(2026, 2, 20)))
    assert credit_of(payment.customer_id, on=date(2026, 2, 10)) == ZERO


def test_money_nobody_has_is_not_given_back(build):
    customer = build.customer()
    disputed, returned = build.payment(customer, "5"), build.payment(customer, "5")
    disputed.disputed = True
    return_payment(returned, ReturnReason.BOUNCED, on=build.today)

    sentences = [refund_problem(one) for one in (disputed, returned)]

    assert "disputes" in sentences[0]
    assert "was returned" in sentences[1]


def test_test_money_never_leaves_by_check(build):
    test = build.payment(build.customer(), "5", livemode=False)

    with pytest.raises(InvalidFields, match="TEST GATEWAY money"):
        refund(sources_of_payment(test)[0], words(build, "5"))


def test_what_was_given_back_neither_bounces_nor_is_given_again(build):
    payment = build.payment(build.customer(), "100")
    given = refund(sources_of_payment(payment)[0], words(build, "30"))

    assert "Void that refund first" in return_problem(payment)
    assert "already" in refund_problem(given)


def test_the_credit_of_a_document_gives_back_what_paid_the_invoice(build):
    invoice = build.posted("100")
    payment = build.payment(invoice.customer, "100", invoice)
    (source,) = sources_of_payment(payment)
    refund(source, words(build, "30", RefundEffect.LOWERS_REVENUE))
    document = db.session.scalars(
        sa.select(Invoice).where(Invoice.kind == InvoiceKind.REFUND)
    ).one()
    row = db.session.scalars(sa.select(Payment).where(Payment.document_id == document.id)).one()

    assert row.unapplied == ZERO
    assert sources_of_payment(row) == []


@pytest.mark.parametrize(
    ("take_off", "sentence"),
    [
        (lambda invoice, _: write_off(invoice, because="bankrupt"), "Unpost the write-off"),
        (
            lambda invoice, bank: finance(invoice, bank, Money.of(100), because="17").leaves,
            "Undo the financing",
        ),
    ],
)
def test_what_nobody_paid_is_neither_taken_back_nor_given_back(build, take_off, sentence):
    invoice = build.posted("300")
    build.payment(invoice.customer, "200", invoice)
    document = take_off(invoice, build.customer("Bank"))
    credit = db.session.scalars(sa.select(Payment).where(Payment.document_id == document.id)).one()

    assert sentence in refund_problem(credit)
    with pytest.raises(DomainError, match=sentence):
        unapply(credit.applications[0])
    assert (invoice.balance, credit.unapplied, sources_of_payment(credit)) == (ZERO, ZERO, [])


def test_refunds_have_their_place_in_the_list_and_the_figures(build):
    payment = build.payment(build.customer(), "100", on=date(2026, 2, 10))
    given = refund(sources_of_payment(payment)[0], words(build, "30"))
    db.session.flush()

    found = find_payments(PaymentFilter(what=PaymentSort.REFUNDS), PageRequest()).rows

    assert [one.id for one in found] == [given.id]
    assert [amount for _, amount in cash_by_month(on=build.today, months=2)] == [
        Money.of(100), -Money.of(30),
    ]  # fmt: skip
    assert [tie.difference for tie in control_ties(on=date(2026, 2, 28))] == [ZERO, ZERO]
    assert credit_of(payment.customer_id, on=date(2026, 2, 28)) == Money.of(100)
    assert credit_of(payment.customer_id, on=build.today) == Money.of(70)


def test_the_preview_knows_what_the_refund_will_do(build):
    invoice = taxed(build, "100")
    build.payment(invoice.customer, "110", invoice)
    (source,) = sources_of_invoice(invoice)

    shares = shares_of(source, words(build, "11", RefundEffect.LOWERS_REVENUE))

    assert (shares.revenue, shares.tax) == (Money.of(10), Money.of(1))


def test_a_refund_that_never_was_is_credit_again(build):
    payment = build.payment(build.customer(), "100")
    given = refund(sources_of_payment(payment)[0], words(build, "30"))

    void_refund(given, version=given.version)

    assert (payment.unapplied, given.counts) == (Money.of(100), ZERO)
    assert balances(build.today) == {"1050": Money.of(100), "2400": -Money.of(100)}
    assert sources_of_payment(payment)[0].limit == Money.of(100)
    with pytest.raises(DomainError, match="already voided"):
        void_refund(given, version=given.version)


def test_revenue_comes_back_with_a_voided_refund(build):
    invoice = taxed(build, "100")
    payment = build.payment(invoice.customer, "110", invoice)
    given = refund(sources_of_payment(payment)[0], words(build, "55", RefundEffect.LOWERS_REVENUE))
    document = given.refunds.document

    void_refund(given, version=given.version)

    assert document.state is InvoiceState.CANCELLED
    assert credit_of(invoice.customer_id) == ZERO
    assert balances(build.today) == {
        "1050": Money.of(110), "2200": -Money.of(10), "4000": -Money.of(100),
    }  # fmt: skip
    assert sources_of_payment(payment)[0].limit == Money.of(110)


def test_a_posted_refund_is_not_voided(build):
    payment = build.payment(build.customer(), "100")
    given = refund(sources_of_payment(payment)[0], words(build, "30"))
    post_payments([given.id])

    with pytest.raises(DomainError, match="unpost it first"):
        void_refund(given, version=given.version)
