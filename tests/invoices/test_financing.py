"""Financing: another party takes over; the pair moves A/R, nets to zero and is undone together."""

from collections import defaultdict

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import (
    correction_problem,
    finance,
    financing_problem,
    financings_of,
    get_invoice,
    is_visible_to_customer,
    undo_financing,
    unpost_invoice,
    unpost_invoices,
)
from portal.kernel.errors import DomainError, InvalidFields
from portal.kernel.money import ZERO, Money
from portal.ledger import trial_balance, verify_books
from portal.models import Invoice, InvoiceKind, InvoiceState
from portal.payments import credit_of, unapply
from tests.conftest import staff_client


def books(day):
    rows = {row.account.name: row.balance for row in trial_balance(day)}
    return defaultdict(lambda: ZERO, rows)  # an account without a balance has no row


@pytest.fixture
def bank(build):
    return build.customer("Quick Lending", term_id=build.term("Net 30").id)


@pytest.fixture
def invoice(build):
    return build.posted("1000")


@pytest.fixture
def pair(invoice, bank):
    return finance(invoice, bank, Money.of(600), because="Contract 17")


def test_what_is_owed_moves_to_the_payer_and_nothing_stays_between(build, invoice, bank, pair):
    assert (invoice.balance, invoice.total) == (Money.of(400), Money.of(1000))
    assert pair.leaves.total == Money.of(-600)
    assert (pair.arrives.customer_id, pair.arrives.balance) == (bank.id, Money.of(600))
    assert pair.leaves.document_number
    assert pair.arrives.document_number
    after = books(build.today)
    assert after["Accounts Receivable"] == Money.of(1000)  # moved, not more and not less
    assert after["Finance Clearing"] == ZERO
    assert after["Service Revenue"] == Money.of(-1000)
    assert credit_of(invoice.customer_id) == ZERO


def test_both_halves_and_the_invoice_know_each_other(office, invoice, pair):
    for one in (invoice, pair.leaves, pair.arrives):
        found = financings_of(one)
        assert [(each.leaves.id, each.arrives.id) for each in found] == [
            (pair.leaves.id, pair.arrives.id)
        ]
        page = office.get(f"/staff/invoices/{one.id}").text
        for other in (invoice, pair.leaves, pair.arrives):
            assert f'href="/staff/invoices/{other.id}"' in page
        assert "Quick Lending took over $600.00: Contract 17" in page


def test_the_payer_s_own_term_holds(build, pair):
    assert (pair.arrives.due_date - build.today).days == 30


def test_the_payer_sees_the_debt_and_the_customer_not_the_half_that_left(pair):
    assert is_visible_to_customer(pair.arrives)
    assert not is_visible_to_customer(pair.leaves)


def test_the_payer_pays_like_anybody(build, invoice, bank, pair):
    build.payment(bank, "600", pair.arrives)

    assert get_invoice(pair.arrives.id).balance == ZERO
    assert books(build.today)["Accounts Receivable"] == Money.of(400)


@pytest.mark.parametrize(
    ("amount", "because", "field"),
    [("0", "Contract", "amount"), ("1000.01", "Contract", "amount"), ("10", " ", "because")],
)
def test_never_more_than_is_owed_and_never_without_a_reason(invoice, bank, amount, because, field):
    with pytest.raises(InvalidFields) as refused:
        finance(invoice, bank, Money.of(amount), because=because)

    assert list(refused.value.errors) == [field]
    assert invoice.balance == Money.of(1000)


def test_who_owes_it_cannot_take_it_over_nor_somebody_deactivated(invoice, bank):
    bank.active = False
    for payer in (invoice.customer, bank):
        with pytest.raises(InvalidFields) as refused:
            finance(invoice, payer, Money.of(10), because="Contract")
        assert list(refused.value.errors) == ["customer"]


def test_only_a_final_invoice_with_a_balance_is_financed(build, bank, pair):
    paid = build.posted("10")
    build.payment(paid.customer, "10", paid)

    for invoice in (build.invoice("10"), paid, pair.leaves, pair.arrives):
        assert financing_problem(invoice)
        with pytest.raises(DomainError):
            finance(invoice, bank, Money.of(1), because="Contract")


def test_a_second_financing_takes_what_is_left(build, invoice, pair):
    other = build.customer("Slow Lending")

    with pytest.raises(InvalidFields, match=r"Only \$400.00"):
        finance(invoice, other, Money.of(600), because="Contract 18")
    finance(invoice, other, Money.of(400), because="Contract 18")

    assert invoice.balance == ZERO
    assert len(financings_of(invoice)) == 2


