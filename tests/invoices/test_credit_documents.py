"""A document with a negative total turns into credit when it is posted (decisions/0007)."""

import re
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import db
from portal.invoices import (
    LineWords,
    add_line,
    post_invoice,
    post_invoices,
    refresh_tax,
    start_credit_note,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import entries_of, verify_books
from portal.models import (
    AccountRole,
    BatchState,
    InvoiceKind,
    InvoiceState,
    Payment,
    PaymentOrigin,
)
from portal.payments import credit_given_by, credit_of
from portal.receivables import aging_totals, open_items
from portal.reports import control_ties
from tests.batches.test_posting import filled, post, reasons


def corrects(build, original, price, *, kind=InvoiceKind.ADJUSTMENT, on=None):
    """A draft whose total is `price`, made by hand to correct `original`."""
    invoice = build.invoice(price, customer=original.customer, on=on)
    invoice.kind, invoice.adjusts = kind, original
    db.session.flush()
    return invoice


def credit_row(document):
    query = sa.select(Payment).where(Payment.document_id == document.id)
    return db.session.scalars(query).one()


def test_posting_it_lowers_the_original_and_leaves_no_negative_balance(build):
    original = build.posted("100")
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)

    post_invoice(note)

    assert (note.state, note.balance, note.settled_on) == (InvoiceState.POSTED, ZERO, build.today)
    assert (original.balance, original.total) == (Money.of(70), Money.of(100))
    row = credit_row(note)
    assert (row.origin, row.amount, row.unapplied) == (
        PaymentOrigin.DOCUMENT,
        Money.of(30),
        ZERO,
    )
    assert verify_books() == []


def test_its_entry_takes_revenue_and_tax_back_against_customer_deposits(build):
    location = build.location(zone=build.zone("10"))
    original = build.posted("100", location=location)
    note = build.invoice("-50", location=location)
    note.kind, note.adjusts = InvoiceKind.CREDIT_NOTE, original

    post_invoice(note)

    legs = {line.account.role: line.amount for line in entries_of(note)[0].lines}
    assert legs == {
        AccountRole.REVENUE: Money.of(50),
        AccountRole.SALES_TAX: Money.of(5),
        AccountRole.CUSTOMER_DEPOSITS: -Money.of(55),
    }
    assert entries_of(note)[0].memo == "Credit note CN-2026-00001"


def test_what_the_original_does_not_need_stays_credit_of_the_customer(build):
    original = build.posted("100")
    build.payment(original.customer, "90", original)

    post_invoice(corrects(build, original, "-30"))

    assert original.balance == ZERO
    assert credit_of(original.customer_id) == Money.of(20)


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        (InvoiceKind.CREDIT_NOTE, "CN-2026-00001"),
        (InvoiceKind.REFUND, "RF-2026-00001"),
        (InvoiceKind.WRITE_OFF, "WO-2026-00001"),
        (InvoiceKind.ADJUSTMENT, "INV-2026-00002"),
    ],
)
def test_each_kind_counts_its_numbers_apart(build, kind, number):
    note = corrects(build, build.posted("100"), "-30", kind=kind)
    post_invoice(note)
    assert note.document_number == number


def test_two_in_one_run_never_take_more_than_the_original_has(build):
    original = build.posted("100")
    first, second = (corrects(build, original, "-60") for _ in range(2))

    outcome = post_invoices([first.id, second.id])

    assert outcome.done == [first]
    assert "only $40.00 is left" in outcome.refused[0][1]


def test_a_write_off_takes_no_more_than_is_owed(build):
    original = build.posted("100")
    build.payment(original.customer, "80", original)
    with pytest.raises(DomainError, match=r"only \$20.00 is left"):
        post_invoice(corrects(build, original, "-30", kind=InvoiceKind.WRITE_OFF))


def test_a_negative_total_that_corrects_nothing_is_not_posted(build):
    with pytest.raises(DomainError, match="The total is negative"):
        post_invoice(build.invoice("-5"))


def test_what_corrects_a_draft_is_not_posted(build):
    original = build.invoice("100")
    with pytest.raises(DomainError, match="is not posted"):
        post_invoice(corrects(build, original, "-30"))


