"""What a page says about the books, about returned money, and about what is undone."""

import re
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import unpost_invoice, write_off
from portal.kernel.money import ZERO
from portal.ledger import entries_about
from portal.payments import ReturnReason, return_payment, unapply
from tests.conftest import staff_client


@pytest.fixture
def paid(build):
    invoice = build.posted("100")
    return invoice, build.payment(invoice.customer, "100", invoice)


def test_the_journal_of_a_document_has_the_entries_of_what_was_applied(office, paid):
    invoice, payment = paid
    db.session.commit()

    assert len(entries_about(invoice)) == 2
    assert len(entries_about(payment)) == 2
    for address in (f"/staff/invoices/{invoice.id}", f"/staff/payments/{payment.id}"):
        assert f"Payment applied to invoice {invoice.number}" in office.get(address).text


def test_a_reversal_links_to_what_it_reverses_and_back(office, build):
    invoice = build.posted("100")
    unpost_invoice(invoice, because="wrong")
    first, second = (one.id for one in entries_about(invoice))
    db.session.commit()

    page = office.get(f"/staff/invoices/{invoice.id}").text

    assert f'<a href="#entry-{first}">reversal of #{first}</a>' in page
    assert f'<a href="#entry-{second}">reversed by #{second}</a>' in page
    assert f'id="entry-{first}"' in page


def test_money_taken_back_says_so_and_links_to_what_it_undoes(office, paid):
    invoice, payment = paid
    unapply(payment.applications[0])
    applied, taken = (one.id for one in entries_about(payment)[1:])
    db.session.commit()

    page = office.get(f"/staff/payments/{payment.id}").text

    assert f"Payment taken back from invoice {invoice.number}" in page
    assert f'<a href="#entry-{applied}">reversal of #{applied}</a>' in page
    assert f'<a href="#entry-{taken}">reversed by #{taken}</a>' in page


def test_the_credit_of_a_correction_is_in_its_journal(build):
    document = write_off(build.posted("100"), because="bankrupt")

    assert [len(one.lines) for one in entries_about(document)] == [2, 2]


def test_a_return_is_undone_after_asking(app, office, build, paid):
    invoice, payment = paid
    return_payment(payment, ReturnReason.BOUNCED, on=payment.received_on)
    db.session.commit()
    here = f"/staff/payments/{payment.id}"
    assert f'href="{here}/return/undoing"' in office.get(here).text
    question = office.get(f"{here}/return/undoing").text
    assert invoice.number in question
    assert office.post(f"{here}/return/undoing", data={"because": ""}).status_code == 422

    page = office.post(
        f"{here}/return/undoing", data={"because": "a mistake"}, follow_redirects=True
    ).text

    assert "It counts again: $100.00 on invoices, $0.00 as credit." in page
    assert invoice.balance == ZERO
    assert staff_client(app, build, "Office").get(f"{here}/return/undoing").status_code == 403


def test_unposting_a_write_off_says_what_is_true(office, build):
    original = build.posted("100")
    document = write_off(original, because="bankrupt")
    db.session.commit()

    page = office.get(f"/staff/invoices/{document.id}/unposting").text

    assert f"$100.00 are owed again on invoice {original.number}" in page
    assert "The credit it gave" not in page


def test_what_a_write_off_took_off_is_not_offered_to_be_taken_back(office, build):
    document = write_off(build.posted("100"), because="bankrupt")
    db.session.commit()
    record = office.get(f"/staff/invoices/{document.id}").text
    (credit,) = set(re.findall(r"/staff/payments/\d+", record))

    page = office.get(credit).text

    assert "Take back" not in page


@contextmanager
def asked():
    """Every statement of the session inside, with its values, as the driver got it."""
    seen = []

    def note(_connection, _cursor, statement, values, *_rest):
        seen.append((statement, values))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


def plan_of(statement, values):
    connection = db.session.connection()
    if db.engine.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # a small table is scanned
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        return [row[0] for row in rows if "Seq Scan" in row[0]]
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
    return [row[3] for row in rows if row[3].startswith("SCAN")]


def test_the_journal_of_a_document_is_found_by_indexes(paid):
    document = write_off(build_again(paid), because="bankrupt")
    db.session.commit()
    for row in (*paid, document):
        db.session.refresh(row)
        with asked() as statements:
            assert entries_about(row)
        assert [plan for one in statements for plan in plan_of(*one)] == []


def build_again(paid):
    """The invoice, owed again."""
    unapply(paid[1].applications[0])
    return paid[0]
