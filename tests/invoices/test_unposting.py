"""Unposting: a reversal, the number kept, money back in Customer Deposits."""

from datetime import date

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.db import db
from portal.invoices import (
    LineWords,
    add_line,
    get_invoice,
    post_invoice,
    post_invoices,
    unpost_invoice,
    unpost_invoices,
)
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import entries_of, trial_balance, verify_books
from portal.models import (
    AccountingPeriod,
    AccountRole,
    Invoice,
    InvoiceKind,
    InvoiceState,
    PeriodState,
    SentState,
)
from portal.payments import apply_credit, credit_of, unapply
from portal.receivables import aging_totals
from portal.reports import control_ties
from tests.invoices.test_credit_documents import corrects, credit_row


def balances(on):
    return {row.account.role: row.balance for row in trial_balance(on) if row.balance}


def test_an_unposted_invoice_is_a_draft_that_keeps_its_number(build):
    invoice = build.posted("100")
    invoice.sent_state = SentState.SENT
    number = invoice.document_number

    unpost_invoice(invoice, because="wrong price")

    assert (invoice.state, invoice.document_number) == (InvoiceState.PENDING, number)
    assert (invoice.settled_on, invoice.posted_at, invoice.bill_to) == (None, None, "")
    assert invoice.sent_state is SentState.SENT
    assert balances(build.today) == {}


def test_its_entry_is_reversed_on_its_own_day_and_stays_readable(build):
    day = date(2026, 2, 10)
    invoice = build.posted("100", on=day)

    unpost_invoice(invoice, because="wrong price")

    posted, undone = entries_of(invoice)
    assert undone.reverses_id == posted.id
    assert (posted.entry_date, undone.entry_date) == (day, day)
    assert aging_totals(on=day).total == ZERO


def test_posted_again_it_has_the_same_number_and_the_next_one_is_not_skipped(build):
    invoice = build.posted("100")
    unpost_invoice(invoice, because="wrong price")
    add_line(invoice, LineWords("More", Quantity.of(1), UnitPrice.of(20)))
    post_invoice(invoice)

    assert (invoice.number, invoice.balance) == ("INV-2026-00001", Money.of(120))
    assert build.posted("5").number == "INV-2026-00002"
    assert balances(build.today)[AccountRole.RECEIVABLE] == Money.of(125)


def test_money_applied_waits_in_customer_deposits_and_comes_back(build):
    invoice = build.posted("100")
    build.payment(invoice.customer, "100", invoice)

    unpost_invoice(invoice, because="wrong day")

    assert invoice.balance == ZERO
    assert balances(build.today)[AccountRole.CUSTOMER_DEPOSITS] == -Money.of(100)
    assert [tie.difference for tie in control_ties(on=build.today)] == [ZERO, ZERO]
    post_invoice(invoice)
    assert AccountRole.CUSTOMER_DEPOSITS not in balances(build.today)
    assert invoice.settled_on == build.today


def test_unposted_and_posted_three_times_the_books_hold(build):
    invoice = build.posted("100")
    build.payment(invoice.customer, "30", invoice)
    for _ in range(3):
        unpost_invoice(invoice, because="again")
        assert verify_books() == []
        post_invoice(invoice)
        assert verify_books() == []

    assert invoice.balance == Money.of(70)


def test_credit_of_an_unposted_document_is_taken_back_and_returned(build):
    original = build.posted("100")
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)

    unpost_invoice(note, because="too soon")

    assert (original.balance, note.balance) == (Money.of(100), -Money.of(30))
    row = credit_row(note)
    assert (row.unapplied, row.returned_on) == (ZERO, note.invoice_date)
    assert credit_of(original.customer_id) == ZERO
    post_invoice(note)
    assert (note.number, original.balance) == ("CN-2026-00001", Money.of(70))


def test_credit_used_elsewhere_is_owed_there_again(build):
    original = build.posted("100")
    build.payment(original.customer, "100", original)
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    other, draft = build.posted("10", customer=original.customer), build.invoice("15")
    draft.customer = original.customer
    for invoice in (other, draft):
        apply_credit(invoice, on=build.today)
    assert (other.balance, draft.balance) == (ZERO, ZERO)

    unpost_invoice(note, because="too soon")

    assert (other.balance, draft.balance) == (Money.of(10), Money.of(15))
    assert [tie.difference for tie in control_ties(on=build.today)] == [ZERO, ZERO]


