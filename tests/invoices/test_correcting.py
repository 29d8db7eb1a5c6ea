"""Adjustment, credit note and write-off: what each takes off, and who knows of it."""

from datetime import date, timedelta

import pytest

from portal.audit import trail_of
from portal.db import db
from portal.invoices import (
    LineWords,
    add_line,
    cancel_invoice,
    change_line,
    correction_problem,
    family_of,
    invoice_of_job,
    left_to_credit,
    post_invoice,
    refresh_tax,
    remove_line,
    start_adjustment,
    start_credit_note,
    unpost_invoice,
    write_off,
)
from portal.jobs import complete_job
from portal.kernel.errors import DomainError, InvalidFields, PeriodClosed
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, Rate, UnitPrice
from portal.ledger import close_through, entries_of
from portal.models import (
    AccountingPeriod,
    AccountRole,
    InvoiceKind,
    InvoiceState,
    ItemKind,
    JobState,
    PaidState,
    PeriodState,
    TaxBase,
)
from portal.payments import credit_of
from portal.taxes import RateWords, change_zone


def line(price, *, quantity="1", description="Part"):
    return LineWords(description, Quantity.of(quantity), UnitPrice.of(price))


def test_an_adjustment_begins_empty_with_the_originals_facts(build):
    location = build.location(zone=build.zone("10"))
    original = build.posted("100", location=location, term="Net 30", on=date(2026, 2, 1))

    draft = start_adjustment(original, because="wrong balance")

    assert (draft.kind, draft.state, draft.total) == (
        InvoiceKind.ADJUSTMENT,
        InvoiceState.PENDING,
        ZERO,
    )
    assert (draft.customer, draft.location, draft.tax_zone, draft.term) == (
        original.customer,
        location,
        location.tax_zone,
        original.term,
    )
    assert (draft.invoice_date, draft.due_date) == (build.today, build.today + timedelta(days=30))
    assert (draft.reason, draft.lines) == ("wrong balance", [])


def test_negative_quantities_belong_on_adjustments_only(build):
    original = build.posted("100", "50")
    draft = start_adjustment(original)
    add_line(draft, line(50, quantity="-1"))

    assert draft.total == Money.of(-50)
    with pytest.raises(InvalidFields, match="post it and adjust it"):
        add_line(build.invoice("10"), line(50, quantity="-1"))


def test_an_adjustment_never_changes_the_original(build):
    original = build.posted("100")
    draft = start_adjustment(original)
    add_line(draft, line(25))
    post_invoice(draft)

    assert (original.total, original.balance) == (Money.of(100), Money.of(100))
    assert (draft.number, draft.balance) == ("INV-2026-00002", Money.of(25))
    assert family_of(original).balance == Money.of(125)


def test_a_negative_adjustment_is_refused_beyond_the_original_and_undone(build):
    original = build.posted("100")
    draft = start_adjustment(original)
    add_line(draft, line(60, quantity="-1"))

    with pytest.raises(DomainError, match=r"takes \$120.00 off .* only \$100.00 is left"):
        add_line(draft, line(60, quantity="-1"))

    assert (len(draft.lines), draft.total) == (1, Money.of(-60))
    post_invoice(draft)
    assert original.balance == Money.of(40)


def test_a_credit_note_copies_the_lines_and_reads_positive(build):
    location = build.location(zone=build.zone("10"))
    original = build.posted("100", "20", location=location)

    note = start_credit_note(original, because="bad work")

    assert [one.quantity for one in note.lines] == [Quantity.of(-1)] * 2
    assert (note.total, note.shown(note.total)) == (Money.of(-132), Money.of(132))
    assert (note.due_date, note.reason) == (None, "bad work")
    post_invoice(note)
    assert (original.balance, original.paid_state) == (ZERO, PaidState.CREDITED)
    assert note.paid_state is PaidState.CREDITED


def test_chosen_lines_and_part_of_a_quantity(build):
    original = build.invoice("100")
    add_line(original, line(10, quantity="5"))
    post_invoice(original)
    five = original.lines[1]

    note = start_credit_note(original, {five.id: Quantity.of(2)})

    assert (note.total, len(note.lines)) == (Money.of(-20), 1)
    for wrong in ("6", "0", "-1"):
        with pytest.raises(InvalidFields, match="up to 5"):
            start_credit_note(original, {five.id: Quantity.of(wrong)})
    with pytest.raises(DomainError, match="Tick at least one line"):
        start_credit_note(original, {})


