from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.audit import acting_as, trail_of
from portal.db import db
from portal.invoices import cancel_invoice, unpost_invoice
from portal.kernel.errors import Conflict, DomainError, InvalidFields, InvalidTransition, NotFound
from portal.kernel.money import Money
from portal.models import ConsentKind, Message, PlanRhythm, PlanState
from portal.payment_collection import RuleWords, change_rules, collection_rules
from portal.payment_plans import (
    PlanTerms,
    accept_plan,
    ask_for_plan,
    changes_since_offer,
    decline_plan,
    look_after_plans,
    preview_plan,
    propose,
    shares_to_pay,
    terms_text,
    withdraw_plan,
)
from tests.payment_plans.plans import (
    TODAY,
    accepted,
    agreed,
    bob,
    in_days,
    look_on,
    offered,
    on_day,
    pay,
)


def kinds_told(plan):
    query = sa.select(Message.kind).where(
        Message.subject_kind == "paymentplan", Message.subject_id == plan.id
    )
    return sorted(set(db.session.scalars(query)))


def test_an_offer_is_told_and_binds_nobody(build):
    plan = offered(build.posted("1000"))
    assert plan.state is PlanState.PROPOSED
    assert [str(one.amount) for one in plan.instalments] == ["$250.00"] * 4
    assert plan.offer_ends_on == TODAY
    assert kinds_told(plan) == ["plan proposed"]


def test_accepting_keeps_the_very_words_with_language_address_and_agent(build):
    plan = offered(build.posted("1000"))
    accept_plan(plan, agreed(plan, address="203.0.113.7", agent="Firefox"))

    assert plan.state is PlanState.ACTIVE
    kept = plan.consent
    assert (kept.kind, kept.language, kept.given_by, kept.address, kept.agent) == (
        ConsentKind.PAYMENT_PLAN, "en", "ada@example.org", "203.0.113.7", "Firefox",
    )  # fmt: skip
    assert "$250.00" in kept.text
    assert "the plan ends by itself" in kept.text
    assert kinds_told(plan) == ["plan accepted", "plan proposed"]


@pytest.mark.parametrize("reachable", [True, False])
def test_who_acts_learns_whether_a_mail_goes_out(build, reachable):
    customer = bob(build, reachable=reachable)
    first, second, third = (offered(build.posted("90", customer=customer)) for _ in range(3))
    told = [accept_plan(first, agreed(first))]
    told += [withdraw_plan(one, because="Mistake.") for one in (first, second)]
    told += [decline_plan(third, because="No.")]
    assert told == [reachable] * 4


@pytest.mark.parametrize(("language", "words"), [
    ("en", "agree that $1,000.00 is paid in 4 payments"),
    ("es", "el plan termina por sí solo"), ("fr", "le plan prend fin de lui-même"),
    ("de", "agree that"),
])  # fmt: skip
def test_the_terms_are_said_in_full_in_three_languages(build, language, words):
    assert words in terms_text(offered(build.posted("1000")), language)


def test_of_two_who_accept_at_once_the_second_is_told(build):
    plan = offered(build.posted("1000"))
    accept_plan(plan, agreed(plan))
    with pytest.raises(InvalidTransition, match="already active"):
        accept_plan(plan, agreed(plan))


def test_a_payment_between_offer_and_acceptance_is_named(build):
    invoice = build.posted("1000")
    plan = offered(invoice)
    pay(build, invoice, "100")
    with pytest.raises(Conflict, match=r"had \$1,000.00 to pay .* and has \$900.00 now"):
        accept_plan(plan, agreed(plan))


def test_an_invoice_unposted_or_cancelled_meanwhile_refuses(build):
    invoice = build.posted("1000")
    plan = offered(invoice)
    unpost_invoice(invoice, because="Wrong price")
    assert changes_since_offer(plan) == [f"We are still working on invoice {invoice.number}."]
    cancel_invoice(invoice, because="never done")
    with pytest.raises(Conflict, match="is cancelled"):
        accept_plan(plan, agreed(plan))


def test_a_dispute_between_offer_and_acceptance_refuses(build):
    invoice = build.posted("1000")
    payment = pay(build, invoice, "100")
    plan = offered(invoice)
    payment.disputed = True
    with pytest.raises(Conflict, match="is disputed"):
        accept_plan(plan, agreed(plan))


