import random
from datetime import date, timedelta

import pytest

from portal.kernel.money import ZERO, Money
from portal.models import Customer, CustomerType, PlanRhythm
from portal.payment_plans import Covered, GuardRails, may_offer, split_plan

TODAY = date(2026, 3, 2)
HUNDRED = Money.of(100)


def customer(is_business=None):
    """None: without a customer type."""
    kind = None if is_business is None else CustomerType(name="Any", is_business=is_business)
    return Customer(name="Ada", customer_type=kind)


def ask(who=None, payments=4, *, covered=None, rails=None, fee=ZERO, first_on=TODAY,
        rhythm=PlanRhythm.MONTHLY, amount=HUNDRED):  # fmt: skip
    instalments = split_plan(amount, payments, rhythm, first_on)
    invoices = [Covered("INV-1", amount, amount)] if covered is None else covered
    return may_offer(
        who or customer(), instalments, invoices, rails or GuardRails(), on=TODAY, fee=fee
    )


def test_four_payments_may_be_offered_to_a_consumer():
    assert ask(customer(False), 4).allowed


@pytest.mark.parametrize("is_business", [None, False])
def test_a_fifth_payment_and_a_fee_are_refused_to_consumers_and_to_who_has_no_type(is_business):
    who = customer(is_business)
    assert ask(who, 5).rule == "payments"
    assert "at most 4 payments, the down payment counted" in ask(who, 5).sentence
    assert ask(who, 4, fee=Money(1)).rule == "fee"


def test_a_business_may_be_offered_more_and_charged_a_fee():
    assert ask(customer(True), 12, fee=Money.of(5), rails=GuardRails(longest_days=400)).allowed


def test_a_declared_lawful_process_opens_both():
    rails = GuardRails(most_payments=6, lawful_process=True)
    assert ask(customer(False), 6, fee=Money.of(5), rails=rails).allowed
    assert ask(customer(False), 7, rails=rails, rhythm=PlanRhythm.WEEKLY).rule == "payments"


def test_a_setting_above_four_means_four_without_the_declaration():
    assert ask(customer(False), 5, rails=GuardRails(most_payments=6)).rule == "payments"
    assert ask(customer(False), 4, rails=GuardRails(most_payments=3)).rule == "payments"


def test_a_plan_ends_within_the_longest_days_counted_from_today():
    rails = GuardRails(longest_days=21)
    assert ask(payments=4, rhythm=PlanRhythm.WEEKLY, rails=rails).allowed
    tomorrow = TODAY + timedelta(days=1)
    found = ask(payments=4, rhythm=PlanRhythm.WEEKLY, rails=rails, first_on=tomorrow)
    assert (found.rule, found.sentence) == (
        "too long", "A plan ends within 21 days; this one takes 22.",
    )  # fmt: skip


def test_no_payment_lies_in_the_past():
    assert ask(first_on=TODAY - timedelta(days=1)).rule == "past"


def test_an_instalment_is_not_below_the_least_amount():
    rails = GuardRails(least_amount=Money.of(25))
    assert ask(payments=4, rails=rails).allowed
    assert ask(payments=4, rails=rails, amount=Money.of("99.99")).rule == "too small"


@pytest.mark.parametrize(("facts", "rule", "words"), [
    ({"disputed": True}, "disputed", "disputed"),
    ({"on_the_books": False}, "not posted", "not posted yet"),
    ({"cancelled": True, "on_the_books": False}, "void", "cancelled"),
    ({"credit": True}, "credit", "gives credit"),
    ({"other_plan": "P-000007"}, "other plan", "on payment plan P-000007 already"),
    ({"customer_id": 4711}, "another customer", "belongs to another customer"),
    ({"balance": ZERO}, "paid", "Nothing is owed"),
    ({"balance": Money.of(60)}, "too much", "Only $60.00 is owed"),
])  # fmt: skip
def test_an_invoice_that_cannot_be_on_a_plan_says_why(facts, rule, words):
    one = Covered(**{"number": "INV-1", "share": HUNDRED, "balance": HUNDRED, **facts})
    found = ask(covered=[one])
    assert (found.allowed, found.rule) == (False, rule)
    assert words in found.sentence


def test_a_plan_covers_something_and_comes_to_just_that():
    assert ask(covered=[]).rule == "no invoice"
    assert ask(covered=[Covered("INV-1", Money.of(99), HUNDRED)]).rule == "sum"


def test_ten_thousand_random_offers_without_one_violation():
    """Whatever the guard allows is checked against the rules written down once more."""
    dice, allowed = random.Random(20261121), 0
    for _ in range(10_000):
        allowed += _one_random_offer(dice)
    assert 500 < allowed < 9_500  # the test means something: both answers are common


def _one_random_offer(dice):
    who = customer(dice.choice([None, False, True]))
    rails = GuardRails(
        most_payments=dice.choice([2, 4, 6, 12]), longest_days=dice.choice([60, 180, 400]),
        least_amount=dice.choice([None, Money.of(20)]), lawful_process=dice.random() < 0.3,
    )  # fmt: skip
    share = Money(dice.randint(100, 200_000))
    covered = [Covered(
        "INV-1", share, share + Money(dice.choice([0, 0, 0, 500, -1])),
        on_the_books=dice.random() < 0.95, cancelled=dice.random() < 0.03,
        credit=dice.random() < 0.03, disputed=dice.random() < 0.05,
        other_plan=dice.choice(["", "", "", "", "", "P-1"]),
    )]  # fmt: skip
    first_on = TODAY + timedelta(days=dice.randint(-2, 30))
    payments, fee = dice.randint(1, 12), Money(dice.choice([0, 0, 0, 500]))
    parts = split_plan(share, payments, dice.choice(list(PlanRhythm)), first_on)
    guard = may_offer(who, parts, covered, rails, on=TODAY, fee=fee)
    assert guard.allowed == (guard.rule == "") == (guard.sentence == "")
    if guard.allowed:
        one = covered[0]
        regulated = not (who.customer_type and who.customer_type.is_business)
        free = rails.lawful_process or not regulated
        assert free or (payments <= 4 and fee == ZERO)
        assert not regulated or payments <= rails.most_payments
        assert not (one.disputed)
        assert not (one.other_plan)
        assert not (one.cancelled)
        assert not (one.credit)
        assert one.on_the_books
        assert one.share <= one.balance
        assert first_on >= TODAY
        assert (parts[-1].due_on - TODAY).days <= rails.longest_days
        assert rails.least_amount is None or parts[-1].amount >= rails.least_amount
        assert Money.total(part.amount for part in parts) == one.share
    return guard.allowed


def test_an_instalment_below_what_can_be_paid_online_is_refused_in_words():
    refused = ask(amount=Money.of("3.50"), payments=4)

    assert refused.rule == "too small"
    assert "at least $1.00" in refused.sentence
    assert ask(amount=Money.of("4.00"), payments=4).allowed
    assert ask(amount=Money.of("0.50"), payments=1).allowed
