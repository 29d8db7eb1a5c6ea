"""Autopay: announced, charged once, tried again by the schedule, never more than is owed."""

from datetime import date

import pytest
from flask import current_app

from portal.db import db, in_transaction
from portal.invoices import post_invoice, unpost_invoice
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, InvalidFields, OutsideFailure
from portal.kernel.money import ZERO, Money
from portal.models import (
    AttemptState,
    AutopayMoment,
    ChargeState,
    Consent,
    ConsentKind,
    Customer,
    Dispute,
    DisputeState,
    Invoice,
    MethodState,
    Payment,
    PaymentAttempt,
    PlannedCharge,
    SavedMethod,
)
from portal.payment_collection import (
    AutopayWords,
    RuleWords,
    autopay_of,
    cancel_planned,
    change_rules,
    charges_needing_somebody,
    collection_rules,
    consent_to,
    covers_office_charges,
    for_customer,
    look_at_charge,
    seal_of,
    settle,
    try_again_today,
    turn_off,
    turn_on,
)
from portal.payment_collection.charge_words import REASONS
from portal.payment_plans import withdraw_plan
from portal.payments import ReturnReason, return_payment
from portal.tasks import run_waiting
from tests.payment_collection.planned import (
    GIVEN,
    after,
    autopay_row,
    balance_of,
    charges,
    gateway_charges,
    mails,
    payments,
    with_autopay,
    work,
)
from tests.payment_plans.plans import accepted, offered

NET_15 = "Net 15"  # due on March 17


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


def planned(build, ada, behaviour="card", *, term=NET_15, **words):
    """An invoice over $80 of somebody with autopay, planned."""
    method = with_autopay(build, ada, behaviour, **words)
    invoice = build.posted("80", customer=ada, term=term)
    work()
    return invoice, method


def state_of(invoice):
    return charges(invoice)[-1].state


def announced_and_due(invoice):
    """The notice went out three days before; today is the day of the charge."""
    with after(12):
        work()
    with after(15):
        work()
    return charges(invoice)[-1]


def test_on_the_due_date_it_is_charged_once_with_a_receipt(build, ada):
    invoice, _method = planned(build, ada)
    (charge,) = charges(invoice)
    assert (charge.charge_on, charge.state) == (date(2026, 3, 17), ChargeState.WAITING)

    announced_and_due(invoice)
    with after(16):
        work()

    (charge,) = charges(invoice)
    assert (charge.state, charge.tries) == (ChargeState.SUCCEEDED, 1)
    assert [one.amount for one in payments()] == [Money.of(80)]
    assert len(gateway_charges()) == 1
    assert balance_of(invoice) == ZERO
    assert len(mails("receipt")) == 1


def test_the_notice_names_amount_day_method_and_the_way_out(build, ada):
    invoice, _method = planned(build, ada)
    assert mails("autopay notice") == []
    with after(12):
        work()
        work()

    (mail,) = mails("autopay notice")
    assert mail.recipient == "ada@example.org"
    for words in ("$80.00", "March 17, 2026", "Visa •••• 4242", invoice.number, "/my/autopay"):
        assert words in mail.body


@pytest.mark.parametrize(("language", "words"), [("es", "cobraremos"), ("fr", "prélèverons")])
def test_the_notice_speaks_the_customers_language(build, language, words):
    ada = build.customer("Ada", language=language)
    planned(build, ada)
    with after(12):
        work()

    assert words in mails("autopay notice")[0].body


def test_nothing_is_charged_before_its_day(build, ada):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    with after(14, hours=5):  # still March 16 in Chicago
        work()

    assert state_of(invoice) is ChargeState.WAITING
    assert gateway_charges() == []


def test_an_invoice_due_at_once_is_charged_only_after_the_notice_ran(build, ada):
    invoice, _method = planned(build, ada, term="")
    (charge,) = charges(invoice)
    assert charge.charge_on == date(2026, 3, 5)
    assert len(mails("autopay notice")) == 1

    with after(3):
        work()
    assert state_of(invoice) is ChargeState.SUCCEEDED


def test_a_notice_that_goes_out_late_moves_the_day(build, ada):
    invoice, _method = planned(build, ada)
    with after(15):  # the worker slept for two weeks
        work()
        (charge,) = charges(invoice)
        assert (charge.state, charge.next_try_on) == (ChargeState.WAITING, date(2026, 3, 20))
    with after(18):
        work()
    assert state_of(invoice) is ChargeState.SUCCEEDED


