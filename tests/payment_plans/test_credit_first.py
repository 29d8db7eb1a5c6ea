"""A plan and the customer's credit: used, never waited with, never what waits to go back."""

import pytest

from portal.db import db
from portal.invoices import kept_to
from portal.kernel.money import ZERO, Money
from portal.models import ChargeState, MethodState, PlanRhythm, PlanState, RefundEffect
from portal.payment_collection import approve_refund, give_back_or_ask, settle
from portal.payment_plans import paused_because
from portal.payment_plans.customer_words import paused_words
from portal.payments import apply_credit, credit_of, refund_reasons, sources_of_payment
from tests.payment_collection.money_back import limit_refunds, words
from tests.payment_collection.test_currencies import in_euros
from tests.payment_collection.test_settling import begin, press
from tests.payment_plans.plans import TODAY, accepted, in_days, look_on, told
from tests.payment_plans.test_charges import automatic, charge_now, charged, charges, work_on


def page_in_euros(invoice, amount):
    """A page the payer paid, in another currency than was asked for."""
    attempt_id, page = begin(invoice, Money.of(amount))
    press(page, "succeed")
    in_euros("charge")
    settle(attempt_id)
    db.session.commit()


def asked_back(build, payment):
    """All of its credit waits for a second person to let it go back."""
    limit_refunds("1")
    pays_out = [one for one in refund_reasons() if one.effect is RefundEffect.PAYS_OUT_CREDIT]
    source = sources_of_payment(payment)[0]
    asked = give_back_or_ask(
        source, words(build, source.limit.amount, pays_out[0].name),
        by=build.person("Olive"),
    )  # fmt: skip
    db.session.commit()
    return asked


def test_a_page_somebody_left_open_keeps_no_credit_from_being_used(build):
    plan = automatic(build, "100")
    begin(plan.shares[0].invoice, Money.of(5))
    build.payment(plan.customer, "60")
    work_on(TODAY)

    assert (credit_of(plan.customer_id), charged()) == (Money.of(35), [])
    assert told("plan credit used") == 1


def test_money_that_waits_for_a_person_pauses_the_plan_and_never_breaks_it(build, app):
    plan = automatic(build, "100")
    page_in_euros(plan.shares[0].invoice, "100")
    build.payment(plan.customer, "60")
    for day in (0, 4, 8, 30):
        work_on(in_days(day))

    assert (plan.state, charged(), credit_of(plan.customer_id)) == (
        PlanState.ACTIVE, [], Money.of(60)
    )  # fmt: skip
    assert kept_to([plan], on=in_days(30)) == {plan.id}
    assert "$100.00: the plan waits until somebody saw to it" in paused_because(plan)
    with app.test_request_context():
        assert "looking into a payment of $100.00" in paused_words(plan)
    assert told("plan missed") == 0


@pytest.mark.parametrize(
    ("credit", "ends"), [("25", PlanState.ACTIVE), ("24.99", PlanState.BROKEN)]
)
def test_a_plan_never_breaks_while_credit_covers_what_is_late(build, credit, ends):
    invoice = build.posted("100")
    plan = accepted(invoice, rhythm=PlanRhythm.MONTHLY)
    look_on(TODAY)
    build.payment(plan.customer, credit)
    look_on(in_days(10))

    assert (plan.state, credit_of(plan.customer_id)) == (ends, Money.of(credit))


def test_a_plan_leaves_credit_that_waits_to_go_back_alone(build):
    plan = automatic(build, "100")
    waiting = build.payment(plan.customer, "60")
    asked = asked_back(build, waiting)
    build.payment(plan.customer, "10")
    work_on(TODAY)

    assert credit_of(plan.customer_id) == Money.of(60)
    assert [str(one) for one in charged()] == ["$15.00"]
    assert waiting.unapplied == Money.of(60)
    approve_refund(asked, by=build.person("Anne"))
    assert credit_of(plan.customer_id) == ZERO


def test_credit_that_waits_to_go_back_is_not_offered_for_an_invoice(build, office):
    invoice = build.posted("100")
    payment = build.payment(invoice.customer, "60")
    page = f"/staff/invoices/{invoice.id}"
    assert "Use $60.00 for this invoice" in office.get(page).text
    asked_back(build, payment)

    assert "for this invoice" not in office.get(page).text
    assert (apply_credit(invoice, on=TODAY), payment.unapplied) == (ZERO, Money.of(60))


def test_a_second_use_of_the_same_amount_on_one_day_is_told_too(build):
    plan = automatic(build, "100")
    for times in (1, 2):
        build.payment(plan.customer, "10")
        look_on(TODAY)
        assert told("plan credit used") == times


def test_a_charge_that_is_under_way_forgets_why_it_waited(build, monkeypatch):
    plan = automatic(build, "100")
    plan.method.state, plan.method.is_primary = MethodState.REMOVED, False
    work_on(TODAY)
    (charge,) = charges()
    assert (charge.reason, bool(charge.reason_parts)) == ("removed", True)
    plan.method.state, plan.method.is_primary = MethodState.ACTIVE, True
    charge.state, charge.next_try_on, charge.claimed_until = ChargeState.WAITING, TODAY, None

    def dies(_attempt_id):
        raise SystemExit("killed")

    monkeypatch.setattr("portal.payment_collection.charging.carry_out", dies)
    with pytest.raises(SystemExit):
        charge_now()
    db.session.rollback()
    db.session.expire_all()

    assert (charge.state, charge.outcome) == (ChargeState.CHARGING, "")
    assert (charge.reason, charge.reason_parts) == ("", {})
