"""Webhooks in every order, repeated, with or without the return page: one final ledger.

The suite takes a sample; `--orders=1080` takes all of them.
"""

from collections import Counter
from datetime import timedelta
from itertools import permutations, product
from random import Random

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.ledger import trial_balance
from portal.models import Dispute, GatewayRefund, Invoice, Payment, PaymentAttempt
from portal.payment_collection import keep_event, settle
from portal.tasks import look_at, run_waiting, sweep
from tests.payment_collection.test_settling import begin, gateway, press

EVENTS = ("session completed", "processing", "succeeded", "refunded", "disputed")
RETURN_PAGES = ("first", "last", "never")
WHOLE = [
    (order, copies, page)
    for order in permutations(EVENTS)
    for copies, page in product((1, 2, 3), RETURN_PAGES)
]


def happen(page):
    """A debit is accepted, settles, half is refunded there, the rest is disputed."""
    accepted, completed = press(page, "bank-debit")
    succeeded, _async = press(page, "debit-settles")
    payment_ref = gateway().look_up(page).payment_ref
    db.session.rollback()
    refunded = gateway().press_payment(payment_ref, "refund-half")[-1]
    disputed = gateway().press_payment(payment_ref, "dispute")[0]
    return dict(zip(EVENTS, (completed, accepted, succeeded, refunded, disputed), strict=True))


def arrive(body):
    keep_event(gateway().verify_event(body, gateway().sign(body)), body)
    db.session.commit()
    run_waiting()


def let_time_pass(start):
    """The sweep comes by until nothing waits any more; nobody presses anything."""
    for later in (timedelta(minutes=6), timedelta(hours=2), timedelta(days=1, hours=3)):
        with clock.frozen(start + later):
            for name, row_id in sweep():
                look_at(name, row_id)
            run_waiting()


def booked():
    rows = {row.account.number: row.balance.cents for row in trial_balance(clock.now().date())}
    db.session.rollback()
    return Counter(rows)


def ledger_of(invoice_id, before):
    """Everything that may not depend on the order: books, invoice, money, refunds, disputes."""
    after = booked()
    after.subtract(before)
    db.session.expire_all()
    invoice = db.session.get_one(Invoice, invoice_id)
    mine = sa.select(Payment).where(Payment.customer_id == invoice.customer_id)
    money = sorted(
        (row.amount.cents, row.unapplied.cents, row.returned_on is not None, row.disputed)
        for row in db.session.scalars(mine)
    )
    ids = mine.with_only_columns(Payment.id)
    refunds = db.session.scalars(
        sa.select(GatewayRefund).where(GatewayRefund.payment_id.in_(ids))
    ).all()
    disputes = db.session.scalars(sa.select(Dispute).where(Dispute.payment_id.in_(ids))).all()
    result = (
        tuple(sorted((number, cents) for number, cents in after.items() if cents)),
        invoice.balance.cents,
        tuple(money),
        tuple(sorted((one.amount.cents, one.state.value) for one in refunds)),
        tuple((one.amount.cents, one.held.cents, one.state.value) for one in disputes),
    )
    db.session.rollback()
    return result


def play(build, order, copies, page, monday):
    """One life of one payment; gives what is on the books at its end."""
    with clock.frozen(monday):
        before = booked()
        invoice = build.posted("80")
        invoice_id = invoice.id
        attempt_id, checkout = begin(invoice)
        bodies = happen(checkout)
        if page == "first":
            settle(attempt_id)
        for name in order:
            for _copy in range(copies):
                arrive(bodies[name])
        if page == "last":
            settle(attempt_id)
    let_time_pass(monday)
    with clock.frozen(monday + timedelta(days=2)):
        return ledger_of(invoice_id, before)


def test_every_order_of_webhooks_ends_in_one_ledger(build, monday, pytestconfig, seed, figure):
    most = pytestconfig.getoption("--orders")
    lives = WHOLE if most >= len(WHOLE) else Random(seed).sample(WHOLE, most)
    ends = {}
    for order, copies, page in lives:
        end = play(build, order, copies, page, monday)
        ends.setdefault(end, f"{' → '.join(order)}, each {copies}×, return page {page}")
    assert len(ends) == 1, "\n".join(f"{life}: {end}" for end, life in ends.items())
    attempts = db.session.scalar(sa.select(sa.func.count()).select_from(PaymentAttempt))
    assert attempts == len(lives)
    figure("lives", len(lives))
    figure("different final ledgers", len(ends))


@pytest.mark.parametrize("lost", ["every webhook", "all but the dispute's"])
def test_what_webhooks_do_not_tell_the_sweep_finds(build, monday, lost):
    heard = play(build, EVENTS, 1, "first", monday)

    unheard = play(build, ("disputed",) if lost != "every webhook" else (), 1, "never", monday)

    if lost == "every webhook":  # a refund or dispute made there is found by the nightly list
        assert unheard[1] == 0
    else:
        assert unheard[4] == heard[4]
