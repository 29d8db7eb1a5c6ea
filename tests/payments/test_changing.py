from datetime import date

import pytest

from portal.db import db
from portal.kernel.errors import (
    Conflict,
    DomainError,
    InvalidFields,
    InvalidTransition,
    PeriodClosed,
)
from portal.kernel.money import ZERO, Money
from portal.ledger import close_through, entries_of, trial_balance
from portal.payments import (
    PaymentWords,
    RefundWords,
    change_payment,
    credit_of,
    delete_payment,
    payment_types,
    post_payments,
    refund,
    refund_reasons,
    refund_types,
    return_payment,
    sources_of_payment,
    unapply,
    unpost_payments,
)
from portal.payments.returning import ReturnReason
from portal.reports import control_ties


def words(payment, **changes):
    mine = {
        "type": payment.type, "amount": payment.amount, "received_on": payment.received_on,
        "reference": payment.reference, "memo": payment.memo,
    }  # fmt: skip
    return PaymentWords(**(mine | changes))


def change(payment, **changes):
    change_payment(payment, words(payment, **changes), version=payment.version)


def balances(on):
    return {row.account.number: row.balance for row in trial_balance(on) if row.balance}


def test_a_smaller_amount_takes_the_newest_applications_back(build):
    customer = build.customer()
    first, second = (build.posted("50", customer=customer) for _ in range(2))
    payment = build.payment(customer, "100", first, second)
    number = payment.id

    change(payment, amount=Money.of(70))

    assert (payment.id, payment.amount, payment.unapplied) == (number, Money.of(70), ZERO)
    assert (first.balance, second.balance) == (ZERO, Money.of(30))
    assert balances(build.today) == {
        "1050": Money.of(70), "1200": Money.of(30), "4000": -Money.of(100),
    }  # fmt: skip


def test_a_correction_is_reversed_and_entered_again(build):
    payment = build.payment(build.customer(), "100")

    change(payment, type=payment_types()[3], amount=Money.of(120))

    wrong, reversal, right = entries_of(payment)
    assert reversal.reverses_id == wrong.id
    assert {line.account.number: line.amount for line in right.lines} == {
        "1010": Money.of(120), "2400": -Money.of(120),
    }  # fmt: skip
    assert payment.unapplied == Money.of(120)


def test_words_alone_touch_no_ledger(build):
    payment = build.payment(build.customer(), "100")

    change(payment, reference="4711", memo="by post")

    assert len(entries_of(payment)) == 1
    assert (payment.reference, payment.memo) == ("4711", "by post")


def test_a_later_day_takes_its_applications_along(build):
    invoice = build.posted("50", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "50", invoice, on=date(2026, 1, 10))

    change(payment, received_on=date(2026, 1, 20))

    assert (invoice.balance, invoice.settled_on) == (ZERO, date(2026, 1, 20))
    for day in (date(2026, 1, 9), date(2026, 1, 10), date(2026, 1, 19), date(2026, 1, 20)):
        assert [tie.difference for tie in control_ties(on=day)] == [ZERO, ZERO]
    assert balances(date(2026, 1, 19)) == {"1200": Money.of(50), "4000": -Money.of(50)}


def test_a_smaller_amount_on_a_later_day(build):
    customer = build.customer()
    first, second = (build.posted("50", customer=customer, on=date(2026, 1, 5)) for _ in "ab")
    payment = build.payment(customer, "100", first, second, on=date(2026, 1, 10))

    change(payment, received_on=date(2026, 1, 20), amount=Money.of(60))

    assert (first.balance, second.balance, payment.unapplied) == (ZERO, Money.of(40), ZERO)


def test_a_payment_that_never_was_counts_for_nothing(build):
    invoice = build.posted("50", on=date(2026, 1, 5))
    payment = build.payment(invoice.customer, "80", invoice, on=date(2026, 1, 10))

    delete_payment(payment, version=payment.version)

    assert (invoice.balance, payment.unapplied) == (Money.of(50), ZERO)
    assert payment.returned_on == payment.received_on
    assert payment.returned_because == "entered in error"
    assert balances(date(2026, 1, 10)) == {"1200": Money.of(50), "4000": -Money.of(50)}


def test_money_once_used_neither_vanishes_nor_shrinks_nor_comes_later(build):
    invoice = build.posted("50", on=date(2026, 2, 1))
    payment = build.payment(invoice.customer, "50", invoice, on=date(2026, 2, 2))
    unapply(payment.applications[0], on=date(2026, 2, 20))

    with pytest.raises(DomainError, match=r"until 2026-02-20\. Record it as returned"):
        delete_payment(payment, version=payment.version)
    with pytest.raises(InvalidFields) as refused:
        change(payment, amount=Money.of(40), received_on=date(2026, 2, 3))
    assert set(refused.value.errors) == {"amount", "received_on"}

    change(payment, amount=Money.of(60), received_on=date(2026, 2, 1))
    assert credit_of(payment.customer_id, on=date(2026, 2, 10)) == Money.of(10)


