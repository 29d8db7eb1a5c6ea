"""Months are closed in order, nothing slips in before, and a summary may still change."""

from datetime import date

import pytest

from portal.db import db
from portal.invoices import (
    LineWords,
    change_invoice,
    change_summary,
    post_invoice,
)
from portal.kernel.errors import DomainError, PeriodClosed
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through, is_open, months_of, next_open_day, reopen_month, to_close
from tests.conftest import count_statements, staff_client
from tests.invoices.test_rules_of_the_field import facts

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))
LINE = LineWords("More", Quantity.of(1), UnitPrice.of(5))


def test_closing_a_month_closes_what_came_before(build):
    build.posted("10", on=date(2025, 11, 3))
    build.invoice("20", on=date(2026, 1, 5))

    planned = to_close(FEBRUARY)
    closed = close_through(FEBRUARY)

    assert [(one.starts_on, one.entries, one.pending) for one in planned] == [
        (date(2025, 11, 1), 1, 0),
        (JANUARY, 0, 1),
        (FEBRUARY, 0, 0),
    ]
    assert closed == [one.starts_on for one in planned]
    assert not is_open(date(2025, 12, 24))  # no entries, and still before a closed month
    assert not is_open(date(1999, 1, 1))
    assert next_open_day(date(2025, 12, 24)) == MARCH
    assert close_through(FEBRUARY) == []


def test_a_month_opened_again_takes_entries(build):
    close_through(FEBRUARY)
    reopen_month(JANUARY)

    build.posted("10", on=date(2026, 1, 31))

    assert not is_open(date(2025, 12, 31))
    assert not is_open(FEBRUARY)


def test_a_month_that_has_not_ended_is_not_closed(build):
    with pytest.raises(DomainError, match="March 2026 has not ended yet"):
        close_through(MARCH)


def test_a_summary_changes_even_in_a_closed_month(build):
    posted = build.posted("10", on=date(2026, 1, 5))
    close_through(JANUARY)

    change_summary(posted, "Fixed the furnace, and the thermostat.", version=posted.version)

    assert posted.summary.endswith("thermostat.")


def test_the_next_open_day_is_offered(build):
    close_through(FEBRUARY)

    with pytest.raises(PeriodClosed, match="The next open day is Mar 1, 2026"):
        build.invoice("1", on=date(2026, 2, 3))


def test_a_fiscal_year_begins_where_the_company_says(build):
    from portal.company import company

    company().fiscal_year_first_month = 4

    months = months_of(2026)

    assert (months[0].starts_on, months[-1].starts_on) == (date(2025, 4, 1), MARCH)


def test_the_office_closes_and_opens_on_the_screen(app, build, office):
    draft = build.invoice("10", on=date(2026, 1, 5))
    db.session.commit()
    page = office.get("/staff/periods").text
    assert "February 2026" in page
    assert "/staff/periods/2026-03/closing" not in page

    asked = office.get("/staff/periods/2026-02/closing").text
    assert "1 draft that then cannot be posted with its date" in asked
    done = office.post("/staff/periods/2026-02/closing", follow_redirects=True).text
    assert "Closed: January 2026, February 2026." in done
    refused = office.post(f"/staff/invoices/{draft.id}/posting", follow_redirects=True).text
    assert "January 2026 is closed" in refused

    thinking = office.get("/staff/periods/2026-01/opening").text
    assert "Open January 2026 again?" in thinking
    assert "It holds 0 entries." in thinking
    assert not is_open(JANUARY)
    again = office.post("/staff/periods/2026-01/opening", follow_redirects=True).text
    assert "January 2026 takes entries again." in again
    assert is_open(JANUARY)


def test_an_accountant_closes_and_only_an_administrator_opens(app, build):
    accountant = staff_client(app, build, "Accountant")

    accountant.post("/staff/periods/2026-02/closing")
    refused = accountant.post("/staff/periods/2026-02/opening")

    assert refused.status_code == 403
    assert not is_open(FEBRUARY)


@pytest.mark.parametrize("word", ["2026-13", "x", "2026-1", "0000-01"])
def test_a_month_that_does_not_exist_is_not_found(office, word):
    assert office.get(f"/staff/periods/{word}/closing").status_code == 404


def test_far_months_cost_no_more(build):
    build.invoice("1", on=date(1991, 5, 5))
    with count_statements() as sent:
        found = to_close(FEBRUARY)
    assert [one.starts_on for one in found] == [date(1991, 5, 1), FEBRUARY]
    assert len(sent) < 10


@pytest.mark.parametrize("word", ["2026-03", "2999-01", "9999-12"])
def test_a_month_that_has_not_ended_has_no_closing_page(office, word):
    page = office.get(f"/staff/periods/{word}/closing")

    assert page.status_code >= 400
    assert "has not ended yet" in page.text


def test_a_draft_may_leave_a_closed_month_and_only_leave_it(build):
    draft = build.invoice("10", on=date(2026, 1, 5))
    close_through(JANUARY)

    with pytest.raises(PeriodClosed):
        change_invoice(draft, facts(draft, summary="Still January"), version=draft.version)
    change_invoice(draft, facts(draft, invoice_date=MARCH), version=draft.version)
    post_invoice(draft)

    assert draft.invoice_date == MARCH


def test_a_posted_invoice_stays_where_it_is(build):
    posted = build.posted("10", on=date(2026, 1, 5))
    close_through(JANUARY)

    with pytest.raises(DomainError):
        change_invoice(posted, facts(posted, invoice_date=MARCH), version=posted.version)