def test_credit_that_was_paid_out_keeps_the_document_posted(build):
    original = build.posted("100")
    build.payment(original.customer, "100", original)
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    row = credit_row(note)
    row.unapplied = Money.of(10)  # as if twenty had been refunded
    db.session.flush()

    with pytest.raises(DomainError, match="paid out to the customer"):
        unpost_invoice(note, because="too soon")
    db.session.rollback()


def test_what_is_corrected_leaves_only_with_its_corrections(build):
    original = build.posted("100")
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)

    with pytest.raises(DomainError, match="Credit note CN-2026-00001 hangs on it"):
        unpost_invoice(original, because="wrong customer")
    outcome = unpost_invoices([original.id, note.id], because="wrong customer")

    assert not outcome.refused
    assert balances(build.today) == {}
    assert original.balance == Money.of(100)
    outcome = post_invoices([note.id, original.id])
    assert not outcome.refused
    assert original.balance == Money.of(70)


def test_what_stays_posted_holds_what_it_corrects(build):
    original = build.posted("100")
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    note.state = InvoiceState.EXPORTED
    db.session.flush()

    outcome = unpost_invoices([original.id, note.id], because="wrong customer")

    assert outcome.done == []
    assert {one.id for one, _ in outcome.refused} == {original.id, note.id}


@pytest.mark.parametrize("state", [InvoiceState.EXPORTED, InvoiceState.PENDING])
def test_only_posted_ones_are_unposted(build, state):
    invoice = build.invoice("100") if state is InvoiceState.PENDING else build.posted("100")
    invoice.state = state
    db.session.flush()
    with pytest.raises(DomainError, match=r"already exported|not on the books"):
        unpost_invoice(invoice, because="x")


def test_credit_on_an_exported_invoice_is_taken_back_there_first(build):
    original = build.posted("100")
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    original.state = InvoiceState.EXPORTED
    db.session.flush()

    with pytest.raises(DomainError, match=f"{original.number}, which was exported. Take it back"):
        unpost_invoice(note, because="x")
    assert unpost_invoices([note.id], because="x").done == []
    assert original.balance == Money.of(70)

    unapply(credit_row(note).applications[0])
    unpost_invoice(note, because="x")
    assert (original.balance, note.state) == (Money.of(100), InvoiceState.PENDING)


def test_a_closed_period_is_told_before_the_export_status(build):
    invoice = build.posted("100")
    invoice.state = InvoiceState.EXPORTED
    db.session.add(AccountingPeriod(starts_on=build.today.replace(day=1), state=PeriodState.CLOSED))
    db.session.flush()
    with pytest.raises(DomainError, match="March 2026 is closed"):
        unpost_invoice(invoice, because="x")


def test_a_reason_is_asked_and_told_in_the_timeline(build):
    original = build.posted("100")
    note = corrects(build, original, "-30", kind=InvoiceKind.CREDIT_NOTE)
    post_invoice(note)
    with pytest.raises(DomainError, match="Say why"):
        unpost_invoice(note, because=" ")

    unpost_invoice(note, because="typed twice")
    db.session.commit()

    assert any("Unposted, keeping its number: typed twice" in one.sentence
               for one in trail_of(note))  # fmt: skip
    assert any("Credit note CN-2026-00001 was unposted: typed twice" in one.sentence
               for one in trail_of(original))  # fmt: skip


def test_what_somebody_changed_meanwhile_is_not_unposted(build):
    invoice = build.posted("100")
    db.session.flush()
    db.session.execute(
        sa.update(Invoice).values(version=Invoice.version + 1),
        execution_options={"synchronize_session": False},
    )
    with pytest.raises((Conflict, DomainError), match="Somebody else changed"):
        unpost_invoice(invoice, because="x")
    db.session.rollback()


def test_an_invoice_of_a_batch_leaves_with_its_batch(build):
    from portal.models import Batch

    invoice = build.posted("100")
    batch = Batch(name="March", number="B-1")
    db.session.add(batch)
    db.session.flush()
    invoice.batch_id = batch.id
    with pytest.raises(DomainError, match="Unpost the batch"):
        unpost_invoice(invoice, because="x")
    assert unpost_invoices([invoice.id], because="the batch").done == [get_invoice(invoice.id)]
