"""Every write there is, into a closed month: refused, and told which day to take instead."""

import io
from datetime import date

import pytest

from portal.db import db
from portal.imports import ask_for_check, problems_of, start_run
from portal.invoices import (
    LineWords,
    add_line,
    cancel_invoice,
    change_invoice,
    change_line,
    change_summary,
    invoice_of_job,
    post_invoice,
    refresh_tax,
    remove_line,
)
from portal.jobs import cancel_job, complete_job
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through, post_entry, reverse_entry
from portal.ledger.posting import Leg
from portal.models import AccountRole, ImportSubject, JournalEntry
from portal.payments import apply_credit, apply_oldest_first, apply_payment, unapply
from portal.tasks import run_waiting
from portal.web import PageRequest
from tests.invoices.test_rules_of_the_field import facts

JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)
IN_JANUARY = date(2026, 1, 31)
LINE = LineWords("More", Quantity.of(1), UnitPrice.of(5))
CLOSED = r"The accounting period January 2026 is closed\. The next open day is Feb 1, 2026\."


class World:
    """One of everything dated in January."""

    def __init__(self, build):
        self.build = build
        self.draft = build.invoice("10", on=date(2026, 1, 5))
        self.customer = self.draft.customer
        self.posted = build.posted("50", on=date(2026, 1, 5), customer=self.customer)
        self.used = build.payment(self.customer, "20", on=date(2026, 1, 6))
        apply_payment(self.used, self.posted, self.used.amount, on=date(2026, 1, 6))
        self.credit = build.payment(self.customer, "20", on=date(2026, 1, 6))
        self.february = build.invoice("10", on=date(2026, 2, 5), customer=self.customer)
        self.job = build.job(items=(build.item(),))
        self.dated = build.job()
        self.draft_of_job = invoice_of_job(self.dated)
        self.draft_of_job.invoice_date = IN_JANUARY
        self.entry = db.session.query(JournalEntry).first()
        db.session.commit()

    def move_in(self):
        wanted = facts(self.february, invoice_date=IN_JANUARY)
        change_invoice(self.february, wanted, version=self.february.version)

    def change(self):
        wanted = facts(self.draft, purchase_order="7")
        change_invoice(self.draft, wanted, version=self.draft.version)

    def rewrite(self):
        change_line(self.draft, self.draft.lines[0], LINE, version=self.draft.version)

    def cancel_job(self):
        cancel_job(self.dated, because="Rain")


WRITES = {
    "create an invoice": lambda w: w.build.invoice("1", on=IN_JANUARY),
    "change its facts": World.change,
    "move a draft in": World.move_in,
    "add a line": lambda w: add_line(w.draft, LINE),
    "change a line": World.rewrite,
    "remove a line": lambda w: remove_line(w.draft, w.draft.lines[0]),
    "refresh its tax": lambda w: refresh_tax(w.draft),
    "cancel it": lambda w: cancel_invoice(w.draft, because="Too late"),
    "post it": lambda w: post_invoice(w.draft),
    "receive money": lambda w: w.build.payment(w.customer, "1", on=IN_JANUARY),
    "receive money for it": lambda w: w.build.payment(w.customer, "1", w.posted, on=IN_JANUARY),
    "apply money": lambda w: apply_payment(w.credit, w.draft, Money.of(1), on=IN_JANUARY),
    "apply to the oldest": lambda w: apply_oldest_first(w.credit, on=IN_JANUARY),
    "use credit": lambda w: apply_credit(w.posted, on=IN_JANUARY),
    "take money back": lambda w: unapply(w.used.applications[0], on=IN_JANUARY),
    "cancel a job with its draft": World.cancel_job,
    "complete a job": lambda w: complete_job(w.job, on=IN_JANUARY),
    "write an entry": lambda w: post_entry(
        on=IN_JANUARY, memo="x", source=("invoice", w.posted.id), legs=[
            Leg(AccountRole.CHECKING, Money.of(1)), Leg(AccountRole.REVENUE, Money.of(-1))]),
    "reverse an entry": lambda w: reverse_entry(w.entry, on=IN_JANUARY, memo="x"),
}  # fmt: skip


@pytest.mark.parametrize("write", WRITES)
def test_a_closed_month_refuses(build, write):
    world = World(build)
    close_through(JANUARY)
    db.session.commit()

    with pytest.raises(DomainError, match=CLOSED):
        WRITES[write](world)


@pytest.mark.parametrize("write", WRITES)
def test_an_open_month_does_not(build, write):
    """The same writes succeed there, so that it is the closing that refuses."""
    world = World(build)

    if write not in ("cancel it", "write an entry", "reverse an entry"):
        WRITES[write](world)
    db.session.rollback()


@pytest.mark.parametrize(
    ("subject", "number", "column"),
    [
        (ImportSubject.INVOICES, "Invoice number", "Invoice date"),
        (ImportSubject.PAYMENTS, "Payment number", "Received on"),
    ],
)
def test_a_closed_month_takes_no_import(build, subject, number, column):
    text = f"{number},Customer,Date,Amount\nA-1,Ada,2026-01-15,10\n"
    build.customer("Ada")
    close_through(JANUARY)
    run = start_run(subject, io.BytesIO(text.encode()), name="file.csv", by=None)
    ask_for_check(run, run.mapping)
    db.session.commit()
    run_waiting()

    (problem,) = problems_of(run, PageRequest()).rows

    assert problem.column == column
    assert problem.sentence.startswith("The accounting period January 2026 is closed. The next")


def test_the_summary_is_the_exception(build):
    world = World(build)
    close_through(JANUARY)

    for invoice in (world.draft, world.posted):
        change_summary(invoice, "Fixed the furnace.", version=invoice.version)

    assert world.posted.summary == "Fixed the furnace."


def test_a_job_whose_draft_is_stuck_in_a_closed_month_is_completed_in_an_open_one(build):
    job = build.job(items=(build.item(),))
    invoice = invoice_of_job(job)
    change_invoice(invoice, facts(invoice, invoice_date=IN_JANUARY), version=invoice.version)
    close_through(JANUARY)

    complete_job(job, on=MARCH)

    assert invoice.invoice_date == MARCH


def test_the_refusal_writes_days_as_the_company_does(build):
    from portal.company import company

    company().locale = "en_GB"
    close_through(JANUARY)

    with pytest.raises(DomainError, match="The next open day is 1 Feb 2026"):
        build.invoice("1", on=IN_JANUARY)