def test_by_invoice_date_the_notice_alone_decides_the_day(build, ada):
    invoice, _method = planned(build, ada, moment=AutopayMoment.INVOICE_DATE)
    assert charges(invoice)[0].charge_on == date(2026, 3, 5)


def test_invoices_from_before_are_left_alone_unless_asked_for(build, ada):
    old = build.posted("80", customer=ada, on=date(2026, 2, 1), term=NET_15)
    with_autopay(build, ada)
    work()
    assert charges(old) == []

    in_transaction(
        lambda: turn_on(
            db.session.get_one(Customer, ada.id), AutopayWords(starts_on=date(2026, 2, 1)), GIVEN
        )
    )
    work()
    assert len(charges(old)) == 1


def test_drafts_are_not_planned(build, ada):
    with_autopay(build, ada)
    draft = build.invoice("80", customer=ada)
    work()
    assert charges(draft) == []


def test_a_refused_card_is_tried_again_by_the_schedule_and_then_given_up(build, ada):
    invoice, _method = planned(build, ada, "declined-card")
    announced_and_due(invoice)
    days, seen = [], []
    for day in range(15, 40):
        with after(day):
            work()
            charge = charges(invoice)[0]
            if charge.tries > len(seen):
                seen.append(charge.tries)
                days.append((day, charge.state, charge.next_try_on))

    assert [day for day, _state, _next in days] == [15, 18, 23, 30]
    assert days[0][1:] == (ChargeState.FAILED, date(2026, 3, 20))
    assert days[-1][1:] == (ChargeState.GIVEN_UP, None)
    assert payments() == []
    failed = mails("charge failed")
    assert len(failed) == 4
    assert "The card was declined." in failed[0].body
    assert "We try again on March 20, 2026." in failed[0].body
    assert "/pay/" in failed[0].body
    assert "/my/autopay" in failed[0].body
    assert "do not try again by ourselves" in failed[-1].body
    assert charges_needing_somebody() == 1
    with after(45):
        work()
    assert len(charges(invoice)) == 1  # not planned anew


def test_a_failed_charge_that_works_the_next_time_is_one_payment(build, ada, monkeypatch):
    invoice, method = planned(build, ada, "declined-card")
    announced_and_due(invoice)
    better = build.saved_method(ada, "card", primary=False)
    method = db.session.get_one(SavedMethod, method.id)
    method.is_primary = False
    db.session.flush()
    db.session.get_one(SavedMethod, better.id).is_primary = True
    with after(18):
        work()

    charge = charges(invoice)[0]
    assert (charge.state, charge.tries) == (ChargeState.SUCCEEDED, 2)
    assert len(payments()) == 1
    assert charges_needing_somebody() == 0


@pytest.mark.parametrize("how", ["gone", "expired", "none"])
def test_a_method_that_is_no_use_is_not_tried_but_another_one_asked_for(build, ada, how):
    invoice, method = planned(build, ada)
    with after(12):
        work()
    method = db.session.get_one(SavedMethod, method.id)
    if how == "expired":
        method.expires_on = date(2026, 3, 1)
    else:
        method.state, method.is_primary = MethodState.GONE, False
    with after(15):
        work()

    charge = charges(invoice)[0]
    assert (charge.state, charge.tries) == (ChargeState.GIVEN_UP, 0)
    assert gateway_charges("prepared") == []
    (mail,) = mails("charge failed")
    assert "another" in mail.body
    assert "/my/autopay" in mail.body


def test_a_bank_debit_is_on_its_way_and_then_done(build, ada):
    invoice, _method = planned(build, ada, "bank")
    charge = announced_and_due(invoice)
    assert (charge.state, charge.outcome[:10]) == (ChargeState.CHARGING, "On its way")
    attempt = charge.attempt
    assert attempt.state is AttemptState.PROCESSING
    payment_ref, attempt_id = attempt.payment_ref, attempt.id
    db.session.commit()
    current_app.extensions["gateway"].press_charge(payment_ref, "debit-settles")
    settle(attempt_id)
    run_waiting()

    assert state_of(invoice) is ChargeState.SUCCEEDED
    assert len(payments()) == 1


