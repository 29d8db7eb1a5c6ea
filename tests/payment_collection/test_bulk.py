"""Bulk charge: who is left out and why, what was shown is what is charged, once, stoppable."""

from io import BytesIO

import pytest
from openpyxl import load_workbook

from portal.db import db, in_transaction
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import (
    ChargeRun,
    ChargeRunState,
    ChargeState,
    Consent,
    Customer,
    Invoice,
    PlannedCharge,
    SavedMethod,
)
from portal.payment_collection import (
    OFFICE_MAY_CHARGE,
    AutopayWords,
    CheckoutWanted,
    charges_needing_somebody,
    figures_of_charge_runs,
    look_at_charge_run,
    outcomes_workbook,
    preview_charges,
    start_charge_run,
    start_checkout,
    stop_charge_run,
    turn_on,
    waiting_charge_runs,
)
from tests.conftest import count_statements
from tests.payment_collection.planned import (
    GIVEN,
    after,
    balance_of,
    gateway_charges,
    mails,
    payments,
    with_autopay,
    work,
)


def may_be_charged(build, customer, behaviour="card"):
    """A saved method whose consent lets the office charge it."""
    method = build.saved_method(customer, behaviour)
    consent = db.session.get_one(Consent, method.consent_id)
    consent.text = f"Keep my card. {OFFICE_MAY_CHARGE['en']}"
    db.session.commit()
    return method


def owing(build, amount="80", name="Ada", behaviour="card"):
    customer = build.customer(name)
    invoice = build.posted(amount, customer=customer)
    may_be_charged(build, customer, behaviour)
    return invoice


def start(*invoices):
    ids = [one.customer_id for one in invoices]
    preview = preview_charges(ids)
    return in_transaction(lambda: start_charge_run(ids, seal=preview.seal, by=None).id)


def rows(run_id):
    query = db.select(PlannedCharge).where(PlannedCharge.run_id == run_id)
    return db.session.scalars(
        query.order_by(PlannedCharge.id).execution_options(populate_existing=True)
    ).all()


def run_of(run_id):
    return db.session.get_one(ChargeRun, run_id, populate_existing=True)


def figures(run_id):
    return figures_of_charge_runs([run_of(run_id)])[run_id]


def test_everybody_is_charged_what_they_owe_in_one_payment(build):
    ada = owing(build)
    more = build.posted("20", customer=ada.customer)
    bob = owing(build, "5", "Bob")
    db.session.commit()
    run_id = start(ada, bob)

    work()

    assert [one.amount for one in payments()] == [Money.of(100), Money.of(5)]
    assert (balance_of(ada), balance_of(more), balance_of(bob)) == (ZERO, ZERO, ZERO)
    assert run_of(run_id).state is ChargeRunState.DONE
    assert [one.state for one in rows(run_id)] == [ChargeState.SUCCEEDED] * 2
    assert (figures(run_id).succeeded, figures(run_id).charged) == (2, Money.of(105))


def reason_of(customer):
    preview = preview_charges([customer.id])
    assert preview.ready == []
    return preview.left_out[0].reason


def test_each_who_is_left_out_has_a_reason_in_words(build):
    owed = owing(build)
    credit = owing(build, name="Credit")
    build.payment(credit.customer, "7")
    bare = build.posted("80").customer
    silent = build.posted("80").customer
    build.saved_method(silent)
    disputed = owing(build, name="Disputed")
    build.payment(disputed.customer, "10", disputed).disputed = True
    paying = owing(build, name="Paying")
    db.session.commit()
    start_checkout(CheckoutWanted([(paying.id, paying.balance)], "x", "/x/"))
    nothing = owing(build, name="Nothing")
    build.payment(nothing.customer, "80", nothing)
    expired = owing(build, name="Expired")
    method = db.session.query(SavedMethod).filter_by(customer_id=expired.customer_id).one()
    method.expires_on = build.today.replace(month=1)
    db.session.commit()

    assert "$7.00 in credit" in reason_of(credit.customer)
    assert reason_of(bare) == "No payment method is on file."
    assert reason_of(silent) == "They have not agreed to be charged by the office."
    assert reason_of(disputed.customer) == "Their bank disputes a payment."
    assert reason_of(paying.customer) == "A payment of theirs is under way."
    assert reason_of(nothing.customer) == "Nothing is owed."
    assert "expired in 01/2026" in reason_of(expired.customer)
    assert [one.customer.id for one in preview_charges([owed.customer_id]).ready] == [
        owed.customer_id
    ]


def test_a_payment_plan_leaves_its_customer_out(build):
    from portal.models import PaymentPlan, PlanRhythm, PlanState

    invoice = owing(build)
    db.session.add(
        PaymentPlan(
            customer_id=invoice.customer_id, state=PlanState.ACTIVE, rhythm=PlanRhythm.MONTHLY,
            amount=Money.of(80),
        )
    )  # fmt: skip
    db.session.commit()
    assert reason_of(invoice.customer) == "They have a payment plan."


