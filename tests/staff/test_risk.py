"""The screens of the score: the list with reasons, and how good it was."""

from datetime import timedelta

from portal.db import db
from portal.risk import score_invoices
from tests.conftest import count_statements
from tests.risk.test_nightly import TODAY, bring_history


def test_before_the_first_night_the_pages_say_so(office):
    assert "first night is still to come" in office.get("/staff/risk").get_data(as_text=True)
    assert "Nothing measured yet" in office.get("/staff/risk/accuracy").get_data(as_text=True)


def test_the_rule_says_that_it_is_the_rule(build, office):
    build.posted("100", on=TODAY - timedelta(days=40))
    db.session.commit()
    score_invoices()

    page = office.get("/staff/risk").get_data(as_text=True)

    assert "By the plain rule of days past due" in page
    assert "40 days past due" in page
    assert "70%" in page


def test_scores_and_their_accuracy_are_shown_with_samples_and_dates(office):
    bring_history()
    score_invoices()

    scores = office.get("/staff/risk").get_data(as_text=True)
    page = office.get("/staff/risk/accuracy").get_data(as_text=True)

    assert "Learned from" in scores
    assert "invoices are past due" in scores or "were paid late" in scores
    assert "Ranking (AUC)" in page
    assert "stayed unpaid" in page
    assert "<svg" in page
    assert "Learned until" in page


def test_the_list_is_searched_and_takes_few_statements(build, office):
    for name in ("Ada", "Grace"):
        build.posted("100", customer=build.customer(name), on=TODAY - timedelta(days=40))
    db.session.commit()
    score_invoices()
    office.get("/staff/risk")

    page = office.get("/staff/risk?q=grace").get_data(as_text=True)
    with count_statements() as few:
        office.get("/staff/risk")
    for _ in range(6):
        build.posted("100", on=TODAY - timedelta(days=40))
    db.session.commit()
    score_invoices()
    with count_statements() as many:
        office.get("/staff/risk")

    assert ("Grace" in page, "Ada" in page) == (True, False)
    assert len(many) == len(few)