def test_a_debit_that_comes_back_is_told_once_and_tried_again(build, ada):
    invoice, _method = planned(build, ada, "bank")
    charge = announced_and_due(invoice)
    payment_ref, attempt_id = charge.attempt.payment_ref, charge.attempt_id
    db.session.commit()
    current_app.extensions["gateway"].press_charge(payment_ref, "debit-fails")
    with after(17):
        settle(attempt_id)
        run_waiting()
        charge = charges(invoice)[0]
        assert (charge.state, charge.next_try_on) == (ChargeState.FAILED, date(2026, 3, 22))

    assert len(mails("charge failed")) == 1
    assert mails("payment came back") == []


def test_what_was_paid_another_way_cancels_the_waiting_charge(build, ada):
    invoice, _method = planned(build, ada)
    build.payment(ada, "80", db.session.get_one(Invoice, invoice.id))
    db.session.commit()
    run_waiting()

    charge = charges(invoice)[0]
    assert (charge.state, charge.outcome) == (ChargeState.CANCELLED, "It was paid another way.")
    with after(15):
        work()
    assert gateway_charges() == []


def test_only_what_is_still_owed_is_charged(build, ada):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    build.payment(ada, "30", db.session.get_one(Invoice, invoice.id))
    # the whole 30 went onto this invoice
    with after(15):
        work()

    assert [one.amount for one in gateway_charges()] == [Money.of(50)]
    assert balance_of(invoice) == ZERO


def test_a_payment_between_deciding_and_keeping_the_attempt_is_never_charged_twice(
    build, ada, monkeypatch
):
    """Autopay against manual: the manual payment comes in the very moment of the charge."""
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    from portal.payment_collection import planned as module

    real = module.charge_method

    def late(wanted, **more):
        build.payment(db.session.get_one(Customer, ada.id), "80",
                      db.session.get_one(Invoice, invoice.id))  # fmt: skip
        db.session.commit()
        return real(wanted, **more)

    monkeypatch.setattr(module, "charge_method", late)
    with after(15):
        work()
    monkeypatch.undo()
    with after(15, hours=2):
        work()

    assert gateway_charges() == []
    assert [one.amount for one in payments()] == [Money.of(80)]
    assert state_of(invoice) is ChargeState.CANCELLED


def test_a_payment_between_keeping_and_confirming_cancels_the_charge(build, ada, monkeypatch):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    door = current_app.extensions["gateway"]
    real = door.prepare_charge

    def late(order):
        ref = real(order)
        build.payment(db.session.get_one(Customer, ada.id), "80",
                      db.session.get_one(Invoice, invoice.id))  # fmt: skip
        db.session.commit()
        return ref

    monkeypatch.setattr(door, "prepare_charge", late)
    with after(15):
        work()
    monkeypatch.undo()
    with after(15, hours=2):
        work()

    assert gateway_charges() == []
    assert [one.amount for one in payments()] == [Money.of(80)]
    charge = charges(invoice)[0]
    assert (charge.state, charge.tries) == (ChargeState.CANCELLED, 0)
    assert mails("charge failed") == []


def test_a_worker_that_dies_after_keeping_the_attempt_charges_once(build, ada, monkeypatch):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    from portal.payment_collection import charging

    class Killed(BaseException):
        pass

    def dies(attempt_id):
        raise Killed

    monkeypatch.setattr(charging, "carry_out", dies)
    with after(15):
        db.session.commit()
        with pytest.raises(Killed):
            look_at_charge(charges(invoice)[0].id)
        db.session.rollback()
        monkeypatch.undo()
        assert state_of(invoice) is ChargeState.CHARGING
        work()  # nothing is due yet: the attempt is looked at after five minutes
        assert gateway_charges() == []
    with after(15, hours=1):
        work()

    assert state_of(invoice) is ChargeState.SUCCEEDED
    assert len(gateway_charges()) == len(payments()) == 1


def test_a_worker_that_dies_before_keeping_it_leaves_the_charge_to_another(build, ada, monkeypatch):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    from portal.payment_collection import planned as module

    class Killed(BaseException):
        pass

    def dies(wanted, **more):
        raise Killed

    monkeypatch.setattr(module, "charge_method", dies)
    with after(15):
        db.session.commit()
        with pytest.raises(Killed):
            look_at_charge(charges(invoice)[0].id)
        db.session.rollback()
        monkeypatch.undo()
        work()
        assert state_of(invoice) is ChargeState.WAITING  # leased: nobody else takes it yet
    with clock.frozen(clock.now()), after(15, hours=1):
        work()
    assert state_of(invoice) is ChargeState.SUCCEEDED
    assert len(gateway_charges()) == 1


