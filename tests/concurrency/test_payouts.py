"""A webhook, the clock, the comparison and a person about one payout: booked once."""

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.kernel.money import ZERO
from portal.models import AccountRole, BankDeposit, GatewayMovement, JournalEntry, Payout
from portal.payment_collection import compare_with_gateway, find_payouts, gateway, settle_payout
from portal.payment_collection.payouts import know_payout
from tests.payment_collection.payout_world import big_payout
from tests.payment_collection.test_payouts import in_account

pytestmark = pytest.mark.concurrency


def test_everybody_at_once_books_a_payout_once(build, at_once, turn):
    world = big_payout(build.customer(), turn, rows=50)
    ref = world.pay_out()

    def settles():
        seen = gateway().look_up_payout(ref)
        settle_payout(in_transaction(lambda: know_payout(seen)))

    raised = at_once(settles, settles, settles, find_payouts, compare_with_gateway)

    assert raised == [None] * 5
    count = sa.select(sa.func.count())
    assert db.session.scalar(count.select_from(Payout)) == 1
    assert db.session.scalar(count.select_from(GatewayMovement)) == 50
    assert db.session.scalar(count.select_from(BankDeposit)) == 1
    booked = count.select_from(JournalEntry).where(JournalEntry.source_kind == "payout")
    assert db.session.scalar(booked) == 1
    assert in_account(AccountRole.TEST_CLEARING) == ZERO
