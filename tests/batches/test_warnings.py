"""What is odd about members, on a page of them and counted over all."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.batches import BatchWarning, count_warnings, warnings_of
from portal.db import db
from portal.invoices import LineWords, add_line, review_invoice, tax_is_stale
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.ledger import close_through, reopen_month
from portal.models import Invoice, ItemKind, ReviewState, TaxBase
from portal.taxes import RateWords, change_zone
from tests.batches.test_posting import filled
from tests.conftest import count_statements

W = BatchWarning


@pytest.fixture
def fine(build):
    """A reviewed invoice in a zone about which nothing is odd."""
    invoice = build.invoice("80", location=build.location(zone=build.zone("10")))
    review_invoice(invoice, ReviewState.REVIEWED)
    db.session.flush()
    return invoice


def of(invoice):
    db.session.flush()
    return warnings_of([invoice.id])[invoice.id]


def test_nothing_odd_is_nothing_told(fine):
    assert of(fine) == []


def test_each_warning_has_its_own_cause(fine, build):
    job = build.job()
    booked = db.session.scalars(sa.select(Invoice).where(Invoice.job_id == job.id)).one()
    assert {W.NO_DATE, W.JOB_NOT_DONE, W.NO_LINES, W.NOT_REVIEWED} <= set(of(booked))

    for state, told in (
        (ReviewState.ON_HOLD, W.ON_HOLD),
        (ReviewState.PENDING_APPROVAL, W.PENDING_APPROVAL),
        (ReviewState.REJECTED, W.REJECTED),
    ):
        fine.review_state = state
        assert of(fine) == [told]
    fine.review_state = ReviewState.REVIEWED
    pipe = LineWords("Pipe", Quantity.of(1), UnitPrice.of(5), kind=ItemKind.MATERIAL)
    add_line(fine, pipe)
    assert of(fine) == [W.NO_TECHNICIAN]


def test_an_invoice_without_zone_is_odd_unless_its_customer_is_exempt(build):
    assert W.NO_ZONE in of(build.invoice("5"))
    customer = build.customer(tax_exempt=True, exemption_certificate="E-1")
    assert W.NO_ZONE not in of(build.invoice("5", customer=customer))


def test_a_rate_that_changed_is_told_as_on_the_record(fine, build):
    zone = fine.tax_zone
    rates = [RateWords("Authority 0", TaxBase.SUBTOTAL, Rate.percent("12"), date(2020, 1, 1))]
    change_zone(zone, name=zone.name, rates=rates, active=True, version=zone.version)
    db.session.flush()

    assert tax_is_stale(fine)
    assert of(fine) == [W.STALE_TAX]


def test_a_rate_that_was_dropped_is_told_too(fine):
    zone = fine.tax_zone
    change_zone(zone, name=zone.name, rates=[], active=True, version=zone.version)
    db.session.flush()

    assert tax_is_stale(fine)
    assert of(fine) == [W.STALE_TAX]


def test_a_closed_month_is_told_and_one_opened_again_is_not(fine, build):
    january = build.invoice("5", on=date(2026, 1, 5))
    close_through(date(2026, 2, 1))
    assert W.CLOSED_PERIOD in of(january)
    assert W.CLOSED_PERIOD not in of(fine)

    reopen_month(date(2026, 1, 1))
    assert W.CLOSED_PERIOD not in of(january)


def test_counted_over_a_batch_in_one_statement_or_two(fine, build):
    batch = filled(fine, build.invoice(), build.invoice(), build.invoice("0"))

    with count_statements() as sent:
        counts = count_warnings(batch)

    assert counts[W.NO_LINES] == 2
    assert counts[W.NOT_REVIEWED] == 3
    assert counts[W.ZERO_TOTAL] == 1
    assert W.STALE_TAX not in counts
    assert len(sent) <= 5