def test_a_gateway_that_does_not_answer_is_unknown_and_not_tried_a_second_time(
    build, ada, monkeypatch
):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    door = current_app.extensions["gateway"]
    real = door.confirm_charge

    def lost(payment_ref, reference):
        real(payment_ref, reference)
        raise OutsideFailure("connection dropped")

    monkeypatch.setattr(door, "confirm_charge", lost)
    with after(15):
        work()
        assert state_of(invoice) is ChargeState.CHARGING
    monkeypatch.undo()
    with after(15, hours=2):
        work()

    charge = charges(invoice)[0]
    assert (charge.state, charge.tries) == (ChargeState.SUCCEEDED, 1)
    assert len(gateway_charges()) == len(payments()) == 1


def test_an_unposted_invoice_pauses(build, ada):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    unpost_invoice(db.session.get_one(Invoice, invoice.id), because="a mistake")
    with after(15):
        work()
        charge = charges(invoice)[0]
        assert (charge.state, charge.tries) == (ChargeState.WAITING, 0)
        assert "not final" in charge.outcome
    assert charges_needing_somebody() == 1


def test_credit_is_used_before_a_card_is_charged(build, ada):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    build.payment(ada, "10")
    with after(15):
        work()

    charge = charges(invoice)[0]
    assert charge.state is ChargeState.WAITING
    assert "$10.00 in credit" in charge.outcome
    assert gateway_charges() == []


def test_a_disputed_invoice_pauses(build, ada):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    payment = build.payment(ada, "10", db.session.get_one(Invoice, invoice.id))
    payment.disputed = True
    with after(15):
        work()
        assert "disputes" in charges(invoice)[0].outcome
    db.session.get_one(type(payment), payment.id).disputed = False
    with after(15, hours=2):
        work()
    assert state_of(invoice) is ChargeState.SUCCEEDED


def test_more_than_the_bound_is_never_charged(build, ada):
    invoice, _method = planned(build, ada, most=Money.of("79.99"))
    announced_and_due(invoice)

    charge = charges(invoice)[0]
    assert (charge.state, charge.tries) == (ChargeState.GIVEN_UP, 0)
    assert "more than the $79.99 agreed to" in mails("charge failed")[0].body
    assert gateway_charges() == []


def test_without_an_address_nothing_is_charged_and_the_office_sees_it(build, ada):
    with_autopay(build, ada)
    ada = db.session.get_one(Customer, ada.id)
    ada.email = ada.contacts[0].email = ""
    invoice = build.posted("80", customer=ada, term=NET_15)
    work()
    announced_and_due(invoice)

    assert state_of(invoice) is ChargeState.WAITING
    assert "no email address" in charges(invoice)[0].outcome
    assert charges_needing_somebody() == 1
    assert gateway_charges() == []


def test_turning_it_off_cancels_what_waits_and_takes_the_consent_back(build, ada):
    invoice, _method = planned(build, ada)
    in_transaction(lambda: turn_off(db.session.get_one(Customer, ada.id), because="Ada asked."))

    assert state_of(invoice) is ChargeState.CANCELLED
    autopay = autopay_row(ada)
    assert (autopay.active, autopay.stopped_because) == (False, "Ada asked.")
    assert autopay.consent.revoked_at is not None
    assert not turn_off(db.session.get_one(Customer, ada.id), because="again")
    with after(15):
        work()
    assert gateway_charges() == []


def test_turning_it_on_again_plans_what_is_still_open(build, ada):
    invoice, _method = planned(build, ada)
    in_transaction(lambda: turn_off(db.session.get_one(Customer, ada.id), because="Ada asked."))
    with after(1):
        in_transaction(
            lambda: turn_on(
                db.session.get_one(Customer, ada.id),
                AutopayWords(starts_on=date(2026, 3, 1)), GIVEN,
            )
        )  # fmt: skip
        work()

    assert [one.state for one in charges(invoice)] == [ChargeState.CANCELLED, ChargeState.WAITING]


