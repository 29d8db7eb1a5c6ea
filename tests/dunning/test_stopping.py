"""Stop at once: on payment, a debit on its way, dispute, promise, plan, opt-out, hold; and again
at the very moment of sending."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from portal.db import db
from portal.dunning import (
    Address,
    ContactWords,
    DisputeWords,
    PromiseWords,
    StandingWords,
    change_standing,
    dispute_invoice,
    hand_over,
    log_contact,
    opt_out,
    permission,
    promise,
    resolve_dispute,
    run_collections,
    snooze,
)
from portal.dunning.reaching import touches_of
from portal.dunning.stopping import Account, why_wait
from portal.invoices import disputed_amounts
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import Money
from portal.models import (
    AttemptShare,
    AttemptState,
    ContactAttempt,
    ContactWay,
    Invoice,
    InvoiceDisputeReason,
    MessageState,
    PaymentAttempt,
    StepState,
)
from portal.tasks import run_waiting
from tests.dunning.cases import (
    TODAY,
    case_of,
    deliver,
    hour_passes,
    later,
    overdue,
    reminders,
    set_rules,
)
from tests.payment_plans.plans import accepted

PRICE = InvoiceDisputeReason.PRICE


def invoice_of(customer):
    return db.session.query(Invoice).filter_by(customer_id=customer.id).one()


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"open": Money(0), "chaseable": Money(0)}, "paid"),
        ({"active": False}, "inactive"),
        ({"on_hold": True}, "hold"),
        ({"paused_until": TODAY}, "paused"),
        ({"promised_on": TODAY - timedelta(days=2), "grace_days": 2}, "promise"),
        ({"snoozed_until": TODAY + timedelta(days=1)}, "snoozed"),
        ({"credit": Money(100)}, "credit"),
        ({"chaseable": Money(0), "on_its_way": Money(100)}, "on its way"),
        ({"chaseable": Money(0), "on_plans": "P-000001"}, "plan"),
        ({"chaseable": Money(0), "disputed": Money(100)}, "dispute"),
    ],
)
def test_every_reason_to_leave_a_customer_alone_has_its_words(changes, rule):
    owing = Account(chaseable=Money(100), open=Money(100))

    assert why_wait(owing, on=TODAY) is None
    wait = why_wait(replace(owing, **changes), on=TODAY)
    assert (wait.rule, wait.sentence[-1]) == (rule, ".")


def test_a_promise_holds_until_its_day_and_the_days_of_grace(build):
    set_rules()
    ada = overdue(build, 6)
    promise(ada, PromiseWords(Money.of("100"), TODAY + timedelta(days=5)))
    db.session.commit()

    hour_passes()
    hour_passes(later(days=7))
    assert reminders() == []
    hour_passes(later(days=8))

    assert len(reminders()) == 1  # broken, so the stage that is reached goes out


def test_a_dispute_of_all_stops_and_of_a_part_asks_only_for_the_rest(build):
    set_rules()
    ada, bob = overdue(build, 14), overdue(build, 14, "60", "40")
    dispute_invoice(invoice_of(ada), DisputeWords(PRICE))
    whole = invoice_of(bob)
    dispute_invoice(whole, DisputeWords(PRICE, line_id=whole.lines[1].id))
    db.session.commit()

    hour_passes()

    (only,) = reminders()
    assert only.customer_id == bob.id
    assert "$60.00" in only.body
    assert case_of(bob).owed == Money.of("60")


def test_a_resolved_dispute_lets_the_chase_go_on(build):
    set_rules()
    ada = overdue(build, 14)
    row = dispute_invoice(invoice_of(ada), DisputeWords(PRICE))
    db.session.commit()
    hour_passes()

    resolve_dispute(row, outcome="The price was right.")
    db.session.commit()
    hour_passes()

    assert len(reminders()) == 1


def test_no_more_is_disputed_than_is_owed(build):
    ada = overdue(build, 14, "60", "40")
    invoice = invoice_of(ada)
    dispute_invoice(invoice, DisputeWords(PRICE, amount=Money.of("90")))

    with pytest.raises(InvalidFields, match=r"at most \$?10"):
        dispute_invoice(invoice, DisputeWords(PRICE, amount=Money.of("10.01")))
    dispute_invoice(invoice, DisputeWords(PRICE))
    assert disputed_amounts([invoice.id]) == {invoice.id: Money.of("100")}
    with pytest.raises(InvalidFields, match="contested already"):
        dispute_invoice(invoice, DisputeWords(PRICE))


def test_what_was_paid_is_not_disputed_any_more(build):
    ada = overdue(build, 14)
    invoice = invoice_of(ada)
    dispute_invoice(invoice, DisputeWords(PRICE))
    build.payment(ada, "70", invoice)

    assert disputed_amounts([invoice.id]) == {invoice.id: Money.of("30")}
    build.payment(ada, "30", invoice)
    assert disputed_amounts([invoice.id]) == {}
    with pytest.raises(DomainError, match="Nothing is owed"):
        dispute_invoice(invoice, DisputeWords(PRICE))


def test_a_line_is_contested_once_and_only_on_its_own_invoice(build):
    ada, bob = overdue(build, 14, "60", "40"), overdue(build, 14)
    invoice = invoice_of(ada)
    line = invoice.lines[0].id
    dispute_invoice(invoice, DisputeWords(PRICE, line_id=line))

    with pytest.raises(InvalidFields, match="already"):
        dispute_invoice(invoice, DisputeWords(PRICE, line_id=line))
    with pytest.raises(InvalidFields, match="not on the invoice"):
        dispute_invoice(invoice_of(bob), DisputeWords(PRICE, line_id=line))


def test_an_opt_out_between_plan_and_sending_is_obeyed(build):
    set_rules()
    ada = overdue(build, 1)
    run_collections()
    opt_out(ContactWay.EMAIL, because="asked on the phone", customer=ada)
    db.session.commit()

    run_waiting()

    (step,) = case_of(ada).steps
    assert (step.state, step.sentence) == (StepState.REFUSED, "The customer does not want emails.")
    assert reminders() == []


@pytest.mark.parametrize(
    "what", ["pays", "opts out", "disputes", "is put on hold", "goes to a manager"]
)
def test_what_happens_while_the_mail_waits_in_the_outbox_calls_it_off(build, smtp, what):
    set_rules()
    ada = overdue(build, 1)
    run_collections()
    hold_mail()
    (message,) = reminders()
    if what == "pays":
        build.payment(ada, "100", invoice_of(ada))
    elif what == "opts out":
        opt_out(ContactWay.EMAIL, because="asked", address=ada.email)
    elif what == "disputes":
        dispute_invoice(invoice_of(ada), DisputeWords(PRICE))
    elif what == "goes to a manager":
        hand_over(case_of(ada), build.person(), because="She shouts.")
    else:
        change_standing(ada, StandingWords(on_hold=True, hold_because="lawyer"), version=0)
    db.session.commit()

    box = smtp()
    deliver(message.id)

    assert reminders()[0].state is MessageState.CALLED_OFF
    assert reminders()[0].last_error
    assert box.mails == []
    assert db.session.query(ContactAttempt).count() == 0


@pytest.mark.parametrize("what", ["goes to a manager", "reminders are switched off"])
def test_a_stage_that_waits_is_not_carried_out_any_more(build, what):
    set_rules()
    ada = overdue(build, 1)
    run_collections()
    if what == "goes to a manager":
        hand_over(case_of(ada), build.person(), because="She shouts.")
        db.session.commit()
    else:
        set_rules(reminders_on=False)

    run_waiting()

    (step,) = case_of(ada).steps
    assert (step.state, step.sentence[:9]) == (StepState.SKIPPED, "Not sent.")
    assert reminders() == []


def test_who_called_us_is_left_alone_and_it_counts_as_no_attempt(build):
    set_rules()
    ada = overdue(build, 1, phone="+12175550100")
    run_collections()
    case = case_of(ada)
    way = ContactWay.CALL
    log_contact(case, ContactWords(way, inbound=True), by=build.person())
    db.session.commit()

    answer = permission(ada, Address(way, "+12175550100"))

    assert (answer.allowed, answer.rule) == (False, "conversation")
    assert not any(one.counts for one in touches_of(ada.id))


def test_a_mail_that_could_only_leave_at_night_waits_for_the_morning(build, smtp):
    set_rules()
    overdue(build, 1)
    run_collections()
    hold_mail()
    (message,) = reminders()
    night = datetime(2026, 3, 3, 4, 0, tzinfo=UTC)  # ten in the evening in Illinois

    box = smtp()
    with clock.frozen(night):
        deliver(message.id)
        waiting = reminders()[0]
        assert waiting.state is MessageState.WAITING
        assert waiting.next_attempt_at == datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
    with clock.frozen(datetime(2026, 3, 3, 14, 0, tzinfo=UTC)):
        deliver(message.id)

    assert (reminders()[0].state, len(box.mails)) == (MessageState.SENT, 1)
    assert db.session.query(ContactAttempt).one().message_id == message.id


def test_what_is_only_kept_in_the_outbox_is_no_contact(build):
    set_rules()
    overdue(build, 1)

    hour_passes()

    assert [one.state for one in reminders()] == [MessageState.KEPT]
    assert db.session.query(ContactAttempt).count() == 0


def test_a_snoozed_case_comes_back_by_itself(build):
    set_rules(reminders_on=False)
    ada = overdue(build, 22)
    hour_passes()
    snooze(case_of(ada), until=TODAY + timedelta(days=3), because="they are on holiday")
    db.session.commit()
    assert "Put off" in case_of(ada).waits_because

    hour_passes(later(days=3))

    assert case_of(ada).waits_because == ""
    assert case_of(ada).snoozed_until is None


def test_a_plan_that_is_kept_to_stops_the_chase(build):
    set_rules()
    ada = overdue(build, 14)
    accepted(invoice_of(ada))
    db.session.commit()

    hour_passes()

    assert reminders() == []
    assert case_of(ada) is None


def test_a_bank_debit_on_its_way_stops_the_chase_and_its_return_brings_it_back(build):
    set_rules()
    ada = overdue(build, 13)
    hour_passes()
    invoice = invoice_of(ada)
    attempt = PaymentAttempt(
        public_id="debit", customer_id=ada.id, amount=invoice.balance, gateway="test",
        livemode=False, state=AttemptState.PROCESSING,
        shares=[AttemptShare(invoice_id=invoice.id, amount=invoice.balance, live=True)],
    )  # fmt: skip
    db.session.add(attempt)
    db.session.commit()

    hour_passes(later(days=1))
    assert "on its way" in case_of(ada).waits_because
    assert [one.subject for one in reminders()] == []
    attempt.state, attempt.shares[0].live = AttemptState.FAILED, False
    db.session.commit()
    hour_passes(later(days=2))

    assert case_of(ada).owed == Money.of("100")
    assert len(reminders()) == 1


def hold_mail():
    """Write the messages, but deliver none: only the step's own wake-up is followed."""
    from flask import current_app

    from portal.tasks.queue import look_at

    wakes = current_app.extensions["wakes"]
    for name, row_id in list(wakes):
        wakes.remove((name, row_id))
        if name == "dunning_step":
            look_at(name, row_id)
    wakes.clear()