def test_the_books_notice_a_missing_credit(build):
    note = corrects(build, build.posted("100"), "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    row = credit_row(note)
    row.returned_on = build.today
    db.session.flush()

    assert any("gives $30.00 of credit, and $0.00" in one for one in verify_books())
    db.session.rollback()


def test_aging_and_ties_of_any_day_know_when_the_credit_came(build):
    february, today = date(2026, 2, 10), build.today
    original = build.posted("100", on=february)
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    spare = corrects(build, original, "-20", kind=InvoiceKind.ADJUSTMENT)
    build.payment(original.customer, "70", original)
    post_invoice(spare)

    days = {february: "100", today - timedelta(days=1): "100", today: "0"}
    for day, owed in days.items():
        assert aging_totals(on=day).total == Money.of(owed)
        assert [tie.difference for tie in control_ties(on=day)] == [ZERO, ZERO]
    assert open_items(original.customer_id, on=today) == []


def test_many_at_once_become_credit_with_their_own_numbers(build):
    originals = [build.posted("10") for _ in range(3)]
    notes = [corrects(build, one, "-4", kind=InvoiceKind.CREDIT_NOTE) for one in originals]

    outcome = post_invoices([one.id for one in notes])

    assert [one.number for one in outcome.done] == [f"CN-2026-0000{n}" for n in (1, 2, 3)]
    assert {one.balance for one in originals} == {Money.of(6)}


def test_a_document_over_nothing_gives_no_credit(build):
    original = build.posted("100")
    note = corrects(build, original, "-5", kind=InvoiceKind.ADJUSTMENT)
    add_line(note, LineWords("Back again", Quantity.of(1), UnitPrice.of(5)))

    post_invoice(note)

    assert (note.total, note.settled_on, credit_given_by(note)) == (ZERO, build.today, None)


def test_a_long_run_goes_by_date_so_that_originals_come_before_their_credit(build, monkeypatch):
    monkeypatch.setattr("portal.invoices.posting.CHUNK", 2)
    days = [build.today, date(2026, 2, 20), date(2026, 2, 10)]
    drafts = [build.invoice("10", on=day) for day in days]
    note = corrects(build, drafts[2], "-4", kind=InvoiceKind.CREDIT_NOTE, on=days[1])

    outcome = post_invoices([note.id, *(one.id for one in drafts)])

    assert not outcome.refused
    assert [one.number for one in drafts] == [f"INV-2026-0000{n}" for n in (3, 2, 1)]
    assert drafts[2].balance == Money.of(6)


@pytest.mark.parametrize(
    ("percent", "why"), [("4.8", "Refresh the tax: another"), ("5", "only $0.52 is left")]
)
def test_two_drafts_of_one_invoice_take_back_its_tax_to_the_cent(build, percent, why):
    place = build.location(zone=build.zone(percent))
    original = build.posted("0.50", "0.50", location=place)
    first, second = (start_credit_note(original, {one.id: one.quantity}) for one in original.lines)
    db.session.commit()

    post_invoice(first)
    with pytest.raises(DomainError, match=re.escape(why)):
        post_invoice(second)

    refresh_tax(second)
    post_invoice(second)
    assert first.tax_total + second.tax_total == -original.tax_total
    assert original.balance == ZERO


def test_of_two_drafts_whose_cents_collide_the_later_takes_what_is_left(build):
    """Ten cents of 5 % are half a cent, rounded up on each: together more than was charged."""
    original = build.posted("0.10", "0.10", location=build.location(zone=build.zone("5")))
    assert original.tax_total == Money.of("0.01")
    notes = [start_credit_note(original, {line.id: Quantity.of(1)}) for line in original.lines]
    assert [one.tax_total for one in notes] == [Money.of("-0.01")] * 2

    batch = post(filled(*notes))

    assert (batch.state, reasons(batch)) == (BatchState.POSTED, [])
    assert [one.tax_total for one in notes] == [Money.of("-0.01"), ZERO]
    assert original.balance == ZERO
    assert any("earlier credit note" in one.sentence for one in trail_of(notes[1]))