def test_the_consent_is_kept_word_for_word(build, ada):
    with_autopay(build, ada, most=Money.of(500))
    consent = autopay_row(ada).consent

    assert (consent.kind, consent.given_by) == (ConsentKind.AUTOPAY, "Ada Lovelace")
    assert (consent.address, consent.agent) == ("192.0.2.7", "pytest")
    assert consent.created_at == clock.now()
    for words in ("on its due date", "never more than $500.00", "turn autopay off"):
        assert words in consent.text
    assert covers_office_charges(consent)
    consent.revoked_at = clock.now()
    assert not covers_office_charges(consent)
    assert not covers_office_charges(Consent(text="Keep my card."))


@pytest.mark.parametrize(
    ("language", "days", "words"),
    [
        ("en", 3, ("or 3 days after the message", "at least 3 days before")),
        ("en", 1, ("or a day after the message", "at least a day before")),
        ("en", 0, ("or right after the message", "may come on the same day")),
        ("es", 5, ("o 5 días después", "al menos 5 días antes")),
        ("fr", 0, ("ou juste après le message", "le jour même")),
    ],
)
def test_the_words_are_true_for_the_rules_of_the_moment(build, ada, language, days, words):
    build.saved_method(ada)
    change_rules(RuleWords(notice_days=days), version=collection_rules().version)
    text = consent_to(ada, AutopayWords(), language)

    assert [one for one in words if one not in text] == []


def test_other_terms_are_another_consent_and_the_old_one_ends(build, ada):
    with_autopay(build, ada)
    first = autopay_row(ada).consent_id
    in_transaction(
        lambda: turn_on(db.session.get_one(Customer, ada.id), AutopayWords(most=Money.of(9)), GIVEN)
    )

    assert autopay_row(ada).consent_id != first
    assert db.session.get_one(Consent, first, populate_existing=True).revoked_at is not None


def test_other_terms_keep_what_was_agreed_to_be_charged(build, ada):
    invoice, _method = planned(build, ada)
    with after(1):
        in_transaction(
            lambda: turn_on(
                db.session.get_one(Customer, ada.id), AutopayWords(most=Money.of(900)), GIVEN
            )
        )
        work()

    assert autopay_row(ada).starts_on == date(2026, 3, 2)
    assert [one.state for one in charges(invoice)] == [ChargeState.CANCELLED, ChargeState.WAITING]


def agree_to(ada, **words):
    in_transaction(
        lambda: turn_on(db.session.get_one(Customer, ada.id), AutopayWords(**words), GIVEN)
    )


def test_a_charge_a_person_called_off_does_not_come_back_with_other_terms(build, ada):
    invoice, _method = planned(build, ada)
    charge = charges(invoice)[0]
    cancel_planned(charge, version=charge.version, because="Ada pays by check.")
    with after(1):
        agree_to(ada, most=Money.of(900))
        work()

    assert [one.state for one in charges(invoice)] == [ChargeState.CANCELLED]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "expired in 03/2026. Please save another one."),
        ("es", "caducó en 03/2026. Guarde otro."),
        ("fr", "a expiré en 03/2026. Veuillez en enregistrer un autre."),
    ],
)
def test_the_customer_is_asked_to_save_another_method_in_their_language(build, language, words):
    ada = build.customer("Ada", email="ada@example.org", language=language)
    method = build.saved_method(ada)
    agree_to(ada, method_id=method.id)
    invoice = build.posted("80", customer=ada, term=NET_15)
    work()
    with after(12):
        work()
    db.session.get_one(SavedMethod, method.id).expires_on = date(2026, 3, 1)
    with after(30):
        work()

    assert state_of(invoice) is ChargeState.GIVEN_UP
    assert words in mails("charge failed")[0].body
    assert "Ask the customer" not in mails("charge failed")[0].body


@pytest.mark.parametrize("reason", REASONS, ids=lambda one: one.office[:30])
def test_every_reason_has_a_sentence_for_the_customer(reason):
    gaps = {"amount": "$5.00", "label": "Visa", "month": "03/2026"}
    for language in ("en", "es", "fr"):
        told = for_customer(reason.why(**gaps), language)
        assert told == getattr(reason, language).format(**gaps)
    assert for_customer("Somebody pays it at this moment.", "en").startswith("It could not be")


def test_agreeing_twice_to_the_same_terms_keeps_one_consent_and_what_waits(build, ada):
    invoice, _method = planned(build, ada, most=Money.of(900))
    consent_id = autopay_row(ada).consent_id
    with after(1):
        agree_to(ada, most=Money.of(900))
        work()

    assert autopay_row(ada).consent_id == consent_id
    assert autopay_row(ada).consent.revoked_at is None
    assert db.session.query(Consent).filter_by(kind=ConsentKind.AUTOPAY).count() == 1
    assert [one.state for one in charges(invoice)] == [ChargeState.WAITING]