def test_lines_of_a_credit_note_are_typed_positive(build):
    original = build.posted("100")
    note = start_credit_note(original)
    change_line(note, note.lines[0], line(40), version=note.version)
    db.session.flush()

    assert (note.lines[0].quantity, note.total) == (Quantity.of(-1), Money.of(-40))
    with pytest.raises(InvalidFields, match="takes off by itself"):
        change_line(note, note.lines[0], line(40, quantity="-1"), version=note.version)
    with pytest.raises(DomainError, match=r"only \$100.00 is left"):
        add_line(note, line(61))
    add_line(note, line(60))
    remove_line(note, note.lines[0])
    assert note.total == Money.of(-60)


def test_a_discount_is_given_back_as_less(build):
    original = build.invoice("100")
    words = LineWords("Goodwill", Quantity.of(1), UnitPrice.of(30), kind=ItemKind.DISCOUNT)
    add_line(original, words)
    post_invoice(original)

    note = start_credit_note(original)

    assert note.total == Money.of(-70)
    post_invoice(note)
    legs = {one.account.role: one.amount for one in entries_of(note)[0].lines}
    assert legs[AccountRole.DISCOUNTS] == Money.of(-30)


def test_it_is_taxed_as_the_original_was(build):
    zone = build.zone("10")
    original = build.posted("100", location=build.location(zone=zone))
    change_zone(
        zone,
        version=zone.version,
        name=zone.name,
        active=True,
        rates=[RateWords("Authority 0", TaxBase.SUBTOTAL, Rate.percent("20"), date(2020, 1, 1))],
    )
    db.session.flush()

    note = start_credit_note(original)

    assert note.tax_total == Money.of(-10)
    draft = start_adjustment(original)
    add_line(draft, line(10))
    assert draft.tax_total == Money.of(2)


def test_credits_of_all_parts_leave_no_cent(build):
    original = build.posted("0.70", "0.70", "0.70", location=build.location(zone=build.zone("7.5")))
    assert original.total == Money.of("2.26")  # 0.16 of tax; three parts would say 0.05 each

    for part in original.lines:
        post_invoice(start_credit_note(original, {part.id: part.quantity}))

    assert (original.balance, left_to_credit(original)) == (ZERO, ZERO)


def test_parts_rounded_up_never_take_more_tax_than_was_charged(build):
    original = build.posted("0.74", "0.74", location=build.location(zone=build.zone("6.5")))
    drafts = [start_credit_note(original, {one.id: one.quantity}) for one in original.lines]
    post_invoice(drafts[0])
    refresh_tax(drafts[1])
    post_invoice(drafts[1])

    assert (original.balance, left_to_credit(original)) == (ZERO, ZERO)


def test_crediting_more_than_the_original_is_refused_at_saving_and_at_posting(build):
    original = build.posted("100")
    first, second = start_credit_note(original), start_credit_note(original)
    post_invoice(first)

    with pytest.raises(DomainError, match=r"only \$0.00 is left"):
        post_invoice(second)
    with pytest.raises(DomainError, match="Nothing of invoice INV-2026-00001 is left to credit"):
        start_credit_note(original)


def test_a_paid_original_turns_into_credit_of_the_customer(build):
    original = build.posted("100")
    build.payment(original.customer, "100", original)

    post_invoice(start_credit_note(original))

    assert credit_of(original.customer_id) == Money.of(100)
    family = family_of(original)
    assert (family.balance, family.credit) == (Money.of(-100), Money.of(100))


def test_a_write_off_is_posted_at_once_against_bad_debt(build):
    original = build.posted("100", location=build.location(zone=build.zone("10")))
    build.payment(original.customer, "50", original)

    document = write_off(original, because="bankrupt")

    assert (document.number, document.state) == ("WO-2026-00001", InvoiceState.POSTED)
    assert (document.total, document.tax_total, original.balance) == (Money.of(-60), ZERO, ZERO)
    legs = {one.account.role: one.amount for one in entries_of(document)[0].lines}
    assert legs == {
        AccountRole.BAD_DEBT: Money.of(60),
        AccountRole.CUSTOMER_DEPOSITS: Money.of(-60),
    }


