"""Every invariant is broken once, on purpose: verify-books names the very row, and both figures."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.db.triggers import APPEND_ONLY
from portal.kernel import clock
from portal.kernel.money import Money
from portal.ledger import (
    account_id_for,
    broken_invariants,
    close_through,
    entries_of,
    reverse_entry,
    verify_books,
)
from portal.models import (
    AccountingPeriod,
    AccountRole,
    Invoice,
    InvoiceState,
    JournalEntry,
    JournalLine,
    NumberSeries,
    Payment,
    PaymentApplication,
)

LATER = date(2026, 3, 1)


@pytest.fixture(autouse=True)
def broken_on_purpose(app):
    """What these tests break is never kept."""
    yield
    db.session.rollback()


@pytest.fixture
def house(build):
    """A paid invoice, money of it, and a draft; the journal's guards are off until rolled back."""
    customer = build.customer("Ada")
    invoice = build.posted("100", customer=customer, on=date(2026, 2, 2))
    payment = build.payment(customer, "60", invoice, on=date(2026, 2, 3))
    draft = build.invoice("30", customer=customer)
    db.session.commit()
    _drop_guards()
    assert verify_books() == []
    return invoice, payment, draft


def _drop_guards():
    postgresql = db.engine.dialect.name == "postgresql"
    verbs = ("change", "truncate") if postgresql else ("update", "delete", "replace")
    for table in APPEND_ONLY:
        for verb in verbs:
            on = f" ON {table}" if postgresql else ""
            db.session.execute(sa.text(f"DROP TRIGGER {table}_no_{verb}{on}"))


def change(table, row_id, **values):
    db.session.execute(
        sa.update(table)
        .where(table.id == row_id)
        .values(values)
        .execution_options(synchronize_session=False)
    )


def entry_of(row):
    return db.session.get_one(JournalEntry, entries_of(row)[0].id)


def line_of(entry, role):
    account = account_id_for(role)
    return next(line for line in entry.lines if line.account_id == account)


def test_an_entry_that_does_not_balance(house):
    entry = entry_of(house[0])
    change(JournalLine, line_of(entry, AccountRole.REVENUE).id, amount=Money.of(-99))

    assert f"Journal entry {entry.id} adds up to $1.00; it should be $0.00." in verify_books()


def test_a_line_of_another_day_than_its_entry(house):
    entry = entry_of(house[0])
    line = line_of(entry, AccountRole.REVENUE)
    change(JournalLine, line.id, entry_date=LATER)

    wanted = f"Line {line.id} says 2026-03-01; its journal entry {entry.id} says 2026-02-02."
    assert wanted in verify_books()


def test_an_invoice_that_is_not_the_sum_of_its_lines(house):
    invoice = house[0]
    change(Invoice, invoice.id, subtotal=Money.of(90), tax_total=Money.of(10))

    assert verify_books() == [
        f"Invoice {invoice.reference_number} says $90.00 and $10.00 tax make $100.00; its lines "
        "say $100.00, its taxes $0.00."
    ]


def test_a_balance_that_its_payments_deny(house):
    invoice = house[0]
    change(Invoice, invoice.id, balance=Money.of(41))

    number = invoice.reference_number
    assert verify_books() == [
        f"Invoice {number} says its balance is $41.00; its payments say $40.00.",
        f"Accounts Receivable has $40.00 for invoice {number}, which says $41.00.",
    ]


def test_days_of_settling_and_of_the_last_application(house):
    invoice = house[0]
    change(Invoice, invoice.id, settled_on=LATER, last_applied_on=LATER)

    number = invoice.reference_number
    assert verify_books() == [
        f"Invoice {number} says it was settled on 2026-03-01; its balance is $40.00.",
        f"Invoice {number} says money was last applied on 2026-03-01; its payments say 2026-02-03.",
    ]


def test_credit_that_its_applications_deny(house):
    payment = house[1]
    change(Payment, payment.id, unapplied=Money.of(5))

    problems = verify_books()

    assert (
        problems[0] == f"Payment {payment.id} says $5.00 is unapplied; its applications say $0.00."
    )
    assert problems[1].startswith("Customer Deposits is off by $5.00 for customer")


