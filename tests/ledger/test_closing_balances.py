"""Balances kept when a month is closed make reports quick and never wrong."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel.money import Money
from portal.ledger import (
    account_id_for,
    balance_of,
    close_through,
    is_open,
    reopen_month,
    trial_balance,
    verify_books,
)
from portal.models import AccountRole, ClosingBalance

JANUARY, FEBRUARY = date(2026, 1, 1), date(2026, 2, 1)
DAYS = [
    date(2025, 12, 31),
    date(2026, 1, 31),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 3, 2),
]


@pytest.fixture
def story(build):
    for day in (date(2025, 12, 3), date(2026, 1, 5), date(2026, 2, 5), date(2026, 3, 1)):
        invoice = build.posted("100", on=day)
        build.payment(invoice.customer, "70", invoice, on=day)
    db.session.flush()


def told():
    return [[(row.account.number, row.balance) for row in trial_balance(day)] for day in DAYS]


def kept_days():
    query = sa.select(ClosingBalance.ends_on).distinct().order_by(ClosingBalance.ends_on)
    return list(db.session.scalars(query))


def test_every_day_says_the_same_before_and_after_closing(story):
    before = told()

    close_through(JANUARY)
    assert (kept_days(), told()) == ([date(2026, 1, 31)], before)
    close_through(FEBRUARY)

    assert kept_days() == [date(2026, 1, 31), date(2026, 2, 28)]
    assert told() == before
    receivable = account_id_for(AccountRole.RECEIVABLE)
    assert [balance_of(receivable, day) for day in DAYS] == [
        Money.of(n) for n in (30, 60, 90, 90, 120)
    ]


def test_a_month_opened_again_forgets_what_was_kept_from_then_on(build, story):
    close_through(JANUARY)
    close_through(FEBRUARY)
    reopen_month(FEBRUARY)
    assert kept_days() == [date(2026, 1, 31)]

    build.posted("5", on=date(2026, 2, 20))
    receivable = account_id_for(AccountRole.RECEIVABLE)
    assert balance_of(receivable, date(2026, 2, 28)) == Money.of(95)
    reopen_month(JANUARY)
    assert kept_days() == []
    build.posted("5", on=date(2026, 1, 20))
    close_through(FEBRUARY)

    assert balance_of(receivable, date(2026, 2, 28)) == Money.of(100)
    assert verify_books() == []


def test_a_wrong_or_missing_balance_is_named(story):
    close_through(FEBRUARY)
    receivable = ClosingBalance.account_id == account_id_for(AccountRole.RECEIVABLE)
    db.session.execute(sa.update(ClosingBalance).where(receivable).values(amount=Money.of(91)))
    wrong = verify_books()
    db.session.execute(sa.delete(ClosingBalance).where(receivable))

    assert wrong == ["Account 1200 closed 2026-02-28 with $91.00; the journal says $90.00."]
    assert verify_books() == ["Account 1200 closed 2026-02-28 with $0.00; the journal says $90.00."]
    db.session.rollback()


def test_an_empty_month_opened_by_mistake_closes_with_the_later_ones(story):
    november = date(2025, 11, 1)
    close_through(JANUARY)
    reopen_month(november)

    closed = close_through(FEBRUARY)

    assert closed == [november, FEBRUARY]
    assert not is_open(november)
