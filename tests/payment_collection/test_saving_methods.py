"""Saving a payment method: consent first, one method however it is reported, noticed when gone."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db, in_transaction
from portal.kernel import clock
from portal.kernel.errors import DomainError, NotFound, OutsideFailure
from portal.models import (
    AttemptPurpose,
    Autopay,
    Consent,
    ConsentKind,
    GatewayCustomer,
    Message,
    MethodSetup,
    MethodState,
    PaymentAttempt,
    SavedMethod,
    SetupState,
)
from portal.payment_collection import (
    ChargeWanted,
    ConsentGiven,
    SetupWanted,
    charge_method,
    detach_removed,
    due_setups,
    keep_event,
    keeping_words,
    make_primary,
    methods_of,
    methods_to_detach,
    primary_method,
    recheck_setup,
    remove_method,
    settle_setup,
    start_setup,
    tell_of_expiring,
)
from portal.payment_plans import withdraw_plan
from portal.tasks import look_at, run_waiting, sweep
from tests.payment_plans.test_charges import automatic


def gateway():
    return current_app.extensions["gateway"]


def begin(customer, **more):
    """Start saving a method; the setup's id and the gateway's page."""
    given = ConsentGiven(
        customer, ConsentKind.SAVE_METHOD, keeping_words("en"), "en", "Ada", "203.0.113.7", "Fox"
    )
    db.session.commit()
    url = start_setup(SetupWanted(given, "/my/x/", **more))
    setup_id = db.session.scalar(sa.select(sa.func.max(MethodSetup.id)))
    db.session.commit()
    return setup_id, url.rsplit("/", 1)[1]


def press(page, button):
    db.session.commit()  # the gateway is another system: nothing of ours is open meanwhile
    return gateway().press_setup(page, button)[1]


def save(customer, button="card", **more):
    setup_id, page = begin(customer, **more)
    press(page, button)
    settle_setup(setup_id)
    return db.session.get(MethodSetup, setup_id, populate_existing=True).method


def deliver(bodies):
    for body in bodies:
        keep_event(gateway().verify_event(body, gateway().sign(body)), body)
        db.session.commit()
    run_waiting()


def fresh(row):
    return db.session.get(type(row), row.id, populate_existing=True)


def test_the_exact_words_agreed_to_are_kept_with_who_when_and_from_where(build, monday):
    customer = build.customer()

    method = save(customer)

    consent = method.consent
    assert consent.text == keeping_words("en")
    assert "Acme Home Services" in consent.text
    assert (consent.given_by, consent.address, consent.agent) == ("Ada", "203.0.113.7", "Fox")
    assert (consent.created_at, consent.kind) == (monday, ConsentKind.SAVE_METHOD)
    assert method.label == "Visa •••• 4242"


def test_the_visit_is_written_down_before_the_gateway_hears_of_it(build, monkeypatch):
    seen = []
    real = gateway().know_payer

    def look(order):
        seen.append(db.session.scalars(sa.select(MethodSetup.public_id)).all())
        db.session.rollback()
        return real(order)

    monkeypatch.setattr(gateway(), "know_payer", look)
    begin(build.customer())

    assert len(seen[0]) == 1


def test_return_page_webhooks_and_janitor_save_one_method(build):
    setup_id, page = begin(build.customer())
    bodies = press(page, "card")

    deliver(bodies * 2)
    settle_setup(setup_id)
    recheck_setup(setup_id)

    assert len(db.session.scalars(sa.select(SavedMethod)).all()) == 1


def test_with_every_webhook_lost_the_janitor_finds_the_method(build, monday):
    setup_id, page = begin(build.customer())
    press(page, "bank")

    with clock.frozen(monday + timedelta(minutes=6)):
        assert list(due_setups()) == [setup_id]
        assert recheck_setup(setup_id) is SetupState.SUCCEEDED

    assert [one.kind for one in db.session.scalars(sa.select(SavedMethod))] == ["bank_debit"]


def test_the_first_method_is_the_primary_one_and_another_can_become_it(build):
    customer = build.customer()
    first, second = save(customer), save(customer, "bank")
    assert (first.is_primary, second.is_primary) == (True, False)

    in_transaction(lambda: make_primary(customer.id, second.id))

    assert primary_method(customer.id) == fresh(second)
    assert methods_of(customer) == [second, first]


def test_a_customer_is_introduced_to_the_gateway_once(build):
    customer = build.customer()
    save(customer)
    save(customer)

    assert len(db.session.scalars(sa.select(GatewayCustomer)).all()) == 1


def test_a_refused_method_may_be_tried_again_on_the_same_page(build):
    setup_id, page = begin(build.customer())
    press(page, "refuse")
    assert settle_setup(setup_id) is SetupState.OPEN

    press(page, "card")
    assert settle_setup(setup_id) is SetupState.SUCCEEDED


def test_a_page_nobody_used_is_expired(build, monday):
    setup_id, _page = begin(build.customer())

    with clock.frozen(monday + timedelta(hours=25)):
        assert recheck_setup(setup_id) is SetupState.EXPIRED
        assert list(due_setups()) == []


@pytest.mark.parametrize("call", ["know_payer", "open_setup"])
def test_a_lost_answer_to_opening_is_unknown_and_asked_again_with_the_same_key(
    build, monkeypatch, call
):
    real = getattr(gateway(), call)

    def lost(order):
        real(order)
        raise OutsideFailure("timed out")

    customer = build.customer()
    monkeypatch.setattr(gateway(), call, lost)
    with pytest.raises(DomainError, match="Nothing was saved"):
        begin(customer)
    monkeypatch.undo()
    setup = db.session.scalars(sa.select(MethodSetup)).one()
    assert setup.state is SetupState.UNKNOWN

    assert recheck_setup(setup.id) is SetupState.OPEN


def test_a_page_that_could_never_be_opened_is_given_up_after_a_day(build, monkeypatch, monday):
    def lost(order):
        raise OutsideFailure("timed out")

    customer = build.customer()
    monkeypatch.setattr(gateway(), "open_setup", lost)
    with pytest.raises(DomainError):
        begin(customer)
    setup = db.session.scalars(sa.select(MethodSetup)).one()

    with clock.frozen(monday + timedelta(hours=24)):
        assert recheck_setup(setup.id) is SetupState.EXPIRED


def test_another_customers_method_is_not_there(build):
    method, other = save(build.customer()), build.customer("Bob")
    with pytest.raises(NotFound):
        make_primary(other.id, method.id)
    other_id, method_id = other.id, method.id
    db.session.commit()
    with pytest.raises(NotFound):
        remove_method(other_id, method_id)


def remove(method):
    ids = method.customer_id, method.id
    db.session.commit()
    remove_method(*ids)
    return fresh(method)


def test_a_removed_method_is_detached_at_the_gateway_and_kept_as_evidence(build):
    method = save(build.customer())

    assert remove(method).state is MethodState.REMOVED
    ref = method.method_ref
    db.session.commit()
    assert not gateway().look_up_method(ref).usable
    assert db.session.scalars(sa.select(Consent)).one().revoked_at is not None


def test_removing_twice_is_the_same(build):
    method = save(build.customer())
    remove(method)
    assert remove(method).state is MethodState.REMOVED


def test_removing_the_primary_one_makes_the_next_one_primary(build):
    customer = build.customer()
    first, second = save(customer), save(customer)

    remove(first)

    assert primary_method(customer.id) == second


def autopay_on(customer, method=None):
    consent = Consent(customer=customer, kind=ConsentKind.AUTOPAY, text="Yes", given_by="Ada")
    row = Autopay(customer=customer, method=method, consent=consent, starts_on=date(2026, 3, 1))
    db.session.add(row)
    db.session.commit()
    return row


@pytest.mark.parametrize("named", [True, False], ids=["named", "as the primary one"])
def test_a_method_automatic_payments_need_is_not_removed(build, named):
    customer = build.customer()
    method = save(customer)
    autopay_on(customer, method if named else None)

    with pytest.raises(DomainError, match="used for automatic payments"):
        remove(method)


def test_what_charges_the_primary_one_goes_on_with_the_other_one(build):
    customer = build.customer()
    first, second = save(customer), save(customer)
    autopay_on(customer)

    remove(first)

    assert primary_method(customer.id) == second


def test_a_method_that_autopay_names_is_never_exchanged_for_another(build):
    customer = build.customer()
    first, _second = save(customer), save(customer)
    autopay = autopay_on(customer, first)

    with pytest.raises(DomainError, match="Change autopay first"):
        remove(first)

    assert fresh(autopay).method_id == first.id
    assert fresh(first).state is MethodState.ACTIVE


def test_a_method_that_an_active_plan_names_is_not_removed(build):
    plan = automatic(build, "100")
    build.saved_method(plan.customer, primary=False)

    with pytest.raises(DomainError, match="End the payment plan first"):
        remove(plan.method)

    assert fresh(plan).method_id == plan.method_id
    withdraw_plan(fresh(plan), because="You asked for it.")
    assert remove(plan.method).state is MethodState.REMOVED


def test_autopay_that_is_off_forgets_a_removed_method(build):
    customer = build.customer()
    method = save(customer)
    autopay = autopay_on(customer, method)
    autopay.active = False

    remove(method)

    assert fresh(autopay).method_id is None


def test_a_gateway_that_cannot_be_reached_removes_nothing(build, monkeypatch):
    method = save(build.customer())

    def silent(_ref):
        raise OutsideFailure("timed out")

    monkeypatch.setattr(gateway(), "forget_method", silent)
    with pytest.raises(DomainError, match="Nothing was removed"):
        remove(method)
    assert fresh(method).state is MethodState.ACTIVE


def at_its_bank(method, button):
    ref = method.method_ref
    db.session.commit()
    deliver(gateway().press_method(ref, button))
    return fresh(method)


@pytest.mark.parametrize("button", ["detach", "end-mandate"])
def test_a_method_that_ended_at_the_gateway_is_noticed_and_the_customer_told(build, button):
    method = save(build.customer(), "bank")

    assert at_its_bank(method, button).state is MethodState.GONE
    assert not method.is_primary
    mail = db.session.scalars(sa.select(Message).where(Message.kind == "payment method")).one()
    assert "Test Bank •••• 6789" in mail.body


def test_a_card_the_bank_renewed_is_good_for_longer(build):
    method = save(build.customer(), "expiring-card")
    assert method.expires_on == date(2026, 3, 31)

    assert at_its_bank(method, "renew").expires_on == date(2030, 3, 31)


def test_a_method_we_do_not_keep_is_none_of_our_business(app):
    deliver([b'{"id":"e1","type":"payment_method.detached","object":"pm_other"}'])
    assert db.session.scalars(sa.select(Message)).all() == []


def mails():
    return db.session.scalars(sa.select(Message).where(Message.kind == "payment method")).all()


def test_a_card_in_its_last_month_is_told_of_once(build):
    customer = build.customer()
    save(customer, "expiring-card")

    tell_of_expiring()
    tell_of_expiring()

    (mail,) = mails()
    assert "expires at the end of March 2026" in mail.body


def test_a_card_nobody_would_charge_is_not_told_of(build):
    customer = build.customer()
    save(customer)
    save(customer, "expiring-card")

    tell_of_expiring()

    assert mails() == []


def test_no_charge_begins_with_a_method_that_is_being_removed(build, monkeypatch):
    invoice = build.posted("80")
    method = build.saved_method(invoice.customer)
    wanted = ChargeWanted(
        invoice.customer_id, method.id, [(invoice.id, invoice.balance)], AttemptPurpose.OFFICE, "O"
    )
    db.session.commit()
    right, refused = gateway().forget_method, []

    def charge_meanwhile(ref):
        with pytest.raises(DomainError) as refusal:
            charge_method(wanted)
        refused.append(str(refusal.value))
        right(ref)

    monkeypatch.setattr(gateway(), "forget_method", charge_meanwhile)
    remove_method(wanted.customer_id, wanted.method_id)

    assert "was removed" in refused[0]
    assert db.session.scalars(sa.select(PaymentAttempt)).all() == []


def test_a_method_the_gateway_could_not_detach_is_kept_as_it_was(build, monkeypatch):
    customer = build.customer()
    method, other = (build.saved_method(customer, primary=first) for first in (True, False))
    ids = customer.id, method.id, other.id
    db.session.commit()

    def fail(_ref):
        raise OutsideFailure("The line is dead.")

    monkeypatch.setattr(gateway(), "forget_method", fail)
    with pytest.raises(DomainError, match="Nothing was removed"):
        remove_method(*ids[:2])

    kept = db.session.get(SavedMethod, ids[1], populate_existing=True)
    assert (kept.state, kept.is_primary, kept.consent.revoked_at) == (
        MethodState.ACTIVE,
        True,
        None,
    )


def test_a_method_whose_removal_was_interrupted_is_detached_by_the_sweep(build, monkeypatch):
    method = build.saved_method(build.customer())
    ids, ref = (method.customer_id, method.id), method.method_ref
    db.session.commit()
    with monkeypatch.context() as broken:
        broken.setattr(gateway(), "forget_method", dies)
        with pytest.raises(SystemExit):
            remove_method(*ids)
    db.session.rollback()
    assert list(methods_to_detach()) == [ids[1]]
    db.session.commit()

    for name, row_id in sweep():
        look_at(name, row_id)

    assert list(methods_to_detach()) == []
    assert db.session.get(SavedMethod, ids[1], populate_existing=True).detached_at is not None
    db.session.commit()
    assert not gateway().look_up_method(ref).usable


def dies(_ref):
    raise SystemExit("killed")


def test_what_the_sweep_detached_is_not_taken_back_by_who_could_not(build, monkeypatch):
    method = build.saved_method(build.customer())
    ids = method.customer_id, method.id
    db.session.commit()
    right = gateway().forget_method

    def slow(ref):
        monkeypatch.setattr(gateway(), "forget_method", right)
        detach_removed(ids[1])
        raise OutsideFailure("The line is dead.")

    monkeypatch.setattr(gateway(), "forget_method", slow)
    with pytest.raises(DomainError):
        remove_method(*ids)

    assert db.session.get(SavedMethod, ids[1], populate_existing=True).state is MethodState.REMOVED


def test_a_removed_method_is_not_detached_twice(build):
    method = save(build.customer())

    assert remove(method).detached_at is not None
    assert list(methods_to_detach()) == []
