"""Opening + activity = closing, for every customer and any range."""

from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.db import db
from portal.invoices import post_invoice, start_credit_note
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.models import StatementKind
from portal.payments import ReturnReason, apply_payment, return_payment, unapply
from portal.receivables import account_balance, aging_of_customer
from portal.statements.computing import StatementWanted, account_of

DAY = timedelta(days=1)
FORWARD, OPEN = StatementKind.BALANCE_FORWARD, StatementKind.OPEN_ITEM


def forward(customer, start, end):
    return account_of(customer, StatementWanted(FORWARD, end, start))


def open_item(customer, on):
    return account_of(customer, StatementWanted(OPEN, on))


def test_what_was_paid_after_the_end_is_still_due(build):
    invoice = build.posted("100.00", on=date(2026, 1, 5))
    build.payment(invoice.customer, "100.00", invoice, on=date(2026, 2, 3))
    db.session.flush()

    then = open_item(invoice.customer, date(2026, 1, 31))
    now = open_item(invoice.customer, build.today)

    assert (then.standing.due, [one.open for one in then.standing.items]) == (
        Money.of(100),
        [Money.of(100)],
    )
    assert (now.standing.due, now.standing.items, now.is_empty) == (ZERO, [], True)


def test_balance_forward_opens_with_what_was_owed_the_day_before(build):
    invoice = build.posted("100.00", on=date(2026, 1, 31))
    customer = invoice.customer
    second = build.posted("50.00", customer=customer, on=date(2026, 2, 28))
    build.payment(customer, "80.00", invoice, on=date(2026, 2, 1))
    build.posted("7.00", customer=customer, on=date(2026, 3, 1))
    db.session.flush()

    account = forward(customer, date(2026, 2, 1), date(2026, 2, 28))

    assert (account.opening, account.charges, account.credits, account.closing) == (
        Money.of(100), Money.of(50), Money.of(80), Money.of(70),
    )  # fmt: skip
    assert [(one.on.day, one.balance) for one in account.activity.lines] == [
        (1, Money.of(20)),
        (28, Money.of(70)),
    ]
    assert {one.invoice_id for one in account.standing.items} == {invoice.id, second.id}


def test_a_deposit_on_a_draft_is_neither_due_nor_credit(build):
    draft = build.invoice("100.00")
    customer = draft.customer
    build.posted("40.00", customer=customer)
    build.payment(customer, "30.00", draft)
    db.session.flush()

    account = forward(customer, build.today, build.today)

    assert (account.standing.due, account.standing.deposits) == (Money.of(40), Money.of(30))
    assert account.closing == Money.of(10) == account.standing.balance


def test_a_range_that_runs_backwards_is_refused_beside_its_field(build):
    customer = build.customer()
    with pytest.raises(InvalidFields) as refused:
        forward(customer, build.today, build.today - DAY)
    assert "starts_on" in refused.value.errors
    with pytest.raises(InvalidFields):
        account_of(customer, StatementWanted(FORWARD, build.today))


HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(["invoice", "pay", "credit", "apply", "unapply", "return", "draft"]),
        st.integers(0, 120),
        st.integers(0, 1),
        st.integers(1, 300),
    ),
    min_size=1,
    max_size=14,
)


NOTHING_THERE = (LookupError, StopIteration, ZeroDivisionError)  # e.g. no invoice to pay yet


class Story:
    """Two customers' life as drawn; what the house refuses does not happen."""

    def __init__(self, build):
        self.build, self.start = build, build.today - 120 * DAY
        self.customers = [build.customer(f"Customer {n}") for n in range(2)]
        self.invoices, self.payments = [], []

    def live(self, what, day, who, number):
        customer, on = self.customers[who], self.start + day * DAY
        with suppress(DomainError, *NOTHING_THERE), db.session.begin_nested():
            getattr(self, f"_{what}")(customer, on, number)
        db.session.flush()
        db.session.expire_all()

    def _invoice(self, customer, on, number):
        term = ["Net 30", ""][number % 2]
        self.invoices.append(self.build.posted(str(number), customer=customer, on=on, term=term))

    def _draft(self, customer, on, number):
        self.invoices.append(self.build.invoice(str(number), customer=customer, on=on))

    def _pay(self, customer, on, number):
        mine = [one for one in self.mine(customer) if one.balance > ZERO]
        paid = mine[:1] if mine and mine[0].balance <= Money.of(number) else []
        self.payments.append(self.build.payment(customer, str(number), *paid, on=on))

    def _credit(self, customer, on, number):
        mine = self.mine(customer)
        post_invoice(start_credit_note(mine[number % len(mine)], because="Goodwill"))

    def _apply(self, customer, on, number):
        payment = next(one for one in self.payments if one.customer is customer)
        apply_payment(payment, self.mine(customer)[-1], Money.of(number), on=on)

    def _unapply(self, customer, on, number):
        rows = [a for p in self.payments for a in p.applications]
        taken = {one.reverses_id for one in rows}
        live = [one for one in rows if one.reverses_id is None and one.id not in taken]
        if live:
            unapply(live[number % len(live)], on=on)

    def _return(self, customer, on, number):
        mine = [one for one in self.payments if one.customer is customer]
        if mine:
            return_payment(mine[number % len(mine)], ReturnReason.BOUNCED, on=on)

    def mine(self, customer):
        return [one for one in self.invoices if one.customer is customer]


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    story=HAPPENINGS, spans=st.lists(st.tuples(st.integers(0, 120), st.integers(0, 40)), min_size=3,
                                     max_size=5),
)  # fmt: skip
def test_opening_and_activity_make_the_closing_for_any_story_and_range(build, story, spans):
    told = Story(build)
    for happening in story:
        told.live(*happening)

    for customer in told.customers:
        for first, days in spans:
            start = told.start + first * DAY
            account = forward(customer, start, start + days * DAY)  # refuses what does not tie
            before = open_item(customer, start - DAY)
            assert account.opening == before.standing.balance
            assert account.opening + account.charges - account.credits == account.closing
            aged = aging_of_customer(customer.id, on=start + days * DAY)
            assert account.standing.aging.total == aged.total
            assert [getattr(account.standing.aging, name) for name in ("current", "no_term")] == [
                aged.current,
                aged.no_term,
            ]
            if account.activity.lines:
                assert account.activity.lines[-1].balance == account.closing
        end = open_item(customer, date(2026, 12, 31))
        assert end.standing.balance == account_balance(customer.id)
    db.session.rollback()
