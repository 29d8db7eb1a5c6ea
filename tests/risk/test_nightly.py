"""The night's work on real rows: imported history, stored scores, and what goes stale."""

from datetime import date, timedelta
from random import Random

import pytest
import sqlalchemy as sa

from portal.db import PageRequest, db
from portal.dunning import chance_by_rule, chance_of_not_paying
from portal.imports.saving import save_rows
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models import Customer, ImportSubject, Invoice, RiskMethod, RiskModel, RiskScore
from portal.risk import (
    Reason,
    cash_forecast,
    find_scores,
    newest_model,
    reason_words,
    reasons_from,
    risks_of,
    score_invoices,
)
from tests.conftest import count_statements

TODAY = date(2026, 3, 2)
FIRST_PAGE = PageRequest(1, 25, "")


def bring_history(*, customers=24, days=420, each=3, seed=5):
    """What Import saves of a company whose odd customers pay weeks late and some never."""
    random = Random(seed)
    people = [
        {"key": f"C{n}", "name": f"Customer {n}", "email": "", "term_id": None}
        for n in range(customers)
    ]
    save_rows(ImportSubject.CUSTOMERS, people, told=lambda _n: None)
    ids = list(db.session.scalars(sa.select(Customer.id).order_by(Customer.id)))
    rows = [_row(random, n, ids, days, each) for n in range(days * each // 2)]
    save_rows(ImportSubject.INVOICES, rows, told=lambda _n: None)
    db.session.commit()


def _row(random, number, ids, days, each):
    issued = TODAY - timedelta(days=days - number * 2 // each)
    who = random.randrange(len(ids))
    wait = random.randint(3, 18) if who % 2 else random.randint(25, 150)
    paid_on = issued + timedelta(days=wait)
    total = Money(random.randint(9_000, 90_000))
    paid = paid_on <= TODAY
    return {
        "number": f"A-{number}", "key": f"A-{number}", "customer_id": ids[who], "date": issued,
        "due": issued + timedelta(days=14), "total": total, "tax": ZERO, "term_id": None,
        "balance": ZERO if paid else total, "paid_on": paid_on if paid else None,
        "summary": "",
    }  # fmt: skip


@pytest.fixture
def history(app):
    bring_history()


def test_imported_history_is_enough_to_learn_from(history):
    score_invoices()

    model = newest_model()
    assert model.method is RiskMethod.LEARNED, model.because
    assert model.accuracy["auc"] > model.accuracy["rule_auc"]
    assert model.accuracy["first"] >= model.accuracy["learned_until"]
    assert (model.trained_on, model.invoices > 100) == (TODAY, True)


def test_every_open_invoice_is_scored_with_reasons_and_slow_payers_rank_first(history):
    count = score_invoices()

    page = find_scores("", FIRST_PAGE)
    assert page.total == count == len(_open())
    assert all(one.reasons for one in page.rows)
    at_risk = [one.at_risk for one in page.rows]
    assert at_risk == sorted(at_risk, reverse=True)
    by_customer = {score.invoice.customer.name: score.chance for score in page.rows}
    slow = [chance for name, chance in by_customer.items() if int(name.split()[1]) % 2 == 0]
    quick = [chance for name, chance in by_customer.items() if int(name.split()[1]) % 2]
    assert not quick or max(quick) < max(slow)


def test_what_is_paid_in_the_day_is_listed_no_more_and_forgotten_at_night(history, build):
    score_invoices()
    invoice = find_scores("", FIRST_PAGE).rows[0].invoice
    before = find_scores("", FIRST_PAGE).total

    build.payment(invoice.customer, str(invoice.balance.amount), invoice)
    db.session.commit()
    assert find_scores("", FIRST_PAGE).total == before - 1

    score_invoices()
    assert db.session.scalar(
        sa.select(sa.func.count()).where(RiskScore.invoice_id == invoice.id)
    ) == 0  # fmt: skip


def test_two_nights_leave_one_score_per_invoice(history):
    count = score_invoices()

    assert score_invoices() == count
    assert db.session.scalar(sa.select(sa.func.count(RiskScore.id))) == count
    assert db.session.scalar(sa.select(sa.func.count(RiskModel.id))) == 2


def test_without_history_the_rule_scores_and_says_so(build):
    late = build.posted("100", on=TODAY - timedelta(days=45))
    build.posted("200", on=TODAY)
    db.session.commit()
    score_invoices()

    model = newest_model()
    risk = risks_of([late])[late.id]

    assert model.method is RiskMethod.RULE
    assert model.because
    assert risk.by_rule
    assert risk.chance == Rate.percent(70)  # 31 to 60 days past due
    assert [reason_words(one) for one in risk.reasons] == ["45 days past due"]
    assert risk.at_risk(late.balance) == Money.of("70.00")


def test_an_invoice_newer_than_the_last_night_gets_the_rules_chance(build):
    score_invoices()
    new = build.posted("100", on=TODAY)

    risk = risks_of([new])[new.id]

    assert (risk.by_rule, risk.chance) == (True, Rate.percent(40))


def test_scores_of_many_invoices_take_one_statement(history):
    score_invoices()
    invoices = _open()
    db.session.commit()
    _settings_are_read = risks_of(invoices[:1])

    with count_statements() as sent:
        risks_of(invoices)

    assert len([one for one in sent if "risk_scores" in one]) == 1


def test_the_forecast_adds_up_to_what_is_open(history):
    score_invoices()

    weeks = cash_forecast(newest_model())

    assert len(weeks) == 8
    owed = Money.total(one.balance for one in _open())
    assert Money.total(one.expected for one in weeks) + weeks[-1].left == owed
    assert all(one.expected >= ZERO for one in weeks)
    assert weeks[1].begins_on == TODAY + timedelta(days=7)


@pytest.mark.parametrize(
    ("about", "values", "words"),
    [
        ("age", (-3,), "not due yet"),
        ("age", (0,), "due today"),
        ("age", (1,), "one day past due"),
        ("habit", (4, 12), "4 of 12 earlier invoices were paid late"),
        ("habit", (0, 0), "no invoice of this customer was settled yet"),
        ("delay", (21.4,), "lately paid about 21 days late"),
        ("delay", (-2.0,), "usually pays by the due date"),
        ("experience", (0,), "a new customer"),
        ("others", (2,), "2 other invoices are past due"),
        ("others", (0,), "nothing else is past due"),
        ("silence", (-1,), "never paid anything yet"),
        ("silence", (0,), "paid today"),
        ("silence", (9,), "last paid 9 days ago"),
        ("part", (0.25,), "25% of it is paid"),
        ("amount", (123_400,), "$1,234.00 is open on it"),
        ("business", (1.0,), "a business"),
    ],
)
def test_reasons_are_said_as_a_collector_would(app, about, values, words):
    reason = Reason(about, True, values)

    assert reason_words(reason) == words
    assert reasons_from([reason.as_json()]) == [reason]


def _open():
    return list(db.session.scalars(sa.select(Invoice).where(Invoice.balance > ZERO)))


def test_collections_rank_by_what_was_learned_and_by_their_rule_without(history, build):
    score_invoices()
    worst = find_scores("", FIRST_PAGE).rows[0]
    new = build.posted("100", on=TODAY)

    chances = chance_of_not_paying([worst.invoice_id, new.id])

    assert chances[worst.invoice_id].rate == worst.chance
    words = [reason_words(one) for one in reasons_from(worst.reasons)]
    assert list(chances[worst.invoice_id].reasons) == words
    assert chances[new.id] == chance_by_rule([new.id])[new.id]