def test_autopays_consent_lets_the_office_charge_too(build):
    customer = build.customer("Ada")
    build.posted("80", customer=customer)
    with_autopay(build, customer)
    assert len(preview_charges([customer.id]).ready) == 1


def test_by_autopays_consent_nobody_is_charged_above_its_bound(build):
    customer = build.customer("Ada")
    build.posted("80", customer=customer)
    with_autopay(build, customer, most=Money.of(100))
    preview = preview_charges([customer.id])
    run_id = in_transaction(lambda: start_charge_run([customer.id], seal=preview.seal, by=None).id)
    build.posted("20.01", customer=customer)
    db.session.commit()
    look_at_charge_run(run_id)

    (row,) = rows(run_id)
    assert (row.state, gateway_charges()) == (ChargeState.CANCELLED, [])
    assert "more than the $100.00" in row.outcome
    assert "more than the $100.00" in reason_of(db.session.get_one(Customer, customer.id))


def test_the_methods_own_consent_has_no_bound(build):
    invoice = owing(build)
    ada = db.session.get_one(Customer, invoice.customer_id)
    in_transaction(lambda: turn_on(ada, AutopayWords(most=Money.of(10)), GIVEN))
    assert len(preview_charges([invoice.customer_id]).ready) == 1


def test_pending_invoices_are_not_charged(build):
    invoice = owing(build)
    draft = build.invoice("50", customer=invoice.customer)
    db.session.commit()
    assert preview_charges([invoice.customer_id]).total == Money.of(80)
    work()
    assert balance_of(draft) == Money.of(50)


def test_other_amounts_than_shown_are_asked_about_again(build):
    invoice = owing(build)
    seal = preview_charges([invoice.customer_id]).seal
    build.posted("1", customer=invoice.customer)
    db.session.commit()

    with pytest.raises(DomainError, match="has changed since it was shown"):
        start_charge_run([invoice.customer_id], seal=seal, by=None)
    with pytest.raises(DomainError, match="Nobody of them can be charged"):
        start_charge_run([], seal="0-0", by=None)


def test_less_is_charged_when_less_is_owed_by_then_and_never_more(build):
    ada, bob = owing(build), owing(build, "50", "Bob")
    run_id = start(ada, bob)
    build.payment(ada.customer, "30", db.session.get_one(Invoice, ada.id))
    build.posted("900", customer=db.session.get_one(Customer, bob.customer_id))
    db.session.commit()

    look_at_charge_run(run_id)

    assert sorted(one.amount for one in gateway_charges()) == [Money.of(50), Money.of(50)]


def test_whoever_paid_meanwhile_is_not_charged(build):
    ada = owing(build)
    run_id = start(ada)
    build.payment(ada.customer, "80", db.session.get_one(Invoice, ada.id))
    db.session.commit()

    look_at_charge_run(run_id)

    (row,) = rows(run_id)
    assert (row.state, row.outcome) == (ChargeState.CANCELLED, "Nothing is owed any more.")
    assert gateway_charges() == []


def test_a_refused_card_is_told_and_not_tried_again(build):
    ada = owing(build, behaviour="declined-card")
    run_id = start(ada)
    work()
    with after(10):
        work()

    (row,) = rows(run_id)
    assert (row.state, row.outcome) == (ChargeState.GIVEN_UP, "The card was declined.")
    assert charges_needing_somebody() == 1
    assert figures(run_id).failed == 1
    (mail,) = mails("charge failed")
    for words in ("The card was declined.", "/my/payment-methods", "/pay/"):
        assert words in mail.body
    assert len(gateway_charges("failed")) == 1


def test_a_bank_debit_is_on_its_way_when_the_run_is_done(build):
    run_id = start(owing(build, behaviour="bank"))
    work()

    assert run_of(run_id).state is ChargeRunState.DONE
    assert figures(run_id).on_its_way == 1
    assert payments() == []


def test_a_stopped_run_charges_nobody_else(build, monkeypatch):
    first, second = owing(build), owing(build, name="Bob")
    run_id = start(first, second)
    from portal.payment_collection import bulk

    real = bulk.carry_out_planned

    def stops_after(charge_id):
        real(charge_id)
        in_transaction(lambda: stop_charge_run(run_of(run_id)))

    monkeypatch.setattr(bulk, "carry_out_planned", stops_after)
    look_at_charge_run(run_id)

    states = {one.customer_id: one.state for one in rows(run_id)}
    assert sorted(states.values()) == ["cancelled", "succeeded"]
    assert run_of(run_id).state is ChargeRunState.STOPPED
    assert len(gateway_charges()) == 1
    with pytest.raises(DomainError, match="over already"):
        stop_charge_run(run_of(run_id))
    db.session.rollback()


