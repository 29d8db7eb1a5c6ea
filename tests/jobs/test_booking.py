from datetime import timedelta

import pytest

from portal.audit import trail_of
from portal.customers import CustomerWords, LocationWords, change_customer, change_location
from portal.db import db
from portal.invoices import invoice_of_job
from portal.jobs import JobWords, book_job, cancel_job, change_job, complete_job, start_job
from portal.kernel.errors import Conflict, DomainError, InvalidFields, InvalidTransition
from portal.kernel.money import Money
from portal.kernel.numbers import UnitPrice
from portal.ledger import entries_of
from portal.models import AccountingPeriod, InvoiceState, ItemKind, JobState, PeriodState
from portal.pricebook import set_customer_price


def test_booking_makes_the_pending_invoice_with_the_jobs_number(build):
    location = build.location(zone=build.zone("6"))

    job = build.job(location=location)

    invoice = invoice_of_job(job)
    assert (invoice.reference_number, invoice.document_number) == (job.number, None)
    assert (invoice.state, invoice.invoice_date) == (InvoiceState.PENDING, None)
    assert (invoice.customer, invoice.tax_zone) == (location.customer, location.tax_zone)


def test_jobs_are_numbered_one_after_the_other(build):
    assert [build.job().number for _ in range(2)] == ["J-2026-00001", "J-2026-00002"]


def test_a_job_says_what_is_to_be_done(build):
    with pytest.raises(InvalidFields) as refusal:
        book_job(JobWords(location=build.location(), summary=" "))
    assert set(refusal.value.errors) == {"summary"}


@pytest.mark.parametrize("who", ["customer", "location"])
def test_nothing_is_booked_where_nobody_works_any_more(build, who):
    location = build.location()
    if who == "customer":
        gone = CustomerWords(name="Gone", active=False)
        change_customer(location.customer, gone, version=location.customer.version)
    else:
        change_location(
            location, LocationWords(street="1 Main St", active=False), version=location.version
        )
    db.session.flush()

    with pytest.raises(DomainError, match="deactivated"):
        build.job(location=location)


def test_a_done_job_cannot_be_rebooked(build):
    job = build.job()
    complete_job(job)

    with pytest.raises(InvalidTransition, match="is done"):
        change_job(job, JobWords(location=job.location, summary="More"), version=job.version)


def test_a_job_moves_only_between_its_customers_locations(build):
    job = build.job()
    with pytest.raises(InvalidFields, match="another customer"):
        change_job(job, JobWords(location=build.location(), summary="x"), version=job.version)


def test_an_old_version_is_refused(build):
    job = build.job()
    words = JobWords(location=job.location, summary="Changed")
    seen = job.version
    change_job(job, words, version=seen)
    db.session.flush()

    with pytest.raises(Conflict):
        change_job(job, words, version=seen)


def test_completing_dates_and_fills_the_invoice(build):
    zone = build.zone("10")
    location = build.location(zone=zone)
    labor, part = build.item("100", code="LAB"), build.item("50", kind=ItemKind.MATERIAL)
    off = build.item("20", kind=ItemKind.DISCOUNT)
    set_customer_price(location.customer, labor, UnitPrice.of("80"))
    job = build.job(location=location, items=(labor, part, off))

    complete_job(job, on=build.today - timedelta(days=1))

    invoice = invoice_of_job(job)
    assert job.state is JobState.DONE
    assert invoice.invoice_date == build.today - timedelta(days=1)
    assert [line.total for line in invoice.lines] == [Money.of(80), Money.of(50), Money.of(-20)]
    assert (invoice.subtotal, invoice.tax_total) == (Money.of(110), Money.of(11))
    assert entries_of(invoice) == []  # nothing is owed before it is posted


def test_completing_twice_is_refused_and_fills_once(build):
    job = build.job(items=(build.item("100"),))
    complete_job(job)

    with pytest.raises(InvalidTransition, match="already done"):
        complete_job(job)

    assert len(invoice_of_job(job).lines) == 1


def test_a_job_is_not_completed_in_the_future(build):
    with pytest.raises(InvalidFields, match="future"):
        complete_job(build.job(), on=build.today + timedelta(days=1))


def test_a_closed_month_takes_no_completed_job(build):
    db.session.add(AccountingPeriod(starts_on=build.today.replace(day=1), state=PeriodState.CLOSED))
    db.session.flush()
    job = build.job()

    with pytest.raises(DomainError, match="March 2026 is closed"):
        complete_job(job)


def test_cancelling_takes_the_invoice_with_it_and_needs_a_reason(build):
    job = build.job()
    start_job(job)
    with pytest.raises(InvalidFields, match="Say why"):
        cancel_job(job, because=" ")

    cancel_job(job, because="Moved away")

    assert invoice_of_job(job).state is InvoiceState.CANCELLED
    assert trail_of(job)[0].sentence.endswith("Moved away")
    with pytest.raises(InvalidTransition, match="already cancelled"):
        complete_job(job)