def test_money_does_not_come_after_it_was_given_back(build):
    payment = build.payment(build.customer(), "50", on=date(2026, 2, 2))
    reason = next(one for one in refund_reasons() if one.name == "Overpaid")
    paid_out = RefundWords(reason, refund_types()[0], Money.of(50), date(2026, 2, 5))
    refund(sources_of_payment(payment)[0], paid_out)

    with pytest.raises(InvalidFields, match="was used on 2026-02-05 already"):
        change(payment, received_on=date(2026, 2, 6))
    change(payment, received_on=date(2026, 2, 5))


def test_only_pending_money_of_the_desk_is_corrected(build):
    customer = build.customer()
    posted, online = build.payment(customer, "5"), build.payment(
        customer, "5", provider="stripe", provider_ref="pi_7"
    )  # fmt: skip
    post_payments([posted.id])
    returned = build.payment(customer, "5")
    return_payment(returned, ReturnReason.BOUNCED, on=build.today)

    with pytest.raises(DomainError, match="already posted"):
        change(posted, memo="x")
    with pytest.raises(DomainError, match="not taken at the desk"):
        change(online, memo="x")
    with pytest.raises(DomainError, match="was returned"):
        change(returned, memo="x")
    with pytest.raises(DomainError, match="already posted"):
        delete_payment(posted, version=posted.version)


def test_closed_months_keep_their_payments(build):
    old = build.payment(build.customer(), "5", on=date(2026, 1, 10))
    new = build.payment(build.customer(), "5")
    close_through(date(2026, 1, 31))

    for payment, day in ((old, build.today), (new, date(2026, 1, 10)), (old, old.received_on)):
        with pytest.raises(PeriodClosed):
            change(payment, received_on=day, memo="x")
    with pytest.raises(PeriodClosed):
        delete_payment(old, version=old.version)


def test_wrong_values_are_named_beside_their_fields(build):
    payment = build.payment(build.customer(), "5")

    with pytest.raises(InvalidFields) as refused:
        change(payment, amount=ZERO, received_on=date(2026, 3, 3))

    assert set(refused.value.errors) == {"amount", "received_on"}


def test_the_second_of_two_corrections_is_refused(build):
    payment = build.payment(build.customer(), "5")
    seen = payment.version
    change(payment, memo="mine")

    with pytest.raises(Conflict):
        change_payment(payment, words(payment, memo="yours"), version=seen)


def test_posting_locks_and_unposting_opens_again(build):
    customer = build.customer()
    ids = [build.payment(customer, "5").id for _ in range(3)]
    payments = [db.session.get_one(type(build.payment(customer, "1")), one) for one in ids]
    return_payment(payments[2], ReturnReason.BOUNCED, on=build.today)

    outcome = post_payments(ids)

    assert [one.id for one in outcome.done] == ids
    assert [one.bypass for one in payments] == [False, False, True]
    again = post_payments(ids[:1])
    assert (again.done, "already posted" in again.refused[0][1]) == ([], True)
    assert [one.id for one in unpost_payments(ids).done] == ids
    assert [one.bypass for one in payments] == [False] * 3
    change(payments[0], memo="open again")


def test_payments_of_a_closed_month_are_not_posted(build):
    payment = build.payment(build.customer(), "5", on=date(2026, 1, 10))
    close_through(date(2026, 1, 31))

    (refused,) = post_payments([payment.id]).refused

    assert "January 2026 is closed" in refused[1]


def test_a_state_nobody_knows_how_to_leave_is_refused_in_words(build):
    invoice = build.posted("5")
    payment = build.payment(invoice.customer, "5", invoice)
    post_payments([payment.id])
    unapply(payment.applications[0])  # posting locks the receipt, not what it pays

    with pytest.raises(DomainError) as refused:
        change(payment, amount=Money.of(4))

    assert not isinstance(refused.value, InvalidTransition)
    assert str(refused.value) == "Cannot edit this payment: it is already posted."


def test_an_amount_of_zero_is_no_payment_and_says_what_to_do(build):
    payment = build.payment(build.customer(), "50")

    with pytest.raises(InvalidFields) as refused:
        change(payment, amount=ZERO)

    assert "delete the payment: it then counts for $0" in refused.value.errors["amount"]
    delete_payment(payment, version=payment.version)
    post_payments([payment.id])
    db.session.refresh(payment)
    assert (payment.counts, payment.bypass) == (ZERO, True)
