"""Promises: kept and broken by themselves, no cent counted twice."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.db import db
from portal.dunning import (
    PromiseWords,
    decide_promises,
    promise,
    promises_of,
    withdraw_promise,
)
from portal.dunning.judging import Arrived, Promised, paid_on_promises
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, InvalidTransition
from portal.kernel.money import Money
from portal.models import PromiseState
from portal.payments import ReturnReason, return_payment
from tests.dunning.cases import TODAY, hour_passes, later, overdue, set_rules

DAY = timedelta(days=1)


def promised(customer, amount="100", days=5):
    row = promise(customer, PromiseWords(Money.of(amount), TODAY + days * DAY, "Ada"))
    db.session.commit()
    return row


def state_of(customer):
    db.session.expire_all()
    return [one.state for one in reversed(promises_of(customer.id))]


def test_a_promise_is_kept_by_money_that_comes_in_time(build):
    ada = overdue(build, 10)
    promised(ada)
    build.payment(ada, "60")
    build.payment(ada, "40", on=TODAY + 7 * DAY)
    db.session.commit()

    with clock.frozen(later(days=7)):
        decide_promises()

    assert state_of(ada) == [PromiseState.KEPT]


def test_a_promise_is_broken_only_after_the_days_of_grace(build):
    ada = overdue(build, 10)
    promised(ada)
    build.payment(ada, "99.99")
    db.session.commit()

    with clock.frozen(later(days=7)):
        decide_promises()
        assert state_of(ada) == [PromiseState.OPEN]
    with clock.frozen(later(days=8)):
        decide_promises()

    assert state_of(ada) == [PromiseState.BROKEN]
    assert promises_of(ada.id)[0].paid == Money.of("99.99")


def test_money_that_came_before_the_promise_does_not_keep_it(build):
    ada = overdue(build, 10, "300")
    build.payment(ada, "100", on=TODAY - DAY)
    promised(ada)

    decide_promises()

    assert state_of(ada) == [PromiseState.OPEN]


def test_a_kept_promise_whose_payment_comes_back_is_open_again_and_then_broken(build):
    ada = overdue(build, 10)
    promised(ada)
    payment = build.payment(ada, "100")
    db.session.commit()
    decide_promises()
    assert state_of(ada) == [PromiseState.KEPT]

    return_payment(payment, ReturnReason.BOUNCED, on=TODAY)
    db.session.commit()
    decide_promises()
    assert state_of(ada) == [PromiseState.OPEN]
    with clock.frozen(later(days=30)):
        decide_promises()

    assert state_of(ada) == [PromiseState.BROKEN]


def test_a_broken_promise_puts_the_case_back_on_the_list_with_its_reason(build):
    set_rules(reminders_on=False)
    ada = overdue(build, 10)
    promised(ada)

    hour_passes(later(days=8))

    from tests.dunning.cases import case_of

    assert case_of(ada).waits_because == ""
    assert "promises broken: 1" in case_of(ada).reasons


def test_a_withdrawn_promise_is_never_decided(build):
    ada = overdue(build, 10)
    row = promised(ada)
    withdraw_promise(row, because="typed for the wrong customer")
    db.session.commit()

    with clock.frozen(later(days=30)):
        decide_promises()

    assert state_of(ada) == [PromiseState.WITHDRAWN]
    with pytest.raises(InvalidTransition):
        withdraw_promise(row, because="again")


@pytest.mark.parametrize(("amount", "days"), [("0", 1), ("-5", 1), ("10", -1), ("10", 121)])
def test_a_promise_needs_an_amount_and_a_day_that_makes_sense(build, amount, days):
    ada = overdue(build, 10)

    with pytest.raises(InvalidFields):
        promise(ada, PromiseWords(Money.of(amount), TODAY + days * DAY))


DAYS = st.integers(0, 30).map(lambda days: date(2026, 3, 1) + timedelta(days=days))
MANY = st.lists(st.tuples(DAYS, st.integers(1, 50), st.integers(0, 10)), max_size=6)


@given(MANY, st.lists(st.tuples(DAYS, st.integers(1, 80)), max_size=8), st.integers(0, 5))
def test_no_cent_counts_for_two_promises(promises, money, grace):
    rows = [
        Promised(number, Money(cents), made, made + timedelta(days=ahead))
        for number, (made, cents, ahead) in enumerate(promises)
    ]
    arrived = [Arrived(on, Money(cents)) for on, cents in money]

    paid = paid_on_promises(rows, arrived, grace_days=grace)

    assert Money.total(paid.values()) <= Money.total(one.amount for one in arrived)
    for one in rows:
        last = one.promised_on + timedelta(days=grace)
        fits = [each.amount for each in arrived if one.made_on <= each.on <= last]
        assert Money(0) <= paid[one.id] <= min(one.amount, Money.total(fits))
