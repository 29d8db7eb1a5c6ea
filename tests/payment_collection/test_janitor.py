"""The janitor's schedule, to the minute, and that it needs no webhook at all."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.ledger import account_id_for, balance_of
from portal.models import (
    AccountRole,
    AttemptState,
    GatewayRefundState,
    MethodSetup,
    MethodState,
    Payment,
    PaymentAttempt,
    Payout,
    PayoutState,
    SavedMethod,
    SetupState,
)
from portal.payment_collection import (
    compare_with_gateway,
    due_attempts,
    find_payouts,
    keep_event,
    recheck,
    send_back,
    settle,
)
from portal.payment_collection.retries import next_look
from portal.payments import sources_of_payment
from portal.tasks import look_at, run_waiting, sweep
from tests.payment_collection.money_back import house, only_refund, paid, words
from tests.payment_collection.test_payouts import LATER
from tests.payment_collection.test_saving_methods import begin as begin_setup
from tests.payment_collection.test_saving_methods import press as press_setup
from tests.payment_collection.test_settling import begin, payments, press, state_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def looks_until_quiet(start):
    """The moments the janitor looks at, by the attempts' own schedule, until none is due."""
    moments, at = [], start
    for _ in range(40):
        attempts = db.session.query(PaymentAttempt).populate_existing().all()
        due = [one.next_check_at for one in attempts if one.next_check_at]
        db.session.rollback()
        if not due:
            break
        at = min(due)
        moments.append(at - start)
        with clock.frozen(at):
            for attempt_id in list(due_attempts()):
                recheck(attempt_id)
    return moments


@pytest.fixture
def dead(monkeypatch, app):
    def fail(*_words):
        raise OutsideFailure("The line is dead.")

    monkeypatch.setattr(app.extensions["gateway"], "look_up", fail)


def test_an_unknown_attempt_is_looked_at_seven_times_then_parked_and_still_live(
    build, monday, dead, figure
):
    attempt_id, _page = begin(build.posted("80"))
    settle(attempt_id)
    attempt = db.session.get(PaymentAttempt, attempt_id, populate_existing=True)
    attempt.expires_at = None  # its page stays open for ever
    db.session.commit()

    moments = looks_until_quiet(monday)

    gaps = [after - before for before, after in zip([timedelta(0), *moments], moments)]  # noqa: B905
    assert gaps == [timedelta(minutes=5), HOUR, DAY, DAY, DAY, DAY, DAY]
    attempt = db.session.get(PaymentAttempt, attempt_id, populate_existing=True)
    assert (attempt.state, attempt.is_live) == (AttemptState.UNKNOWN, True)
    figure("unknown attempts are looked at after", ", ".join(str(gap) for gap in gaps))


def test_money_that_comes_after_parking_is_recorded_by_the_button(build, monday):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")
    attempt = db.session.get(PaymentAttempt, attempt_id)
    attempt.state, attempt.misses, attempt.next_check_at = AttemptState.UNKNOWN, 8, None
    db.session.commit()

    recheck(attempt_id)

    assert (state_of(attempt_id), len(payments())) == (AttemptState.SUCCEEDED, 1)


def test_a_pending_debit_is_looked_at_after_an_hour_and_then_daily(build, monday, figure):
    attempt_id, page = begin(build.posted("80"))
    press(page, "bank-debit")
    settle(attempt_id)

    moments = looks_until_quiet(monday)[:5]

    assert moments == [HOUR, HOUR + DAY, HOUR + 2 * DAY, HOUR + 3 * DAY, HOUR + 4 * DAY]
    figure("pending ones after", ", ".join(str(moment) for moment in moments))


def test_a_page_looked_at_before_it_was_paid_by_debit_begins_its_schedule_anew(build, monday):
    attempt_id, page = begin(build.posted("80"))
    with clock.frozen(monday + timedelta(minutes=5)):
        recheck(attempt_id)
    press(page, "bank-debit")
    with clock.frozen(monday + 2 * HOUR):
        recheck(attempt_id)

    due = db.session.get(PaymentAttempt, attempt_id, populate_existing=True).next_check_at
    assert due == monday + 3 * HOUR