def test_bad_input_to_autopay_is_refused_in_words(build, ada):
    with pytest.raises(DomainError, match="Save a card or a bank account first"):
        turn_on(ada, AutopayWords(), GIVEN)
    other = build.saved_method(build.customer("Bob"))
    with pytest.raises(DomainError, match="No such payment method"):
        turn_on(ada, AutopayWords(method_id=other.id), GIVEN)
    method = build.saved_method(ada)
    for amount in (ZERO, Money.of(-5)):
        with pytest.raises(InvalidFields, match="above zero"):
            turn_on(ada, AutopayWords(most=amount), GIVEN)
    with pytest.raises(Conflict, match="read it again"):
        turn_on(ada, AutopayWords(), GIVEN, seal=seal_of("something else"))
    method.expires_on = date(2026, 1, 31)
    with pytest.raises(DomainError, match="expired"):
        turn_on(ada, AutopayWords(), GIVEN)
    db.session.rollback()
    assert autopay_of(ada.id) is None


def test_what_was_shown_is_what_is_agreed_to(build, ada):
    build.saved_method(ada)
    words = AutopayWords(most=Money.of(10))
    shown = consent_to(ada, words, "en")
    assert turn_on(ada, words, GIVEN, seal=seal_of(shown)).consent.text == shown


def test_the_office_may_cancel_one_charge_and_try_one_again(build, ada):
    invoice, _method = planned(build, ada)
    charge = charges(invoice)[0]
    cancel_planned(charge, version=charge.version, because="Ada pays by check.")
    work()
    assert [one.state for one in charges(invoice)] == [ChargeState.CANCELLED]

    charge = charges(invoice)[0]
    anew = try_again_today(charge, version=charge.version)
    db.session.commit()
    run_waiting()
    assert db.session.get_one(PlannedCharge, anew.id, populate_existing=True).state == "succeeded"
    done = charges(invoice)[-1]
    with pytest.raises(DomainError, match="not over yet"):
        try_again_today(done, version=done.version)


def test_the_rules_decide_notice_and_retries(build, ada):
    in_transaction(
        lambda: change_rules(
            RuleWords(notice_days=0, retry_days="1"), version=collection_rules().version
        )
    )
    invoice, _method = planned(build, ada, "declined-card", term="")
    charge = charges(invoice)[0]
    assert (charge.state, charge.tries) == (ChargeState.FAILED, 1)  # announced and tried today
    with after(1):
        work()
    assert state_of(invoice) is ChargeState.GIVEN_UP


def test_a_charge_is_never_kept_without_its_try_being_noted(build, ada):
    """Two workers at once: the second finds the charge taken and keeps no attempt."""
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    with after(15):
        db.session.commit()
        charge_id = charges(invoice)[0].id
        db.session.rollback()
        look_at_charge(charge_id)
        look_at_charge(charge_id)
    assert len(gateway_charges()) == 1
    assert db.session.query(PaymentAttempt).count() == 1


def test_a_day_that_passed_while_it_was_held_is_announced_again(build, ada):
    invoice, _method = planned(build, ada)
    with after(12):
        work()
    unpost_invoice(db.session.get_one(Invoice, invoice.id), because="a mistake")
    for day in (15, 16):
        with after(day):
            work()
    with after(55):
        post_invoice(db.session.get_one(Invoice, invoice.id))
        work()
        work()
        assert (state_of(invoice), gateway_charges()) == (ChargeState.WAITING, [])
    first, second = mails("autopay notice")
    assert "March 17, 2026" in first.body
    assert "April 29, 2026" in second.body

    with after(57):
        work()
    assert gateway_charges() == []
    with after(58):
        work()
    assert state_of(invoice) is ChargeState.SUCCEEDED


