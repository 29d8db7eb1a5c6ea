"""Money dated back is used once on every day in between."""

from datetime import date

import pytest

from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.payments import apply_payment, credit_of, unapply

JANUARY = [date(2026, 1, day) for day in range(32) if day]


@pytest.fixture
def ada(build):
    return build.customer("Ada")


def test_money_is_not_used_before_it_came(build, ada):
    invoice = build.posted("100", customer=ada, on=date(2026, 1, 2))
    payment = build.payment(ada, "100", on=date(2026, 1, 20))

    with pytest.raises(DomainError, match="first possible day is 2026-01-20"):
        apply_payment(payment, invoice, Money.of(60), on=date(2026, 1, 5))

    assert apply_payment(payment, invoice, Money.of(60), on=date(2026, 1, 20)) == Money.of(60)


def test_money_that_was_on_another_invoice_until_later_is_not_used_twice(build, ada):
    first = build.posted("80", customer=ada, on=date(2026, 1, 2))
    second = build.posted("100", customer=ada, on=date(2026, 1, 2))
    payment = build.payment(ada, "100", first, on=date(2026, 1, 5))
    unapply(payment.applications[0], on=date(2026, 1, 20))

    with pytest.raises(DomainError, match="first possible day is 2026-01-20"):
        apply_payment(payment, second, Money.of(100), on=date(2026, 1, 10))
    assert (payment.unapplied, second.balance) == (Money.of(100), Money.of(100))
    apply_payment(payment, second, Money.of(20), on=date(2026, 1, 10))  # that much was free
    apply_payment(payment, second, Money.of(80), on=date(2026, 1, 20))

    assert second.balance == ZERO
    assert min(credit_of(ada.id, on=day) for day in JANUARY) == ZERO
    assert credit_of(ada.id, on=date(2026, 1, 15)) == ZERO


def test_the_day_since_when_the_invoice_owes_it_counts(build, ada):
    invoice = build.posted("100", customer=ada, on=date(2026, 1, 2))
    other = build.payment(ada, "100", invoice, on=date(2026, 1, 3))
    unapply(other.applications[0], on=date(2026, 1, 25))
    payment = build.payment(ada, "100", on=date(2026, 1, 20))

    apply_payment(payment, invoice, Money.of(100), on=date(2026, 1, 10))

    assert payment.applications[-1].applied_on == date(2026, 1, 25)