def test_a_pending_debit_is_never_parked(monday):
    late = next_look(checks=40, misses=40, is_pending=True)
    assert late == monday + DAY


@pytest.mark.parametrize("journey", ["pay", "debit", "payout"])
def test_with_every_webhook_lost_one_pass_converges(build, monday, figure, journey):
    """The gateway did it all and told nobody: what the janitor and the clock do is enough."""
    gate = current_app.extensions["gateway"]
    invoice = build.posted("80")
    _attempt_id, page = begin(invoice)
    press(page, "bank-debit" if journey == "debit" else "succeed")
    if journey == "debit":
        press(page, "debit-settles")
    if journey == "payout":
        db.session.commit()
        gate.pay_out()
        (ref,) = gate.arrivals(LATER)
        gate.let_arrive(ref)

    with clock.frozen(monday + timedelta(minutes=6)):
        one_pass()

    (payment,) = payments()
    assert (payment.amount, payment.unapplied) == (Money.of(80), ZERO)
    with clock.frozen(monday + timedelta(minutes=6)):
        assert compare_with_gateway() == 0
    if journey == "payout":
        (payout,) = db.session.query(Payout).populate_existing().all()
        assert (payout.state, payout.difference) == (PayoutState.PAID, ZERO)
        assert balance_of(account_id_for(AccountRole.TEST_CLEARING), LATER) == ZERO
    figure(f"{journey}: webhooks heard 0, open differences", 0)


def test_a_method_saved_with_every_webhook_lost_is_found_by_one_pass(build, monday):
    setup_id, page = begin_setup(build.customer())
    press_setup(page, "card")
    assert db.session.scalars(sa.select(SavedMethod)).all() == []

    with clock.frozen(monday + timedelta(minutes=6)):
        one_pass()

    (method,) = db.session.scalars(sa.select(SavedMethod)).all()
    assert (method.state, method.is_primary) == (MethodState.ACTIVE, True)
    setup = db.session.get(MethodSetup, setup_id, populate_existing=True)
    assert (setup.state, setup.method_id) == (SetupState.SUCCEEDED, method.id)


@pytest.mark.parametrize("made", ["here", "there"])
def test_a_refund_with_every_webhook_lost_is_recorded_by_one_pass(build, monday, made):
    payment, invoice = paid(build)
    number, invoice_id, ref = payment.id, invoice.id, payment.provider_ref
    if made == "here":
        db.session.commit()
        house().press_payment(ref, "slow-refunds")
        send_back(sources_of_payment(payment)[0], words(build, "40"))
        db.session.commit()
        run_waiting()
        refund_ref = only_refund().refund_ref
        db.session.commit()
        house().press_payment(ref, "refund-settles", refund_ref)
    else:
        db.session.commit()
        house().press_payment(ref, "refund-half")

    with clock.frozen(monday + timedelta(days=1, hours=1)):
        one_pass()
        assert compare_with_gateway() == 0

    assert only_refund().state is GatewayRefundState.SUCCEEDED
    given = db.session.scalars(sa.select(Payment.amount).where(Payment.amount < ZERO)).all()
    assert given == [Money.of(-40)]
    assert balance_of(account_id_for(AccountRole.REFUNDS_IN_TRANSIT), LATER) == ZERO
    assert (number, invoice_id) == (only_refund().payment_id, invoice_id)


def one_pass():
    """What the worker does by itself: the daily look for payouts and one sweep."""
    find_payouts()
    compare_with_gateway()
    for name, row_id in sweep():
        look_at(name, row_id)
        db.session.rollback()


def test_a_webhook_that_comes_after_all_changes_nothing(build, monday):
    attempt_id, page = begin(build.posted("80"))
    bodies = press(page, "succeed")
    with clock.frozen(monday + timedelta(minutes=6)):
        one_pass()
    gate = current_app.extensions["gateway"]
    for body in bodies:
        keep_event(gate.verify_event(body, gate.sign(body)), body)
    db.session.commit()
    one_pass()

    assert (state_of(attempt_id), len(payments())) == (AttemptState.SUCCEEDED, 1)
