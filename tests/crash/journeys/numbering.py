"""Invoices of two years are posted, some one by one and some together: no gap, no number twice."""

from datetime import date

from portal.db import db, in_transaction
from portal.invoices import get_invoice, post_invoice, post_invoices
from portal.models import Invoice, InvoiceState, JournalEntry, NumberSeries
from portal.tasks import run_waiting
from tests.crash.journeys.journey import Journey, rows

YEARS = {2025: [date(2025, 12, 20)] * 3, 2026: [date(2026, 2, 10)] * 4}
ALONE = 3  # so many are posted one by one, the others in one transaction
P = "portal.invoices.posting"
PLACES = {
    f"{P}:_load_locked": 4,
    f"{P}:posting_problem": 7,
    f"{P}:_numbers": 4,
    f"{P}:next_number": 4,
    "portal.ledger.numbering:_advance": 5,
    "portal.ledger.numbering:insert_once": 2,
    f"{P}:_posted_values": 7,
    f"{P}:change_all": 4,
    f"{P}:_book": 4,
    f"{P}:post_entries": 4,
    f"{P}:record_many": 4,
    f"{P}:_tell_timelines": 4,
    f"{P}:tell": 4,
}


def prepare(build):
    customer = build.customer("Ada")
    for day in (day for days in YEARS.values() for day in days):
        build.invoice("80", customer=customer, on=day)


def live():
    waiting = [one.id for one in rows(Invoice, Invoice.state == InvoiceState.PENDING)]
    db.session.rollback()
    for invoice_id in waiting[:ALONE]:
        in_transaction(lambda invoice_id=invoice_id: post_invoice(get_invoice(invoice_id)))
    if rest := waiting[ALONE:]:
        in_transaction(lambda: post_invoices(rest))
    run_waiting()


def check(box):
    for year in YEARS:
        posted = [one for one in rows(Invoice) if one.invoice_date.year == year
                  and one.state is InvoiceState.POSTED]  # fmt: skip
        numbers = sorted(one.document_number for one in posted)
        assert numbers == [f"INV-{year}-{n:05}" for n in range(1, len(posted) + 1)]
        mine = (NumberSeries.series == "INV", NumberSeries.fiscal_year == year)
        assert sum(one.last_number for one in rows(NumberSeries, *mine)) == len(posted)
    entries = rows(JournalEntry, JournalEntry.source_kind == "invoice")
    posted = rows(Invoice, Invoice.state == InvoiceState.POSTED)
    assert sorted(one.source_id for one in entries) == [one.id for one in posted]


def at_the_end(box):
    assert {one.state for one in rows(Invoice)} == {InvoiceState.POSTED}


JOURNEY = Journey("numbering", PLACES, prepare, live, check, at_the_end)