def test_a_number_that_no_document_has(house, build):
    build.posted("1", on=date(2026, 2, 2))
    change(Invoice, house[0].id, document_number="INV-2026-00004")
    change_series(5)

    assert verify_books() == [
        "Number INV-2026-00001 is missing: no document has it.",
        "Number INV-2026-00003 is missing: no document has it.",
        "Series INV-2026 says 5 numbers were given out; the highest on a document is 4.",
    ]


def change_series(last):
    db.session.execute(
        sa.update(NumberSeries).where(NumberSeries.series == "INV").values(last_number=last)
    )


def test_a_posted_invoice_whose_entry_was_reversed(house):
    invoice = house[0]
    reverse_entry(entry_of(invoice), on=LATER, memo="Gone")

    problems = verify_books()

    assert (
        f"Invoice {invoice.document_number} is posted and has 0 journal entries that stand; it "
        "should have 1." in problems
    )


def test_a_draft_with_an_entry(house):
    draft = house[2]
    invoice_entry = entry_of(house[0])
    change(JournalEntry, invoice_entry.id, source_id=draft.id)

    problems = verify_books()

    assert (
        f"Invoice {draft.reference_number} is pending and has 1 journal entries that stand; it "
        "should have 0." in problems
    )


def test_an_application_that_is_not_booked(house):
    invoice, payment, _draft = house
    (row,) = db.session.scalars(sa.select(PaymentApplication))
    change(PaymentApplication, row.id, amount=Money.of(70))

    assert (
        f"Application {row.id} of payment {payment.id} to invoice {invoice.document_number} is "
        "booked with $60.00; it should be $70.00." in verify_books()
    )


def test_an_application_to_a_draft_that_is_booked(house):
    invoice, payment, _draft = house
    (row,) = db.session.scalars(sa.select(PaymentApplication))
    change(Invoice, invoice.id, state=InvoiceState.PENDING)

    assert (
        f"Application {row.id} of payment {payment.id} to invoice {invoice.document_number} is "
        "booked with $60.00; it should be $0.00." in verify_books()
    )


def test_a_reversal_that_mirrors_something_else(house):
    original = entry_of(house[1])
    reversal = reverse_entry(original, on=LATER, memo="Gone")
    lines = db.session.scalars(sa.select(JournalLine).where(JournalLine.entry_id == reversal)).all()
    change(JournalLine, lines[0].id, account_id=account_id_for(AccountRole.CHECKING))

    wanted = f"Journal entry {reversal} is not the mirror image of entry {original.id}."
    assert wanted in verify_books()


def test_a_reversal_before_its_original(house):
    original = entry_of(house[1])
    reversal = reverse_entry(original, on=date(2026, 2, 1), memo="Too early")

    assert (
        f"Journal entry {reversal} of 2026-02-01 reverses entry {original.id}, which is of "
        "2026-02-03." in verify_books()
    )


def test_an_entry_written_into_a_month_after_its_closing(house):
    close_through(date(2026, 2, 1))
    db.session.flush()
    db.session.execute(
        sa.update(AccountingPeriod).values(changed_at=clock.now() - timedelta(hours=1))
    )

    problems = verify_books()

    first = entry_of(house[0]).id
    assert problems[0] == (
        f"Journal entry {first} was written into February 2026 after that month was closed."
    )
    assert len(problems) == 3


def test_an_entry_of_nothing(house):
    entry = entry_of(house[0])
    change(JournalEntry, entry.id, source_id=999_999)

    wanted = f"Journal entry {entry.id} is of invoice 999999, which does not exist."
    assert wanted in verify_books()


def test_many_broken_rows_are_counted_and_the_oldest_named(build):
    for _ in range(23):
        build.invoice("5")
    oldest = db.session.scalar(sa.select(Invoice.reference_number).order_by(Invoice.id))
    db.session.execute(sa.update(Invoice).values(balance=Money.of(4)))

    (broken,) = broken_invariants()

    assert (broken.count, len(broken.first)) == (23, 20)
    assert broken.first[0] == f"Invoice {oldest} says its balance is $4.00; its payments say $5.00."
    assert verify_books()[-1] == "… and 3 more like this."
    db.session.rollback()
