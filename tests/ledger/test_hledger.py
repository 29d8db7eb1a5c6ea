"""Two programs add up the same books: ours and hledger."""

import io
from datetime import date, timedelta

import pytest

from portal.db import db
from portal.imports import ask_for_check, ask_for_saving, start_run
from portal.ledger import verify_books
from portal.models import ImportState, ImportSubject
from portal.tasks import run_waiting
from tests.ledger.hledger import hledger_balances, our_balances

INVOICES, CUSTOMERS = 50_000, 5_000


def test_hledger_adds_up_what_we_add_up(build, tmp_path):
    invoice = build.posted("100", "-0.01", on=date(2026, 2, 1))
    build.payment(invoice.customer, "80", invoice, on=date(2026, 2, 10))
    build.payment(invoice.customer, "33.33", on=date(2026, 2, 10))

    ours = our_balances(build.today)

    assert len(ours) == 4
    assert hledger_balances(tmp_path) == ours


@pytest.mark.long
def test_hledger_agrees_on_fifty_thousand_imported_invoices(app, build, tmp_path):
    bring(ImportSubject.CUSTOMERS, "Number,Name", (f"C{n},Customer {n}" for n in range(CUSTOMERS)))
    bring(ImportSubject.INVOICES, "Num,Customer,Date,Amount,Tax,Open Balance,Paid On", rows(build))

    assert verify_books() == []
    ours = our_balances(build.today)
    assert set(ours) == {"1200", "3900"}
    assert hledger_balances(tmp_path) == ours


def rows(build):
    """A third is open, a third half paid, the rest paid in full."""
    for n in range(INVOICES):
        day = build.today - timedelta(days=n % 700)
        cents = 5_000 + n * 37 % 195_000
        left = (cents, cents // 2, 0)[n % 3]
        paid = "" if left == cents else min(day + timedelta(days=n % 50), build.today)
        yield (
            f"A-{n},C{n % CUSTOMERS},{day},{cents / 100:.2f},{cents * 6 // 100 / 100:.2f},"
            f"{left / 100:.2f},{paid}"
        )


def bring(subject, titles, lines):
    """The whole way an office goes: upload, check, save."""
    run = start_run(
        subject, io.BytesIO("\n".join([titles, *lines]).encode()), name="x.csv", by=None
    )
    ask_for_check(run, run.mapping)
    db.session.commit()
    run_waiting()
    assert run.rows_bad == 0
    ask_for_saving(run)
    db.session.commit()
    run_waiting()
    assert run.state is ImportState.DONE
