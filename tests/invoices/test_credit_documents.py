"""A document with a negative total turns into credit when it is posted (decisions/0007)."""

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import post_invoice, post_invoices
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.ledger import entries_of, verify_books
from portal.models import (
    AccountRole,
    InvoiceKind,
    InvoiceState,
    Payment,
    PaymentOrigin,
)
from portal.payments import credit_of


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