def test_it_is_undone_as_a_whole(build, invoice, pair):
    undo_financing(pair, because="The bank refused")

    assert get_invoice(invoice.id).balance == Money.of(1000)
    assert {pair.leaves.state, pair.arrives.state} == {InvoiceState.CANCELLED}
    after = books(build.today)
    assert (after["Accounts Receivable"], after["Finance Clearing"]) == (Money.of(1000), ZERO)
    assert credit_of(invoice.customer_id) == ZERO
    with pytest.raises(DomainError, match="already undone"):
        undo_financing(pair, because="Again")


def test_one_half_alone_never_leaves_the_books(invoice, pair):
    for half in (pair.leaves, pair.arrives):
        with pytest.raises(DomainError):
            unpost_invoice(half, because="Only this one")
    outcome = unpost_invoices([pair.leaves.id, pair.arrives.id], because="Both")
    assert len(outcome.refused) == 2
    with pytest.raises(DomainError, match="hangs on it"):
        unpost_invoice(invoice, because="The whole")
    assert correction_problem(pair.arrives, InvoiceKind.CREDIT_NOTE)


def test_what_the_payer_paid_keeps_it_from_being_undone(build, bank, pair):
    payment = build.payment(bank, "100", pair.arrives)

    with pytest.raises(DomainError, match=r"\$100.00 of .* is already paid"):
        undo_financing(pair, because="The bank refused")
    unapply(payment.applications[0])
    undo_financing(pair, because="The bank refused")

    assert credit_of(bank.id) == Money.of(100)


def test_money_that_moved_to_the_credit_is_moved_back(build, invoice, pair):
    build.payment(invoice.customer, "400", invoice)

    undo_financing(pair, because="The bank refused")

    assert get_invoice(invoice.id).balance == Money.of(600)


def test_the_books_name_a_broken_pair(pair):
    assert verify_books() == []
    db.session.execute(
        sa.update(Invoice).where(Invoice.id == pair.arrives.id).values(kind=InvoiceKind.MANUAL)
    )

    told = verify_books()

    assert f"The financing that begins with invoice {pair.leaves.id} is off by -$600.00." in told
    assert "Finance Clearing keeps -$600.00 of no financing." in told
    db.session.rollback()


def test_the_screen_asks_and_posts_both_once(office, build, invoice, bank):
    address = f"/staff/invoices/{invoice.id}/financing"
    assert 'value="1000.00"' in office.get(address).text
    data = {"customer": "Quick Lending", "amount": "600", "because": "Contract 17", "once": "k1"}

    replies = [office.post(address, data=data) for _ in range(2)]

    assert [one.status_code for one in replies] == [303, 303]
    (pair,) = financings_of(get_invoice(invoice.id))
    undoing = f"/staff/invoices/{pair.arrives.id}/financing/undoing"
    assert "Both documents leave the books" in office.get(undoing).text
    assert office.post(undoing, data={"because": ""}).status_code == 422
    assert office.post(undoing, data={"because": "The bank refused"}).status_code == 303
    assert get_invoice(invoice.id).balance == Money.of(1000)


def test_a_refusal_keeps_what_was_typed(office, invoice, bank):
    data = {"customer": "Quick Lending", "amount": "5000", "because": "Contract 17"}

    reply = office.post(f"/staff/invoices/{invoice.id}/financing", data=data)

    assert reply.status_code == 422
    assert "Only $1,000.00 is still owed." in reply.text
    assert 'value="Contract 17"' in reply.text
    assert financings_of(get_invoice(invoice.id)) == []


def test_only_half_an_address_is_nobody_s(office, invoice, pair):
    for one in (invoice, pair.leaves):
        assert office.get(f"/staff/invoices/{one.id}/financing/undoing").status_code == 404


def test_who_may_not_post_cannot_finance(app, build, invoice):
    browser = staff_client(app, build, "Office")

    assert browser.get(f"/staff/invoices/{invoice.id}/financing").status_code == 403
    assert "Let somebody else pay" not in browser.get(f"/staff/invoices/{invoice.id}").text


def test_each_of_several_payers_is_shown_with_one_statement(office, build, invoice, bank):
    for _ in range(2):
        half = finance(invoice, bank, Money.of(100), because="Contract 17").arrives
        build.payment(bank, "40", half)
    db.session.commit()

    assert office.get(f"/staff/invoices/{invoice.id}").status_code == 200
