"""The journal takes only what balances, into months that are open."""

from datetime import date

import pytest

from portal.db import db
from portal.kernel.errors import PeriodClosed
from portal.kernel.money import Money
from portal.ledger import Leg, entries_of, post_entry
from portal.ledger.posting import UnbalancedEntry, reverse_entry
from portal.models import AccountingPeriod, AccountRole, PeriodState

TEN = Money.of(10)


def entry(build, debit, credit, on=None):
    customer = build.customer()
    return post_entry(
        on=on or build.today,
        memo="A test",
        source=("customer", customer.id),
        legs=[
            Leg(AccountRole.CHECKING, debit),
            Leg(AccountRole.REVENUE, credit),
        ],
    )


def test_debits_and_credits_must_be_equal(build):
    with pytest.raises(UnbalancedEntry):
        entry(build, TEN, Money.of("-9.99"))


def test_a_closed_month_takes_no_entry(build):
    db.session.add(AccountingPeriod(starts_on=date(2026, 2, 1), state=PeriodState.CLOSED))
    db.session.flush()

    with pytest.raises(PeriodClosed, match="next open day is Mar 1, 2026"):
        entry(build, TEN, -TEN, on=date(2026, 2, 28))
    entry(build, TEN, -TEN, on=date(2026, 3, 1))


def test_a_reversal_mirrors_the_entry_and_happens_once(build):
    from sqlalchemy.exc import IntegrityError

    invoice = build.posted("10")
    (first,) = entries_of(invoice)
    reverse_entry(first, on=build.today, memo="Undone")
    back = entries_of(invoice)[1]
    assert [line.amount for line in back.lines] == [-line.amount for line in first.lines]

    with pytest.raises(IntegrityError):
        reverse_entry(first, on=build.today, memo="Undone again")
    db.session.rollback()
