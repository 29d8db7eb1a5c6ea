"""A run from looking to charging: what is proposed, what a rule forbids, and never twice."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.db import PageRequest, db, insert_once
from portal.invoices import charge_interest, post_invoice
from portal.kernel import clock
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.late_fees import (
    FeeWords,
    ItemFilter,
    charge_run,
    exempt,
    items_of,
    leave_out,
    look_at_fee_run,
    rule_of,
    rule_words,
    save_rule,
    set_limit,
    start_fee_run,
    stop_fee_run,
    sums_of,
    take_back_fee,
    waiting_fee_runs,
)
from portal.late_fees.finding import judge
from portal.models import (
    CollectionStanding,
    FeeBase,
    FeeFrequency,
    FeeItemState,
    FeeRunState,
    FeeShape,
    Invoice,
    InvoiceDispute,
    InvoiceDisputeReason,
    InvoiceKind,
    InvoiceState,
    LateFee,
)
from portal.payments import ReceivedMoney, payment_types, receive_payment
from portal.tasks import run_waiting
from tests.conftest import count_statements
from tests.payment_plans.plans import accepted

TODAY = date(2026, 3, 2)
LONG_AGO = date(2025, 11, 1)
DUE = "Due upon receipt"
WORDS = FeeWords(
    active=True, shape=FeeShape.PERCENT, flat=ZERO, rate=Rate.percent(12),
    frequency=FeeFrequency.MONTHLY, base=FeeBase.PRINCIPAL, grace_days=10, kinds=("manual",),
    cap=Rate(0), applies_from=TODAY,
)  # fmt: skip


@pytest.fixture
def agreed(build):
    """The default term charges 12 % a year, agreed long before any invoice here."""
    rule = save_rule(build.term(DUE), WORDS)
    rule.applies_from = LONG_AGO
    db.session.flush()
    return rule


@pytest.fixture
def late(build, agreed):
    """Fifty days past due: two months have begun since the ten days of grace."""
    return build.posted("1000", on=TODAY - timedelta(days=50))


def looked():
    run = start_fee_run()
    db.session.commit()
    run_waiting()
    db.session.refresh(run)
    return run


def charged(run, *, posts=True):
    charge_run(run, posts=posts)
    db.session.commit()
    run_waiting()
    db.session.refresh(run)
    return run


def rows(run, state=""):
    return items_of(run, ItemFilter(state=state), PageRequest(1, 50, "invoice")).rows


def interest_on(invoice):
    query = sa.select(Invoice).where(
        Invoice.adjusts_id == invoice.id, Invoice.kind == InvoiceKind.INTEREST
    )
    return list(db.session.scalars(query.order_by(Invoice.id)))


def test_a_run_proposes_and_charges_nothing_by_itself(late):
    run = looked()

    (item,) = rows(run)
    assert run.state is FeeRunState.PROPOSED
    assert (item.state, item.amount) == (FeeItemState.PROPOSED, Money.of(20))  # 2 × 1 %
    assert item.sentence == "$1,000.00 × 12% per year × 2 of 12 months = $20.00"
    assert interest_on(late) == []


def test_charging_makes_one_posted_interest_invoice_with_a_row_per_period(late):
    run = charged(looked())

    (document,) = interest_on(late)
    assert (document.state, document.total) == (InvoiceState.POSTED, Money.of(20))
    assert document.tax_total == ZERO
    fees = db.session.scalars(sa.select(LateFee).order_by(LateFee.starts_on)).all()
    assert Money.total(one.amount for one in fees) == document.total
    assert [one.starts_on for one in fees] == [date(2026, 1, 22), date(2026, 2, 22)]
    assert (run.state, run.live) == (FeeRunState.DONE, False)


def test_a_second_run_of_the_same_day_charges_nothing(late):
    charged(looked())

    run = looked()

    assert [one.sentence for one in rows(run)] == ["It was charged for these days already."]
    with pytest.raises(DomainError, match="Nothing is left"):
        charge_run(run, posts=True)
    assert len(interest_on(late)) == 1


def test_the_next_month_charges_the_next_period_only(late):
    charged(looked())

    with clock.frozen(datetime(2026, 3, 25, 18, tzinfo=UTC)):
        charged(looked())

    assert [one.total for one in interest_on(late)] == [Money.of(20), Money.of(10)]


def test_the_database_itself_refuses_a_period_charged_twice(late):
    charged(looked())
    fee = db.session.scalars(sa.select(LateFee)).first()
    twice = LateFee(invoice_id=fee.invoice_id, starts_on=fee.starts_on, ends_on=fee.ends_on,
                    amount=fee.amount, document_id=fee.document_id)  # fmt: skip

    assert not insert_once(twice)


def test_who_was_left_out_is_not_charged_until_taken_in_again(late, build):
    other = build.posted("500", on=TODAY - timedelta(days=50))
    run = looked()
    first, second = rows(run)

    assert leave_out(run, [first.id, second.id]) == 2
    assert leave_out(run, [second.id], out=False) == 1
    charged(run)

    assert (len(interest_on(late)), len(interest_on(other))) == (0, 1)


def test_drafts_stay_drafts_when_asked(late):
    charged(looked(), posts=False)

    assert [one.state for one in interest_on(late)] == [InvoiceState.PENDING]


def test_the_disputed_part_bears_nothing_and_all_of_it_names_the_reason(late, build):
    _dispute(late, "400")
    whole = build.posted("100", on=TODAY - timedelta(days=50))
    _dispute(whole, "100")

    run = looked()

    assert [one.amount for one in rows(run)] == [Money.of(12), ZERO]
    assert rows(run)[1].sentence == "All that is owed on it is disputed."


def test_interest_by_hand_leaves_the_disputed_part_out_too(late):
    _dispute(late, "400")

    draft = charge_interest(late, rate=Rate.percent(10))

    assert draft.total == Money.of("8.22")  # 600 × 0.10 × 50 ÷ 365


def test_what_a_rule_forbids_is_listed_with_the_reason(build, agreed):
    free = build.posted("100", on=TODAY - timedelta(days=50))
    exempt(free.customer, because="Agreed with the manager")
    broke = build.posted("100", on=TODAY - timedelta(days=50))
    db.session.add(CollectionStanding(customer=broke.customer, bankrupt=True))
    early = build.posted("100", on=TODAY - timedelta(days=10))
    old = build.posted("100", on=LONG_AGO - timedelta(days=1))
    termless = build.posted("100", on=TODAY - timedelta(days=50))
    termless.term_id, termless.due_date = None, None
    build.posted("100", on=TODAY - timedelta(days=50), term="Net 30")  # charges no fees
    db.session.flush()

    run = looked()

    said = {one.invoice_id: one.sentence for one in rows(run)}
    assert said == {
        free.id: "The customer is exempt: Agreed with the manager",
        broke.id: "The customer is bankrupt: nothing is charged meanwhile.",
        early.id: "It is within its 10 days of grace.",
        old.id: "It is dated before 2025-11-01, from when on late fees were agreed.",
        termless.id: "It has no payment term, so no late fee was agreed.",
    }
    assert sums_of(run)[FeeItemState.NOT_CHARGED] == (5, ZERO)


def test_an_invoice_on_a_plan_that_is_kept_is_left_alone(build, agreed):
    plan = accepted(build.posted("100", on=TODAY - timedelta(days=50)))
    run = looked()

    assert [one.sentence for one in rows(run)] == [
        f"It is on payment plan {plan.number}, which is kept to."
    ]


def test_what_changed_since_the_proposal_is_refused_not_charged_otherwise(late, build):
    run = looked()
    build.payment(late.customer, "1000", late)
    db.session.commit()

    charged(run)

    (item,) = rows(run)
    assert (item.state, item.sentence) == (FeeItemState.REFUSED, "Nothing on it is past due.")
    assert interest_on(late) == []


def test_a_part_paid_meanwhile_is_refused_with_the_new_amount(late, build):
    run = looked()
    money = ReceivedMoney(customer=late.customer, amount=Money.of(500), type=payment_types()[0],
                          on=TODAY)  # fmt: skip
    receive_payment(money, [(late, Money.of(500))])
    db.session.commit()

    charged(run)

    assert "it would be $10.00 now" in rows(run)[0].sentence


def test_a_proposal_of_yesterday_is_not_charged_today(late):
    run = looked()

    with (
        clock.frozen(datetime(2026, 3, 3, 18, tzinfo=UTC)),
        pytest.raises(DomainError, match="look again"),
    ):
        charge_run(run, posts=True)


def test_only_one_run_is_under_way(late):
    run = looked()

    with pytest.raises(DomainError, match="not over yet"):
        start_fee_run()
    stop_fee_run(run)
    assert looked().state is FeeRunState.PROPOSED


def test_a_run_whose_worker_died_goes_on_where_it_stopped(late):
    run = start_fee_run()
    db.session.commit()
    run.claimed_until = clock.now() - timedelta(seconds=1)
    db.session.commit()

    assert list(waiting_fee_runs()) == [run.id]
    look_at_fee_run(run.id)
    look_at_fee_run(run.id)

    assert len(rows(run)) == 1


def test_interest_charged_by_hand_counts_for_the_rule(late):
    draft = charge_interest(late, rate=Rate.percent(12))
    post_invoice(draft)
    db.session.commit()

    assert [one.sentence for one in rows(looked())] == ["It was charged for these days already."]


def test_a_posted_fee_is_taken_back_by_a_credit_note_and_not_charged_again(late):
    charged(looked())
    (document,) = interest_on(late)

    note = take_back_fee(document, because="Paid on time, the bank was slow")

    db.session.refresh(document)
    assert (note.kind, document.balance) == (InvoiceKind.CREDIT_NOTE, ZERO)
    db.session.commit()
    assert [one.state for one in rows(looked())] == [FeeItemState.NOT_CHARGED]
    with pytest.raises(DomainError, match="taken back on"):
        take_back_fee(document, because="Again")


def test_a_draft_is_taken_back_by_cancelling_it(late):
    charged(looked(), posts=False)
    (document,) = interest_on(late)

    assert take_back_fee(document, because="Goodwill") is None
    assert document.state is InvoiceState.CANCELLED
    with pytest.raises(InvalidFields):
        take_back_fee(document, because=" ")


def test_a_state_limit_binds_consumers(late):
    late.customer.region = "me"
    set_limit("ME", Rate.percent(3))

    (item,) = rows(looked())

    assert item.amount == Money.of("4.11")  # 1000 × 0.03 × 50 ÷ 365


@pytest.mark.parametrize(
    "stricter", [{"rate": Rate.percent(24)}, {"grace_days": 0}, {"kinds": ["job", "manual"]}]
)
def test_a_stricter_fee_binds_only_what_is_dated_from_now_on(build, stricter):
    term = build.term(DUE)
    rule = save_rule(term, _with(kinds=["job"], rate=Rate.percent(12), grace_days=5))
    rule.applies_from = LONG_AGO
    db.session.commit()
    same = {"kinds": ["job"], "rate": Rate.percent(12), "grace_days": 5, "applies_from": LONG_AGO}

    with pytest.raises(InvalidFields) as refused:
        save_rule(term, _with(**{**same, **stricter}), version=rule.version)
    db.session.refresh(rule)
    assert list(refused.value.errors) == ["applies_from"]
    save_rule(term, _with(**{**same, "rate": Rate.percent(10)}), version=rule.version)
    db.session.flush()
    new = {**same, **stricter, "applies_from": TODAY}
    assert save_rule(term, _with(**new), version=rule.version).applies_from == TODAY


def test_a_fee_cannot_be_agreed_for_the_past(build):
    term = build.term(DUE)
    with pytest.raises(InvalidFields) as refused:
        save_rule(term, _with(applies_from=TODAY - timedelta(days=1)))
    assert "applies_from" in refused.value.errors
    assert rule_of(term) is None


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"shape": FeeShape.FLAT}, "flat"),
        ({"rate": Rate(0)}, "rate"),
        ({"rate": Rate.percent(101)}, "rate"),
        ({"grace_days": 366}, "grace_days"),
        ({"kinds": ()}, "kinds"),
        ({"cap": Rate.percent(-1)}, "cap"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_beside_the_field(build, words, field):
    with pytest.raises(InvalidFields) as refused:
        save_rule(build.term(DUE), _with(**words))
    assert field in refused.value.errors


def test_a_rule_is_said_as_its_yearly_rate(agreed):
    assert rule_words(agreed) == ("12% per year (APR), charged each month from 11 days past due on")


def test_looking_at_many_takes_a_constant_number_of_statements_a_chunk(build, agreed):
    ids = [build.posted("10", on=TODAY - timedelta(days=50)).id for _ in range(6)]
    db.session.flush()
    judge(ids[:1], on=TODAY)
    with count_statements() as few:
        judge(ids[:2], on=TODAY)
    with count_statements() as many:
        judge(ids, on=TODAY)

    assert len(many) == len(few)


def _dispute(invoice, amount):
    db.session.add(InvoiceDispute(invoice=invoice, amount=Money.of(amount), opened_on=TODAY,
                                  reason=InvoiceDisputeReason.PRICE))  # fmt: skip
    db.session.flush()


def _with(**words):
    return replace(WORDS, **words)