@pytest.mark.parametrize("place", ["before the attempt", "after the attempt", "after the charge"])
def test_a_killed_worker_is_taken_over_and_nobody_is_charged_twice(build, monkeypatch, place):
    invoices = [owing(build, name=name) for name in ("Ada", "Bob", "Cyd")]
    run_id = start(*invoices)
    from portal.payment_collection import charging, planned

    class Killed(BaseException):
        pass

    where, name = {
        "before the attempt": (planned, "charge_method"),
        "after the attempt": (charging, "carry_out"),
        "after the charge": (planned, "note_outcome"),
    }[place]
    real, calls = getattr(where, name), []

    def dies_the_second_time(*args, **more):
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return real(*args, **more)

    monkeypatch.setattr(where, name, dies_the_second_time)
    with pytest.raises(Killed):
        look_at_charge_run(run_id)
    db.session.rollback()
    monkeypatch.undo()
    assert list(waiting_charge_runs()) == []  # its lease has not run out
    for hours in (1, 3):
        with after(0, hours=hours):
            work()

    assert run_of(run_id).state is ChargeRunState.DONE
    assert [one.state for one in rows(run_id)] == [ChargeState.SUCCEEDED] * 3
    assert len(gateway_charges()) == len(payments()) == 3


def test_two_workers_on_one_run_charge_each_once(build):
    run_id = start(owing(build), owing(build, name="Bob"))
    look_at_charge_run(run_id)
    look_at_charge_run(run_id)
    assert len(gateway_charges()) == 2


def test_two_runs_at_once_charge_a_customer_once(build):
    ada = owing(build)
    first = start(ada)
    assert "under way" in reason_of(db.session.get_one(Customer, ada.customer_id))
    # somebody pressed in the same moment: a second run exists all the same
    second = in_transaction(lambda: _run_without_looking(ada))
    look_at_charge_run(second)
    look_at_charge_run(first)

    assert len(gateway_charges()) == 1
    assert sorted(one.state for one in [*rows(first), *rows(second)]) == ["cancelled", "succeeded"]


def _run_without_looking(invoice):
    run = ChargeRun(rows_total=1)
    db.session.add(run)
    db.session.flush()
    db.session.add(
        PlannedCharge(
            customer_id=invoice.customer_id, source="bulk", run_id=run.id,
            amount=Money.of(80), charge_on=invoice.invoice_date,
        )
    )  # fmt: skip
    db.session.flush()
    return run.id


def test_the_outcomes_are_a_workbook(build):
    ada, bob = owing(build), owing(build, name="=Bob()", behaviour="declined-card")
    left = build.posted("9", customer=build.customer("Cyd"))
    db.session.commit()
    run_id = start(ada, bob, left)
    work()

    with outcomes_workbook(run_of(run_id)) as file:
        book = load_workbook(BytesIO(file.read()))
    table = [[cell.value for cell in row] for row in book["Charges"].rows]
    assert table[1][1:5] == [80, 0, "given up", "The card was declined."]
    assert table[1][0] == "=Bob()"
    assert table[2][:5] == ["Ada", 80, 80, "succeeded", "$80.00 received."]
    assert [cell.value for cell in list(book["Left out"].rows)[1]] == [
        "Cyd", "No payment method is on file."
    ]  # fmt: skip


def test_the_preview_asks_the_same_number_of_questions_for_many(build):
    one = [owing(build, name=f"A{n}").customer_id for n in range(2)]
    many = one + [owing(build, name=f"B{n}").customer_id for n in range(5)]
    db.session.commit()
    counts = []
    for ids in (one, many):
        db.session.expire_all()
        db.session.rollback()
        preview_charges(ids)  # once for what is kept, e.g. the company
        with count_statements() as statements:
            preview_charges(ids)
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("chunk", "readings"), [(200, 3), (2, 4)])
def test_what_waits_is_read_a_chunk_at_a_time(build, monkeypatch, chunk, readings):
    from portal.payment_collection import bulk

    run_id = start(*[owing(build, name=name) for name in ("Ada", "Bob", "Cyd")])
    real, calls = bulk._waiting_ids, []
    monkeypatch.setattr(bulk, "CHUNK", chunk)
    monkeypatch.setattr(
        bulk, "_waiting_ids", lambda *args, **more: calls.append(1) or real(*args, **more)
    )
    look_at_charge_run(run_id)

    assert run_of(run_id).state is ChargeRunState.DONE
    assert len(gateway_charges()) == 3
    assert len(calls) == readings  # the chunks, the empty one, and once more before the end


def test_an_autopay_that_names_another_method_lets_nobody_charge_the_primary_one(build):
    customer = build.customer("Ada")
    invoice = build.posted("80", customer=customer)
    build.saved_method(customer)
    named = build.saved_method(customer, primary=False)
    in_transaction(lambda: turn_on(db.session.get_one(Customer, customer.id),
                                   AutopayWords(method_id=named.id), GIVEN))  # fmt: skip

    (row,) = preview_charges([invoice.customer_id]).left_out
    assert row.reason.startswith("They agreed to charges of Visa •••• 4242 only;")
