import pytest
import sqlalchemy as sa

from portal.db import PageRequest, db
from portal.invoices import (
    InvoiceFilter,
    LineWords,
    add_line,
    find_invoices,
    post_invoice,
    post_invoices,
)
from portal.kernel.errors import Conflict, DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import entries_of
from portal.models import AccountingPeriod, AccountRole, Invoice, InvoiceState, PeriodState


def legs(row):
    return {line.account.role: line.amount for entry in entries_of(row) for line in entry.lines}


def test_posting_puts_the_invoice_on_the_books(build):
    location = build.location(zone=build.zone("6.5"))
    invoice = build.invoice("100.00", "20.00", location=location)

    post_invoice(invoice)

    assert invoice.state is InvoiceState.POSTED
    assert legs(invoice) == {
        AccountRole.RECEIVABLE: Money.of("127.80"),
        AccountRole.REVENUE: -Money.of(120),
        AccountRole.SALES_TAX: -Money.of("7.80"),
    }


def test_numbers_run_without_gaps_and_a_refused_post_burns_none(build):
    first, empty, second = build.invoice("5"), build.invoice(), build.invoice("6")
    post_invoice(first)
    with pytest.raises(DomainError, match="at least one line"):
        post_invoice(empty)
    post_invoice(second)

    assert (first.number, second.number) == ("INV-2026-00001", "INV-2026-00002")


def test_a_rolled_back_post_burns_no_number(build):
    invoice = build.invoice("5")
    db.session.commit()
    post_invoice(invoice)
    db.session.rollback()

    post_invoice(invoice)

    assert invoice.document_number == "INV-2026-00001"


def test_what_is_printed_is_copied_and_stays(build):
    customer = build.customer("Ada Lovelace", street="1 Old St", city="Springfield")
    invoice = build.posted("10", customer=customer)

    customer.name, customer.street = "Ada King", "2 New St"
    db.session.flush()

    assert invoice.bill_to.splitlines()[:2] == ["Ada Lovelace", "1 Old St"]


def test_refuses_to_post_twice(build):
    invoice = build.posted("5.00")
    with pytest.raises(DomainError, match="already posted"):
        post_invoice(invoice)


def test_a_closed_period_is_the_first_reason_told(build):
    invoice = build.invoice()
    db.session.add(AccountingPeriod(starts_on=build.today.replace(day=1), state=PeriodState.CLOSED))
    db.session.flush()

    with pytest.raises(DomainError, match="March 2026 is closed"):
        post_invoice(invoice)


def test_an_open_job_cannot_be_posted(build):
    from portal.invoices import invoice_of_job

    invoice = invoice_of_job(build.job())

    with pytest.raises(DomainError, match="not completed"):
        post_invoice(invoice)


def test_loses_the_race_politely(build):
    invoice = build.invoice("5.00")
    db.session.flush()
    db.session.execute(
        sa.update(Invoice).values(version=Invoice.version + 1),
        execution_options={"synchronize_session": False},
    )
    with pytest.raises(Conflict):
        post_invoice(invoice)
    db.session.rollback()


def test_posting_many_lists_the_refused_ones(build):
    good, empty = build.invoice("5"), build.invoice()

    outcome = post_invoices([good.id, empty.id])

    assert outcome.done == [good]
    assert [(one.id, why) for one, why in outcome.refused] == [
        (empty.id, "Add at least one line before posting.")
    ]


def test_a_list_page_costs_the_same_however_many_rows(build):
    from tests.conftest import count_statements

    counts = []
    for more in (3, 12):
        for _ in range(more):
            build.invoice("5")
        db.session.commit()
        db.session.expire_all()
        with count_statements() as statements:
            page = find_invoices(InvoiceFilter(), PageRequest(), on=build.today)
            assert [one.customer.name for one in page.rows]
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_what_changed_since_somebody_said_yes_is_not_posted(build):
    same, changed = build.invoice("10"), build.invoice("10")
    db.session.commit()
    seen = {one.id: one.version for one in (same, changed)}
    add_line(changed, LineWords("More", Quantity.of(1), UnitPrice.of(9989)))
    db.session.flush()

    outcome = post_invoices([same.id, changed.id], seen=seen)

    assert [one.id for one in outcome.done] == [same.id]
    assert "Somebody else changed it" in outcome.refused[0][1]
    assert changed.state is InvoiceState.PENDING