def test_a_retry_that_was_held_past_its_day_is_announced_before_it_is_made(build, ada):
    invoice, _method = planned(build, ada, "declined-card")
    announced_and_due(invoice)
    payment = build.payment(ada, "10", db.session.get_one(Invoice, invoice.id))
    payment.disputed = True
    for day in (18, 19):
        with after(day):
            work()
    db.session.get_one(type(payment), payment.id).disputed = False
    with after(40):
        work()
        work()

    (charge,) = charges(invoice)
    assert (charge.tries, charge.next_try_on) == (1, date(2026, 4, 14))
    assert "$70.00" in mails("autopay notice")[-1].body
    with after(43):
        work()
    assert charges(invoice)[0].tries == 2


@pytest.mark.parametrize("plan_of", [offered, accepted])
def test_an_invoice_with_a_plan_is_neither_announced_nor_charged(build, ada, plan_of):
    invoice, _method = planned(build, ada)
    plan = plan_of(invoice, payments=3, first_on=date(2026, 5, 1))
    for day in (12, 15, 16):
        with after(day):
            work()
    assert mails("autopay notice") == gateway_charges() == []
    assert "payment plan" in charges(invoice)[0].outcome

    with after(20):
        withdraw_plan(db.session.get_one(type(plan), plan.id), because="Ada asked for it.")
        work()
        assert gateway_charges() == []
    with after(23):
        work()
    assert state_of(invoice) is ChargeState.SUCCEEDED
    assert len(mails("autopay notice")) == 1


def bounced(payment, *, on):
    payment = db.session.get_one(Payment, payment.id)
    return_payment(payment, ReturnReason.BOUNCED, on=on)
    db.session.commit()


def test_what_a_bounced_check_leaves_owed_is_planned_and_announced_anew(build, ada):
    invoice, _method = planned(build, ada)
    check = build.payment(ada, "80", db.session.get_one(Invoice, invoice.id))
    with after(15):
        work()
    assert [one.state for one in charges(invoice)] == [ChargeState.CANCELLED]
    with after(16):
        bounced(check, on=date(2026, 3, 18))
        work()
    assert charges(invoice)[-1].charge_on == date(2026, 3, 21)
    assert len(mails("autopay notice")) == 1
    with after(19):
        work()
    assert [one.state for one in charges(invoice)] == ["cancelled", "succeeded"]
    assert balance_of(invoice) == ZERO


def test_more_that_is_owed_after_a_charge_is_charged_by_another_notice(build, ada):
    invoice, _method = planned(build, ada)
    check = build.payment(ada, "30", db.session.get_one(Invoice, invoice.id))
    announced_and_due(invoice)
    assert [one.amount for one in payments()] == [Money.of(30), Money.of(50)]
    with after(16):
        bounced(check, on=date(2026, 3, 18))
        work()
    assert "$30.00" in mails("autopay notice")[-1].body
    with after(19):
        work()
        work()
    assert [one.state for one in charges(invoice)] == ["succeeded", "succeeded"]
    assert balance_of(invoice) == ZERO
    assert len(gateway_charges()) == 2


def test_what_was_given_up_is_not_planned_again_by_itself(build, ada):
    invoice, _method = planned(build, ada, most=Money.of(10))
    announced_and_due(invoice)
    with after(16):
        work()
    assert [one.state for one in charges(invoice)] == [ChargeState.GIVEN_UP]


def test_too_little_to_be_charged_is_announced_anew_with_what_is_owed(build, ada):
    invoice, _method = planned(build, ada)
    check = build.payment(ada, "79.40", db.session.get_one(Invoice, invoice.id))
    with after(12):
        work()
    assert "$0.60" in mails("autopay notice")[0].body
    with after(13):
        bounced(check, on=date(2026, 3, 15))
    with after(15):
        work()
        work()
        assert gateway_charges() == []
    assert "$80.00" in mails("autopay notice")[-1].body
    with after(18):
        work()
    assert [one.state for one in charges(invoice)] == [ChargeState.SUCCEEDED]
    assert balance_of(invoice) == ZERO


def test_whose_bank_disputed_the_charge_is_not_charged_again_by_itself(build, ada):
    invoice, _method = planned(build, ada)
    check = build.payment(ada, "30", db.session.get_one(Invoice, invoice.id))
    announced_and_due(invoice)
    charged = payments()[-1]
    db.session.add(
        Dispute(
            gateway="test", dispute_ref="dp_1", payment_id=charged.id, amount=charged.amount,
            state=DisputeState.LOST,
        )
    )  # fmt: skip
    with after(16):
        bounced(check, on=date(2026, 3, 18))
        work()
    assert [one.state for one in charges(invoice)] == [ChargeState.SUCCEEDED]
