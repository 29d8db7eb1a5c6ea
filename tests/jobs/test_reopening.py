"""A job that was completed too early is opened again while its invoice is a draft."""

from datetime import date

import pytest

from portal.invoices import change_invoice, get_invoice, invoice_of_job, post_invoice
from portal.jobs import LogWords, add_log, complete_job, get_job, reopen_job
from portal.kernel.errors import InvalidTransition, PeriodClosed
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through
from portal.models import JobState
from tests.conftest import staff_client
from tests.invoices.test_rules_of_the_field import facts


def test_what_was_forgotten_is_logged_and_completing_again_fills_the_invoice(build):
    job = build.job(items=(build.item("40"),))
    complete_job(job)
    reopen_job(job)
    add_log(job, LogWords(Quantity.of(1), description="A valve", unit_price=UnitPrice.of(9)))
    complete_job(job)

    invoice = invoice_of_job(job)
    assert (str(invoice.total), len(invoice.lines)) == ("$49.00", 2)


def test_a_job_whose_invoice_is_posted_stays_done(build):
    job = build.job(items=(build.item("40"),))
    complete_job(job)
    post_invoice(invoice_of_job(job))

    with pytest.raises(InvalidTransition, match="cannot be edited"):
        reopen_job(job)


def test_only_a_completed_job_is_opened_again(build):
    with pytest.raises(InvalidTransition):
        reopen_job(build.job())


def test_a_closed_month_keeps_its_jobs_done(build):
    job = build.job()
    complete_job(job)
    invoice = invoice_of_job(job)
    change_invoice(invoice, facts(invoice, invoice_date=date(2026, 1, 5)), version=invoice.version)
    close_through(date(2026, 1, 1))

    with pytest.raises(PeriodClosed):
        reopen_job(job)


def test_the_screen_offers_it_and_says_when_nothing_was_logged(office, build):
    job = build.job()

    done = office.post(f"/staff/jobs/{job.id}/completion", follow_redirects=True).text
    assert "nothing was logged: its invoice is empty" in done
    assert f"/staff/jobs/{job.id}/reopening" in done
    open_again = office.post(f"/staff/jobs/{job.id}/reopening", follow_redirects=True).text

    assert "is open again" in open_again
    assert get_job(job.id).state is JobState.IN_PROGRESS
    assert get_job(job.id).completed_on is None


def test_a_posted_one_is_refused_on_the_screen(office, build):
    job = build.job(items=(build.item("40"),))
    complete_job(job)
    post_invoice(invoice_of_job(job))

    page = office.get(f"/staff/jobs/{job.id}").text
    told = office.post(f"/staff/jobs/{job.id}/reopening")

    assert "/reopening" not in page
    assert told.status_code == 422
    assert get_job(job.id).state is JobState.DONE


def test_reading_is_not_enough_to_open_one_again(app, build):
    job = build.job()
    complete_job(job)

    told = staff_client(app, build, "Collector").post(f"/staff/jobs/{job.id}/reopening")

    assert told.status_code == 403


def test_the_log_shows_what_each_entry_costs_this_customer(office, build):
    from portal.pricebook import set_customer_price

    item, other = build.item("40"), build.item("50")
    job = build.job(items=(item, other))
    set_customer_price(job.customer, item, UnitPrice.of("38.5"))
    add_log(job, LogWords(Quantity.of(2), item=other, unit_price=UnitPrice.of("45")))

    page = office.get(f"/staff/jobs/{job.id}").text

    for price in ("$38.50", "$50.00", "$45.00"):
        assert f'<td class="num">{price}</td>' in page


def test_one_entry_is_told_as_one(office, build):
    job = build.job(items=(build.item("40"),))
    complete_job(job)
    invoice = get_invoice(invoice_of_job(job).id)

    page = office.get(f"/staff/invoices/{invoice.id}").text

    assert "Filled from 1 log entry of job" in page