def test_an_offer_that_ended_refuses_and_is_taken_back_by_the_clock(build):
    plan = offered(build.posted("1000"), first_on=in_days(30))
    assert plan.offer_ends_on == in_days(14)
    with on_day(in_days(15)), pytest.raises(Conflict, match=r"This offer ended on Mar 16, 2026"):
        accept_plan(plan, agreed(plan))
    look_on(in_days(14))
    assert plan.state is PlanState.PROPOSED
    look_on(in_days(15))
    assert plan.state is PlanState.WITHDRAWN
    assert not any(share.live for share in plan.shares)


def test_terms_that_changed_while_somebody_read_them_are_read_again(build):
    plan = offered(build.posted("1000"))
    seen = agreed(plan)
    offered(plan.shares[0].invoice, plan=plan, payments=3)
    with pytest.raises(Conflict, match="The terms changed since you opened this page"):
        accept_plan(plan, seen)
    accept_plan(plan, agreed(plan))
    assert len(plan.instalments) == 3


def test_an_automatic_plan_needs_something_to_charge(build):
    plan = offered(build.posted("1000"), automatic=True)
    with pytest.raises(InvalidFields, match="choose a saved card or bank account"):
        accept_plan(plan, agreed(plan))


def test_a_plan_on_a_disputed_invoice_is_refused(build):
    invoice = build.posted("1000")
    pay(build, invoice, "100").disputed = True
    with pytest.raises(DomainError, match=r"is disputed\. No plan is agreed until"):
        offered(invoice)
    with pytest.raises(DomainError, match="is disputed"):
        ask_for_plan(invoice.customer, [invoice], rhythm=PlanRhythm.WEEKLY, asked_by="Ada")
    assert propose(invoice.customer, on=TODAY) is None


def test_an_invoice_is_on_one_live_plan_only(build):
    invoice = build.posted("1000")
    plan = accepted(invoice)
    with pytest.raises(DomainError, match=f"is on payment plan {plan.number} already"):
        offered(invoice)
    withdraw_plan(plan, because="Agreed otherwise on the phone.")
    assert offered(invoice).state is PlanState.PROPOSED


def test_a_draft_another_customers_and_a_paid_invoice_are_refused(build):
    with pytest.raises(DomainError, match="is not posted yet"):
        offered(build.invoice("50"))
    with pytest.raises(DomainError, match="belong to another customer"):
        offered(build.posted("50"), build.posted("60"))
    paid = build.posted("50")
    pay(build, paid, "50")
    with pytest.raises(DomainError):
        offered(paid)


def test_another_customers_plan_is_neither_answered_nor_replaced(build):
    mine, theirs = build.posted("50"), build.posted("60")
    other = offered(theirs)
    for words in ({"plan": other}, {"replaces": other}):
        with pytest.raises(NotFound):
            offered(mine, **words)
        with pytest.raises(NotFound):
            preview_plan(mine.customer, PlanTerms([mine], 2, PlanRhythm.WEEKLY, TODAY), **words)


def test_a_plan_with_another_customers_invoice_is_neither_accepted_nor_charged(build):
    plan = offered(build.posted("60"))
    plan.shares[0].invoice = build.posted("60")
    db.session.flush()
    with pytest.raises(DomainError, match="cannot be agreed any more"):
        accept_plan(plan, agreed(plan))
    assert plan.state is PlanState.PROPOSED
    with pytest.raises(DomainError, match="covers another customer's invoice"):
        shares_to_pay(plan, Money.of(15))


def test_more_than_is_owed_is_refused_and_less_covers_the_oldest_first(build):
    customer = build.customer()
    old = build.posted("600", customer=customer, on=in_days(-60), term="Net 15")
    new = build.posted("400", customer=customer, on=in_days(-1), term="Net 15")
    with pytest.raises(InvalidFields, match=r"Only \$1,000.00 is owed"):
        offered(old, new, amount=Money.of(1001))
    plan = offered(new, old, amount=Money.of(800))
    assert {(one.invoice.id, str(one.amount)) for one in plan.shares} == {
        (old.id, "$600.00"), (new.id, "$200.00"),
    }  # fmt: skip


def test_a_consumer_gets_no_fifth_payment_until_an_administrator_declares_it(build):
    invoice, boss = build.posted("1000"), build.person()
    with pytest.raises(DomainError, match="at most 4 payments"):
        offered(invoice, payments=5)
    rules = RuleWords(plan_most_payments=6, lawful_process=True)
    change_rules(rules, version=1, by=boss)
    assert len(offered(invoice, payments=5).instalments) == 5


