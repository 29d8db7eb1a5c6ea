import pytest
import sqlalchemy as sa

from portal.company import company
from portal.db import db
from portal.invoices import (
    cancel_invoice,
    charge_interest,
    interest_problem,
    kept_to,
    plans_in_good_standing,
    post_invoice,
    start_credit_note,
    unpost_invoice,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO
from portal.kernel.numbers import Rate
from portal.models import (
    Message,
    PlanRhythm,
    PlanState,
)
from portal.payment_plans import (
    due_now,
    paused_because,
    shares_to_pay,
)
from portal.payments import ReturnReason, return_payment
from tests.payment_plans.plans import (
    TODAY,
    accepted,
    amounts,
    dollars,
    in_days,
    look_on,
    on_day,
    pay,
    told,
    weekly,
)


def test_what_is_paid_counts_for_the_oldest_instalment_first(build):
    plan = weekly(build)
    pay(build, plan.shares[0].invoice, "30")
    assert amounts(plan) == [
        ("$25.00", "$0.00", "paid"), ("$5.00", "$20.00", "planned"),
        ("$0.00", "$25.00", "planned"), ("$0.00", "$25.00", "planned"),
    ]  # fmt: skip
    assert amounts(plan, in_days(8))[1][2] == "missed"
    assert amounts(plan, in_days(7))[1][2] == "due"


def test_paying_ahead_and_too_much_keeps_the_plan(build):
    plan = weekly(build)
    payment = pay(build, plan.shares[0].invoice, "130")
    assert payment.unapplied == dollars("30")
    look_on(TODAY)
    assert (plan.state, plan.open) == (PlanState.KEPT, ZERO)
    assert told("plan kept") == 1
    look_on(in_days(1))
    assert told("plan kept") == 1


def test_a_bounced_payment_opens_its_instalment_again(build):
    plan = weekly(build)
    payment = pay(build, plan.shares[0].invoice, "25")
    assert amounts(plan)[0][2] == "paid"
    return_payment(payment, ReturnReason.BOUNCED, on=TODAY)
    assert amounts(plan, in_days(1))[0][2] == "missed"


def test_a_credit_note_during_the_plan_pays_the_oldest_instalments(build):
    invoice = build.posted("60", "40")
    plan = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    line = invoice.lines[1]
    post_invoice(start_credit_note(invoice, {line.id: line.quantity}, because="bad work"))
    assert plan.open == dollars("60")
    assert [one[2] for one in amounts(plan)] == ["paid", "planned", "planned", "planned"]


def test_reminded_once_three_days_before(build):
    plan = weekly(build, first_on=in_days(10))
    look_on(in_days(6))
    assert told("plan reminder") == 0
    look_on(in_days(7))
    look_on(in_days(7))
    look_on(in_days(8))
    assert told("plan reminder") == 1
    assert plan.instalments[0].reminded_at is not None


def test_missed_is_told_once_and_grace_days_later_the_plan_breaks(build):
    plan = weekly(build)
    look_on(TODAY)
    look_on(in_days(1))
    look_on(in_days(1))
    assert told("plan missed") == 1
    look_on(in_days(5))
    assert (plan.state, kept_to([plan], on=in_days(5))) == (PlanState.ACTIVE, {plan.id})
    look_on(in_days(6))
    assert plan.state is PlanState.BROKEN
    assert plan.ended_because == "Payment 1 of $25.00 was not paid."
    assert told("plan broken") == 1


def test_the_office_is_told_of_a_broken_plan(build):
    company().email = "office@acme.example"
    plan = weekly(build)
    look_on(TODAY)
    look_on(in_days(6))
    mails = db.session.scalars(
        sa.select(Message.subject).where(Message.recipient == "office@acme.example")
    ).all()
    assert f"Payment plan {plan.number} of Ada Lovelace is broken." in mails


def test_paid_within_the_days_of_grace_keeps_the_plan_alive(build):
    plan = weekly(build)
    look_on(TODAY)
    look_on(in_days(4))
    with on_day(in_days(5)):
        pay(build, plan.shares[0].invoice, "25", on=in_days(5))
    look_on(in_days(6))
    assert plan.state is PlanState.ACTIVE


def test_a_broken_plan_falls_back_to_the_invoices_own_due_date(build):
    invoice = build.posted("100", on=in_days(-40), term="Net 15")
    due = invoice.due_date
    accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    look_on(TODAY)
    look_on(in_days(6))
    assert (invoice.due_date, invoice.is_overdue(TODAY)) == (due, True)


def test_interest_pauses_while_the_plan_is_kept_to_and_comes_back_when_it_breaks(build):
    invoice = build.posted("100", on=in_days(-40), term="Net 15")
    plan = accepted(invoice, rhythm=PlanRhythm.WEEKLY)
    assert plans_in_good_standing([invoice.id], on=TODAY) == {invoice.id: plan}
    assert "no interest meanwhile" in interest_problem(invoice, on=TODAY)
    with pytest.raises(DomainError, match=plan.number):
        charge_interest(invoice, rate=Rate.percent("12"))
    assert interest_problem(invoice, on=in_days(6)) is None  # beyond grace: not kept to
    look_on(TODAY)
    look_on(in_days(6))
    with on_day(in_days(6)):
        assert charge_interest(invoice, rate=Rate.percent("12")).total > ZERO


def test_a_disputed_payment_pauses_the_plan_and_what_fell_due_is_reminded_of_first(build):
    plan = weekly(build, "200")
    invoice = plan.shares[0].invoice
    payment = pay(build, invoice, "50")
    payment.disputed = True
    look_on(in_days(20))
    assert "is disputed" in paused_because(plan)
    assert (plan.state, told("plan missed")) == (PlanState.ACTIVE, 0)
    payment.disputed = False
    look_on(in_days(20))
    assert (plan.state, told("plan missed")) == (PlanState.ACTIVE, 2)
    look_on(in_days(26))
    assert plan.state is PlanState.BROKEN


def test_an_unposted_invoice_pauses_the_plan_until_it_is_final_again(build):
    plan = weekly(build)
    invoice = plan.shares[0].invoice
    unpost_invoice(invoice, because="Wrong price")
    look_on(in_days(10))
    assert "is being corrected" in paused_because(plan)
    assert plan.state is PlanState.ACTIVE
    post_invoice(invoice)
    look_on(in_days(10))
    assert (paused_because(plan), told("plan missed")) == ("", 2)


def test_a_voided_invoice_is_no_longer_owed(build):
    plan = weekly(build)
    invoice = plan.shares[0].invoice
    unpost_invoice(invoice, because="Never done")
    cancel_invoice(invoice, because="never done")
    look_on(TODAY)
    assert (plan.open, plan.state) == (ZERO, PlanState.KEPT)


def test_the_next_payment_is_what_is_due_else_the_next_instalment(build):
    plan = weekly(build)
    assert due_now(plan, TODAY) == dollars("25")
    assert due_now(plan, in_days(7)) == dollars("50")
    pay(build, plan.shares[0].invoice, "25")
    assert due_now(plan, TODAY) == dollars("25")  # ahead: the next one


def test_a_payment_is_laid_out_over_the_oldest_invoices(build):
    customer = build.customer()
    old = build.posted("30.50", customer=customer, on=in_days(-60), term="Net 15")
    new = build.posted("69.50", customer=customer, on=in_days(-1), term="Net 15")
    plan = accepted(new, old, payments=2)
    assert shares_to_pay(plan, dollars("50")) == [
        (old.id, dollars("30.50")), (new.id, dollars("19.50")),
    ]  # fmt: skip
    assert shares_to_pay(plan, dollars("31")) == [
        (old.id, dollars("30")), (new.id, dollars("1")),  # the least one can pay online
    ]  # fmt: skip
