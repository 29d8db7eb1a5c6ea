from datetime import date, timedelta

import pytest

from portal.audit import trail_of
from portal.db import PageRequest, db
from portal.kernel.errors import DomainError, PeriodClosed
from portal.kernel.money import ZERO, Money
from portal.ledger import close_through, trial_balance
from portal.models import PaymentOrigin
from portal.payments import (
    PaymentFilter,
    PaymentSort,
    ReturnReason,
    apply_payment,
    credit_of,
    credits_of,
    find_payments,
    return_payment,
    return_problem,
    unapply,
)
from portal.receivables import aging_of_customer, receivable_booked
from portal.reports import cash_by_month, control_ties, home_figures

BOUNCED = ReturnReason.BOUNCED


def ties_on(*days):
    return [tie.difference for day in days for tie in control_ties(on=day)]


def test_a_bounced_check_opens_its_invoices_again(build):
    invoice = build.posted("100", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "120", invoice, on=date(2026, 1, 20))

    numbers = return_payment(payment, BOUNCED, on=date(2026, 2, 10), note="NSF")

    assert numbers == [invoice.number]
    assert (invoice.balance, invoice.settled_on, payment.unapplied) == (Money.of(100), None, ZERO)
    assert (payment.amount, payment.counts) == (Money.of(120), ZERO)
    assert payment.returned_because == "bounced: NSF"
    assert {row.account.number: row.balance for row in trial_balance(date(2026, 2, 10))} == {
        "1200": Money.of(100), "4000": -Money.of(100),
    }  # fmt: skip
    assert "Owed again" in trail_of(payment)[0].sentence
    assert any("taken back" in one.sentence for one in trail_of(invoice))


def test_what_bounced_later_was_still_there_before(build):
    invoice = build.posted("100", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "120", on=date(2026, 1, 20))
    apply_payment(payment, invoice, Money.of(100), on=date(2026, 1, 25))
    return_payment(payment, BOUNCED, on=date(2026, 2, 10))
    days = [date(2026, 1, 19), date(2026, 1, 20), date(2026, 1, 25), date(2026, 2, 10)]

    credit = [credit_of(invoice.customer_id, on=on) for on in days]
    owed = [aging_of_customer(invoice.customer_id, on=on).total for on in days]

    assert credit == [ZERO, Money.of(120), Money.of(20), ZERO]
    assert owed == [Money.of(100), Money.of(100), ZERO, Money.of(100)]
    assert [receivable_booked(on=on) for on in days] == owed
    assert ties_on(*days) == [ZERO] * 8
    assert credits_of([invoice.customer_id], on=days[3]) == {}


def test_returned_money_left_the_figures_of_what_came_in(build):
    customer = build.customer()
    build.payment(customer, "30")
    gone = build.payment(customer, "50")
    earlier = build.payment(customer, "70", on=date(2026, 2, 3))
    return_payment(gone, ReturnReason.ENTERED_IN_ERROR, on=build.today)
    return_payment(earlier, BOUNCED, on=build.today)
    db.session.flush()

    assert home_figures(on=build.today).paid_today_total == Money.of(30)
    by_month = cash_by_month(on=build.today, months=2)
    assert [amount for _, amount in by_month] == [Money.of(70), -Money.of(40)]


@pytest.mark.parametrize("day", [date(2026, 1, 19), date(2026, 1, 24), date(2026, 3, 3)])
def test_no_money_comes_back_before_it_counted_or_tomorrow(build, day):
    invoice = build.posted("100", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "120", on=date(2026, 1, 20))
    apply_payment(payment, invoice, Money.of(100), on=date(2026, 1, 25))

    with pytest.raises(DomainError, match="Choose") as refused:
        return_payment(payment, BOUNCED, on=day)

    assert refused.value.field == "on"


def test_a_closed_month_takes_no_return_and_an_open_one_does(build):
    payment = build.payment(build.customer(), "50", on=date(2026, 1, 20))
    close_through(date(2026, 1, 31))

    with pytest.raises(PeriodClosed):
        return_payment(payment, BOUNCED, on=date(2026, 1, 25))

    assert return_payment(payment, BOUNCED, on=date(2026, 2, 1)) == []
    assert payment.returned_on == date(2026, 2, 1)


def test_money_comes_back_once(build):
    payment = build.payment(build.customer(), "50")
    return_payment(payment, BOUNCED, on=build.today)

    with pytest.raises(DomainError, match="already returned"):
        return_payment(payment, BOUNCED, on=build.today)


def test_online_and_disputed_money_and_credit_of_documents_come_back_elsewhere(build):
    customer = build.customer()
    online = build.payment(customer, "5", provider="stripe", provider_ref="pi_9")
    disputed = build.payment(customer, "5")
    disputed.disputed = True
    ours = build.payment(customer, "5")
    db.session.flush()

    assert "card processor" in (return_problem(online) or "")
    assert "disputes" in (return_problem(disputed) or "")
    assert return_problem(ours) is None
    with db.session.no_autoflush:
        ours.origin = PaymentOrigin.DOCUMENT
        assert "Unpost the document" in (return_problem(ours) or "")
        db.session.refresh(ours)


def test_what_was_taken_back_earlier_is_not_taken_back_again(build):
    invoice = build.posted("100")
    payment = build.payment(invoice.customer, "60", invoice)
    unapply(payment.applications[0])
    apply_payment(payment, invoice, Money.of(40), on=build.today)

    return_payment(payment, BOUNCED, on=build.today)

    assert invoice.balance == Money.of(100)
    assert Money.total(row.amount for row in payment.applications) == ZERO


def test_the_list_finds_what_was_returned(build):
    customer = build.customer()
    stays, goes = build.payment(customer, "5"), build.payment(customer, "6")
    return_payment(goes, BOUNCED, on=build.today)
    db.session.flush()

    def found(what):
        return {one.id for one in find_payments(PaymentFilter(what=what), PageRequest()).rows}

    assert found(None) == {stays.id, goes.id}
    assert found(PaymentSort.RETURNED) == {goes.id}
    assert found(PaymentSort.RECEIVED) == {stays.id}
    assert found(PaymentSort.REFUNDS) == set()


def test_a_return_keeps_the_books_on_every_day_between(build):
    first = build.invoice("80", on=date(2026, 1, 5))  # still a draft
    second = build.posted("90", customer=first.customer, on=date(2026, 1, 8))
    payment = build.payment(first.customer, "200", first, second, on=date(2026, 1, 10))
    return_payment(payment, ReturnReason.STOPPED, on=date(2026, 1, 15))
    db.session.flush()

    days = [date(2026, 1, 4) + timedelta(days=n) for n in range(14)]
    assert ties_on(*days) == [ZERO] * 28