def test_a_write_off_of_part_of_it_and_undone(build):
    original = build.posted("100")
    document = write_off(original, Money.of("0.01"), because="rounding")
    assert original.balance == Money.of("99.99")

    unpost_invoice(document, because="paid after all")
    cancel_invoice(document, because="paid after all")

    assert (original.balance, document.state) == (Money.of(100), InvoiceState.CANCELLED)
    assert document.document_number == "WO-2026-00001"


@pytest.mark.parametrize(
    ("amount", "because", "sentence"),
    [
        ("100.01", "x", r"Only \$100.00 is still owed"),
        ("0", "x", "at least one cent"),
        ("-5", "x", "at least one cent"),
        ("10", " ", "Say why"),
    ],
)
def test_a_write_off_needs_a_reason_and_stays_within_what_is_owed(build, amount, because, sentence):
    original = build.posted("100")
    with pytest.raises(InvalidFields, match=sentence):
        write_off(original, Money.of(amount), because=because)


KINDS = [InvoiceKind.ADJUSTMENT, InvoiceKind.CREDIT_NOTE, InvoiceKind.WRITE_OFF]


@pytest.mark.parametrize("kind", KINDS)
def test_only_final_documents_that_charge_something_are_corrected(build, kind):
    original = build.posted("100")
    assert correction_problem(original, kind) is None
    original.state = InvoiceState.EXPORTED
    assert correction_problem(original, kind) is None
    original.state = InvoiceState.POSTED

    assert "edit it instead" in correction_problem(build.invoice("1"), kind)
    note = start_credit_note(original)
    post_invoice(note)
    assert "takes off already" in correction_problem(note, kind)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_corrected_while_its_job_is_open(build, kind):
    job = build.job(items=(build.item("50"),))
    complete_job(job)
    invoice = invoice_of_job(job)
    post_invoice(invoice)
    job.state = JobState.IN_PROGRESS
    assert correction_problem(invoice, kind) == "The job is not completed yet."


@pytest.mark.parametrize(
    "start",
    [start_adjustment, start_credit_note, lambda one: write_off(one, because="x")],
    ids=["adjustment", "credit note", "write-off"],
)
def test_a_closed_month_takes_no_correction(build, start):
    original = build.posted("100", on=date(2026, 2, 1))
    db.session.add(AccountingPeriod(starts_on=build.today.replace(day=1), state=PeriodState.CLOSED))
    db.session.flush()
    with pytest.raises(PeriodClosed, match="March 2026 is closed"):
        start(original)


def test_an_exported_original_in_a_closed_month_is_corrected_today(build):
    original = build.posted("100", on=date(2026, 2, 1))
    original.state = InvoiceState.EXPORTED
    close_through(date(2026, 2, 28))

    note = start_credit_note(original)
    post_invoice(note)

    assert (note.invoice_date, original.balance) == (build.today, ZERO)


def test_a_credit_note_is_not_dated_before_what_it_credits(build):
    original = build.posted("100")
    note = start_credit_note(original)
    note.invoice_date = build.today - timedelta(days=1)
    db.session.flush()
    with pytest.raises(DomainError, match="dated before invoice"):
        post_invoice(note)


def test_both_timelines_tell_of_it_and_the_family_knows_its_members(build):
    original = build.posted("100")
    note = start_credit_note(original, because="bad work")
    post_invoice(note)
    draft = start_adjustment(original)
    db.session.commit()

    told = [one.sentence for one in trail_of(original)]
    assert "Credit note M-2026-00002 was begun for it: bad work" in told
    assert "Credit note CN-2026-00001 was posted: $100.00." in told
    assert any("for invoice INV-2026-00001: bad work" in one.sentence for one in trail_of(note))
    for member in (original, note, draft):
        family = family_of(member)
        assert (family.original, list(family.corrections)) == (original, [note, draft])
        assert family.balance == ZERO


def test_a_credit_note_of_an_adjustment_is_of_the_same_family(build):
    original = build.posted("100")
    more = start_adjustment(original)
    add_line(more, line(50))
    post_invoice(more)
    post_invoice(start_credit_note(more))

    family = family_of(more)
    assert (len(family.members), family.balance) == (3, Money.of(100))


def test_a_cancelled_correction_is_told_in_the_originals_timeline(build):
    original = build.posted("100")
    cancel_invoice(start_credit_note(original), because="not needed")
    db.session.commit()

    assert any("was cancelled: not needed" in one.sentence for one in trail_of(original))
    assert left_to_credit(original) == Money.of(100)