def test_only_an_administrator_declares_and_it_is_kept_who_and_when(build):
    rules = RuleWords(plan_most_payments=6, lawful_process=True)
    with pytest.raises(DomainError, match="Only an administrator"):
        change_rules(rules, version=1, by=build.person("Acc", role="Accountant"))
    boss = build.person("Ann Boss")
    with acting_as("Ann Boss"):
        change_rules(rules, version=1, by=boss)
    row = collection_rules()
    assert (row.lawful_process_by, row.lawful_process_at is not None) == ("Ann Boss", True)
    assert "changed" in [one.verb for one in trail_of(row)]


def test_a_wish_is_answered_by_an_offer_or_with_words(build):
    invoice = build.posted("1000")
    wish = ask_for_plan(
        invoice.customer, [invoice], rhythm=PlanRhythm.WEEKLY, asked_by="ada@example.org",
        note="Winter was hard.",
    )  # fmt: skip
    assert wish.state is PlanState.ASKED
    with pytest.raises(InvalidFields, match="Say why"):
        decline_plan(wish, because=" ")
    answered = offered(invoice, plan=wish, rhythm=PlanRhythm.WEEKLY)
    assert (answered.id, answered.state) == (wish.id, PlanState.PROPOSED)
    decline_plan(answered, because="", by_customer=True)
    assert answered.state is PlanState.DECLINED
    assert not any(share.live for share in answered.shares)


@pytest.mark.parametrize(("language", "refused", "taken_back"), [
    ("en", "we cannot offer you the payment plan for $90.00", "we have taken back our offer"),
    ("es", "No podemos ofrecerle el plan", "Hemos retirado nuestra oferta"),
    ("fr", "Nous ne pouvons pas vous proposer", "Nous avons retiré notre offre"),
])  # fmt: skip
def test_a_wish_refused_and_an_offer_taken_back_have_letters_of_their_own(
    build, language, refused, taken_back
):
    customer = build.customer("Bob", language=language)
    wish = ask_for_plan(
        customer, [build.posted("90", customer=customer)], rhythm=PlanRhythm.WEEKLY, asked_by="Bob"
    )
    decline_plan(wish, because="Not now.")
    offer = offered(build.posted("90", customer=customer))
    withdraw_plan(offer, because="Mistake.")
    for plan, kind, words in (
        (wish, "plan declined", refused), (offer, "plan withdrawn", taken_back),
    ):  # fmt: skip
        query = sa.select(Message.body).where(
            Message.subject_kind == "paymentplan", Message.subject_id == plan.id,
            Message.kind == kind,
        )  # fmt: skip
        assert words in db.session.scalars(query).one()


@pytest.mark.parametrize(("language", "words"), [
    ("en", "yourself by its day;"), ("es", "a más tardar en su día;"),
    ("fr", "au plus tard à sa date ;"),
])  # fmt: skip
def test_an_instalment_is_paid_by_its_day(build, language, words):
    assert words in terms_text(offered(build.posted("1000")), language)


def test_a_proposal_says_why_and_is_the_same_every_time(build):
    customer = build.customer()
    for month in (5, 4, 3):
        paid = build.posted("200", customer=customer, on=in_days(-30 * month), term="Net 15")
        build.payment(customer, "200", paid, on=in_days(-30 * month + 35))
    build.posted("700", customer=customer, on=in_days(-60), term="Net 30")
    first, second = propose(customer, on=TODAY), propose(customer, on=TODAY)
    assert first == second
    assert (first.payments, first.rhythm, str(first.amount)) == (4, PlanRhythm.MONTHLY, "$700.00")
    assert "A typical payment was $200.00: 4 of them cover it." in first.reasons
    assert "Invoices were typically paid 20 days late." in first.reasons
    assert Money.total(one.amount for one in first.instalments) == first.amount


def test_a_proposal_keeps_every_guard_rail(build):
    change_rules(RuleWords(plan_longest_days=30, plan_least_amount=Money.of(100)), version=1)
    customer = build.customer()
    build.posted("350", customer=customer, on=in_days(-90), term="Net 15")
    found = propose(customer, on=TODAY)
    assert offered(*found.invoices, payments=found.payments, rhythm=found.rhythm,
                   first_on=found.first_on).state is PlanState.PROPOSED  # fmt: skip
    assert found.first_on == in_days(3)  # the debt is old
    assert found.instalments[-1].due_on <= TODAY + timedelta(days=30)
    assert found.instalments[-1].amount >= Money.of(100)


def test_looking_after_plans_with_none_does_nothing(build):
    look_after_plans()
