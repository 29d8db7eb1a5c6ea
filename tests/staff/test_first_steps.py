"""A company that just begins is led; one that works is not."""

import io

from portal.db import db
from portal.imports import ask_for_check, ask_for_saving, start_run
from portal.models import ImportSubject
from portal.tasks import run_waiting
from portal.terms import make_default


def test_an_empty_company_sees_where_to_begin(office):
    page = office.get("/staff/").text

    assert "First steps" in page
    for path in ("settings", "payment-terms", "tax-zones", "price-book", "imports",
                 "customers/new", "jobs/new"):  # fmt: skip
        assert f'href="/staff/{path}"' in page


def test_what_is_done_is_ticked(office, build):
    build.customer("Ada")

    assert office.get("/staff/").text.count(">Done</span>") == 1


def test_jobs_terms_and_imports_are_ticked_too(office, build):
    make_default(build.term("Net 30"))
    run = start_run(
        ImportSubject.CUSTOMERS, io.BytesIO(b"Number,Name\n1,Ada\n"), name="a.csv", by=None
    )
    ask_for_check(run, run.mapping)
    db.session.commit()
    run_waiting()
    ask_for_saving(run)
    db.session.commit()
    run_waiting()
    assert office.get("/staff/").text.count(">Done</span>") == 3  # the customer as well

    office.post(f"/staff/jobs/{build.job().id}/cancellation", data={"because": "Rain"})

    assert office.get("/staff/").text.count(">Done</span>") == 4


def test_a_company_at_work_is_not_told_how_to_begin(office, build):
    build.posted("10", on=build.today)
    build.job()

    assert "First steps" not in office.get("/staff/").text


def test_the_card_of_open_jobs_leads_to_the_open_ones(office, build):
    done, running = build.job(), build.job()
    office.post(f"/staff/jobs/{done.id}/completion")
    assert 'href="/staff/jobs?open=yes"' in office.get("/staff/").text

    page = office.get("/staff/jobs?open=yes").text

    assert running.number in page
    assert done.number not in page
