"""Learning from made-up histories whose truth is known; no database."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from portal.models import RiskMethod
from portal.risk.explaining import reasons_by_model
from portal.risk.facts import Knowledge
from portal.risk.measuring import area_under_curve, brier, calibration, calibration_error
from portal.risk.nightly import learn, score_rows
from portal.risk.rule import HEADLINE
from portal.risk.training import WEEK, find_looks, train
from tests.risk.worlds import TODAY, made_up, make_book

ON = date.fromordinal(TODAY)
LATE_SHARE = 5  # the column of the matrix; it holds log odds


@pytest.fixture(scope="module")
def world():
    book, weekly = made_up()
    known = Knowledge(book)
    model, trained = learn(known, on=ON)
    return known, weekly, model, trained


def test_what_was_learned_ranks_better_than_the_rule(world):
    _known, _weekly, model, _trained = world

    assert model.method is RiskMethod.LEARNED
    assert model.accuracy["auc"] > model.accuracy["rule_auc"] + 0.05
    assert model.accuracy["brier"] < model.accuracy["rule_brier"]
    assert model.accuracy["looks"] > 500


def test_chances_mean_what_they_say_within_five_points(world):
    _known, _weekly, model, _trained = world

    assert model.accuracy["calibration_error"] < 0.05


def test_chances_are_near_the_truth_of_the_made_up_world(world):
    known, weekly, _model, trained = world
    book = known.book
    open_now = np.flatnonzero(book.closed_for_good > TODAY)

    chances = trained.unpaid_by_week(known.facts(open_now, _on(open_now)).matrix)[:, HEADLINE - 1]

    truth = (1 - weekly[book.customer[open_now]]) ** HEADLINE
    assert np.corrcoef(chances, truth)[0, 1] > 0.8
    assert abs(chances.mean() - truth.mean()) < 0.08


def test_the_chance_of_being_unpaid_never_rises_from_week_to_week(world):
    known, _weekly, _model, trained = world
    places = np.arange(len(known.book))

    weeks = trained.unpaid_by_week(known.facts(places, _on(places)).matrix)

    assert (np.diff(weeks, axis=1) <= 0).all()
    assert ((weeks >= 0) & (weeks <= 1)).all()


def test_nothing_of_the_future_reaches_a_fact_a_label_or_the_model(world):
    known = world[0]
    then = TODAY - 100
    whole, looks = known, find_looks(known, until=TODAY)
    shuffled = Knowledge(_other_future(known.book, after=then))
    looks = looks.chosen(looks.day < then)

    facts = [one.facts(looks.place, looks.day).matrix for one in (whole, shuffled)]
    models = [train(one, looks, on=then) for one in (whole, shuffled)]

    assert np.array_equal(*facts)
    assert models[0] == models[1]


def test_the_test_of_the_future_would_notice_a_leak(world):
    """The shuffled future differs, and facts of a later day do change with it."""
    known = world[0]
    shuffled = Knowledge(_other_future(known.book, after=TODAY - 100))
    places = np.arange(len(known.book))

    assert not np.array_equal(
        known.facts(places, _on(places)).matrix, shuffled.facts(places, _on(places)).matrix
    )


def test_a_world_in_which_all_are_alike_is_left_to_the_rule_or_told_apart_by_nothing():
    book, _weekly = made_up(ignorant=True)

    model, trained = learn(Knowledge(book), on=ON)

    assert model.accuracy["auc"] == pytest.approx(0.5, abs=0.12)
    assert trained is None or model.accuracy["calibration_error"] < 0.08


def test_a_short_history_falls_back_to_the_rule_and_says_why():
    book, _weekly = made_up(days=60)

    model, trained = learn(Knowledge(book), on=ON)

    assert (model.method, trained) == (RiskMethod.RULE, None)
    assert model.because.endswith(".")
    assert model.accuracy == {}


def test_an_empty_book_falls_back_to_the_rule():
    nothing = np.zeros(0, dtype=np.int64)

    model, _trained = learn(Knowledge(make_book(nothing, nothing, nothing, nothing)), on=ON)

    assert model.because == "No invoice has been open for a week yet."


def test_habits_are_drawn_towards_everybodys():
    """One late invoice makes nobody a late payer; ten do."""
    owner = [0] + [1] * 10 + [2] * 100
    issued = [TODAY - 200] * 111
    paid = [TODAY - 100] * 11 + [TODAY - 195] * 100
    book = make_book(owner, issued, [10_000] * 111, paid)

    odds = Knowledge(book).facts(np.array([0, 1, 11]), _on(np.arange(3))).matrix[:, LATE_SHARE]

    shares = 1 / (1 + np.exp(-odds))
    assert shares[2] < 0.01 < shares[0] < 0.4 < 0.75 < shares[1]


def test_money_taken_back_makes_an_invoice_open_and_its_habit_uncounted():
    book = make_book([0, 0], [TODAY - 90] * 2, [10_000] * 2, [TODAY - 60, TODAY - 85])
    bounced = replace(
        book,
        mover=np.array([0, 1, 0]),
        moved_on=np.array([TODAY - 60, TODAY - 85, TODAY - 50]),
        moved=np.array([10_000, 10_000, -10_000]),
        paying=np.ones(3, dtype=bool),
    )
    known, first = Knowledge(bounced), np.array([0])

    between, now = (known.facts(first, np.array([day])) for day in (TODAY - 55, TODAY))

    assert (between.open_cents[0], now.open_cents[0]) == (0, 10_000)
    assert (between.settled[0], between.settled_late[0]) == (2, 1)
    assert (now.settled[0], now.settled_late[0]) == (1, 0)


def test_a_write_off_closes_an_invoice_but_does_not_pay_it():
    book = make_book([0], [TODAY - 90], [10_000], [TODAY - 10], write_off=[True])
    place = np.array([0])

    assert book.open_at(place, np.array([TODAY]))[0] == 0
    assert book.unpaid_at(place, np.array([TODAY]))[0]
    assert Knowledge(book).facts(place, np.array([TODAY])).settled_late[0] == 1


def test_a_look_teaches_only_once_its_outcome_is_known():
    book, _weekly = made_up(days=500)
    known = Knowledge(book)

    trained = train(known, find_looks(known, until=TODAY), on=TODAY)

    assert trained.last <= TODAY - HEADLINE * WEEK


def test_reasons_name_what_moved_the_chance_most(world):
    known, weekly, _model, trained = world
    book = known.book
    worst = np.flatnonzero((book.closed_for_good > TODAY) & (weekly[book.customer] < 0.1))
    worst = worst[TODAY - book.due[worst] > 0]

    reasons = reasons_by_model(trained.weeks[HEADLINE - 1], known.facts(worst, _on(worst)))

    assert all(1 <= len(one) <= 3 for one in reasons)
    assert all(row == sorted(row, key=lambda one: not one.raises) for row in reasons)
    about = {one.about for row in reasons for one in row if one.raises}
    assert about & {"habit", "delay", "others", "silence"}


def test_every_scored_row_carries_its_reasons_and_weeks(world):
    known, _weekly, _model, trained = world
    places = np.arange(20)

    for row in score_rows(known, trained, places, on=ON):
        assert len(row.weeks) == 8
        assert row.reasons


def test_the_rule_has_one_reason():
    book = make_book([0], [TODAY - 50], [10_000], [TODAY + 1])

    (row,) = score_rows(Knowledge(book), None, np.array([0]), on=ON)

    assert [(one.about, one.values) for one in row.reasons] == [("age", (36,))]
    assert row.weeks[HEADLINE - 1] == pytest.approx(0.70, abs=0.001)


def test_figures_by_hand():
    chances = np.array([0.9, 0.8, 0.3, 0.1])
    unpaid = np.array([True, False, True, False])

    assert area_under_curve(chances, unpaid) == 0.75  # three of four pairs stand right
    assert area_under_curve(np.full(4, 0.5), unpaid) == 0.5
    assert area_under_curve(chances, np.ones(4, dtype=bool)) is None
    assert brier(chances, unpaid) == pytest.approx((0.01 + 0.64 + 0.49 + 0.01) / 4)
    groups = calibration(np.array([0.2] * 5 + [0.8] * 5), np.array([False] * 5 + [True] * 5))
    assert calibration_error(groups) == pytest.approx(0.2)


def _on(places):
    return np.full(len(places), TODAY)


def _other_future(book, *, after):
    """The same past; what was paid later is paid by others, and new invoices go to others."""
    random = np.random.default_rng(1)
    moves = np.flatnonzero(book.moved_on > after)
    days = book.moved_on.copy()
    days[moves] = random.permutation(days[moves])
    days[moves] = np.maximum(days[moves], book.issued[book.mover[moves]])
    owner, new = book.customer.copy(), np.flatnonzero(book.issued > after)
    owner[new] = random.permutation(owner[new])
    return replace(book, customer=owner, moved_on=days)
