"""Rules a mutation once slipped through."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import (
    InvoiceFacts,
    LineWords,
    Sending,
    add_invoice_type,
    add_line,
    cancel_invoice,
    change_invoice,
    date_on_open_day,
    hand_out_link,
    post_invoice,
    remove_line,
    send_invoice,
    unpost_invoice,
)
from portal.kernel.errors import DomainError, InvalidFields, PeriodClosed
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through, entries_of
from portal.models import (
    AccountingPeriod,
    AccountRole,
    Invoice,
    InvoiceState,
    ItemKind,
    Message,
    PayLink,
    PeriodState,
    SentState,
)
from portal.payments import (
    ReceivedMoney,
    apply_payment,
    payment_types,
    receipt_paper,
    receive_payment,
    unapply,
)
from portal.tasks import run_waiting


def facts(invoice, **changes):
    words = {
        name: getattr(invoice, name)
        for name in ("reference_number", "invoice_date", "term", "location", "tax_zone",
                     "business_unit_id", "summary", "purchase_order")
    }  # fmt: skip
    return InvoiceFacts(**(words | changes))


def test_overdue_begins_the_day_after_the_due_date(build):
    invoice = build.posted("10", term="Net 30")

    assert not invoice.is_overdue(invoice.due_date)
    assert invoice.is_overdue(invoice.due_date + timedelta(days=1))


def test_a_negative_total_is_not_posted(build):
    with pytest.raises(DomainError, match="The total is negative"):
        post_invoice(build.invoice("-5"))


def test_discounts_have_an_account_of_their_own(build):
    invoice = build.invoice("100")
    words = LineWords("Goodwill", Quantity.of(1), UnitPrice.of(30), kind=ItemKind.DISCOUNT)
    add_line(invoice, words)
    post_invoice(invoice)

    legs = {line.account.role: line.amount for line in entries_of(invoice)[0].lines}
    assert legs[AccountRole.DISCOUNTS] == Money.of(30)
    assert legs[AccountRole.REVENUE] == Money.of(-100)


def test_an_invoice_with_money_on_it_is_not_cancelled(build):
    invoice = build.invoice("100")
    build.payment(invoice.customer, "10", invoice)

    with pytest.raises(DomainError, match="already applied"):
        cancel_invoice(invoice, because="a mistake")


def test_money_never_goes_onto_a_cancelled_invoice(build):
    invoice = build.invoice("100")
    payment = build.payment(invoice.customer, "10")
    cancel_invoice(invoice, because="a mistake")
    db.session.flush()

    assert apply_payment(payment, invoice, Money.of(10), on=build.today) == ZERO
    assert (invoice.state, payment.unapplied) == (InvoiceState.CANCELLED, Money.of(10))


def test_facts_do_not_move_into_a_closed_month(build):
    invoice = build.invoice("10")
    db.session.add(AccountingPeriod(starts_on=date(2026, 1, 1), state=PeriodState.CLOSED))
    db.session.flush()

    with pytest.raises(PeriodClosed):
        change_invoice(
            invoice, facts(invoice, invoice_date=date(2026, 1, 9)), version=invoice.version
        )


def test_an_open_day_keeps_the_type_of_a_draft(build):
    invoice = build.invoice("10", on=date(2026, 1, 5))
    invoice.type = add_invoice_type("Warranty")
    close_through(date(2026, 1, 31))

    date_on_open_day(invoice, version=invoice.version)

    assert (invoice.invoice_date, invoice.type.name) == (date(2026, 2, 1), "Warranty")


def test_a_number_once_given_stays_in_its_fiscal_year(build):
    invoice = build.posted("10", on=date(2025, 12, 30))
    unpost_invoice(invoice, because="a mistake")

    with pytest.raises(InvalidFields, match="INV-2025-00001 and keeps that number") as refused:
        change_invoice(
            invoice, facts(invoice, invoice_date=date(2026, 1, 2)), version=invoice.version
        )
    assert set(refused.value.errors) == {"invoice_date"}

    change_invoice(
        invoice, facts(invoice, invoice_date=date(2025, 12, 31)), version=invoice.version
    )
    assert invoice.invoice_date == date(2025, 12, 31)


def test_the_location_of_another_customer_is_refused(build):
    invoice, elsewhere = build.invoice("10"), build.location()

    with pytest.raises(InvalidFields, match="belongs to another customer"):
        change_invoice(invoice, facts(invoice, location=elsewhere), version=invoice.version)


def test_a_deposit_paid_before_the_invoice_settles_it_on_the_invoices_day(build):
    invoice = build.posted("10")
    build.payment(invoice.customer, "10", invoice, on=build.today - timedelta(days=20))

    assert invoice.settled_on == build.today


def test_money_of_an_import_is_old_news(build):
    money = ReceivedMoney(customer=build.customer(), amount=Money.of(5), type=payment_types()[0],
                          on=build.today, external_key="P-1")  # fmt: skip
    receive_payment(money)

    assert db.session.query(Message).all() == []


def test_what_was_taken_back_is_not_on_the_receipt(build):
    invoice = build.posted("10")
    payment = build.payment(invoice.customer, "10", invoice)
    unapply(payment.applications[0])
    db.session.flush()
    db.session.expire_all()

    paper = receipt_paper(payment.id)

    assert (paper.lines, paper.credit) == ([], Money.of(10))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"amount": "100", "share": "81"}, "needs only $80.00"),
        ({"amount": "50", "share": "60"}, "$10.00 more than was received"),
        ({"amount": "50", "received_on": "2026-03-03"}, "cannot be received in the future"),
    ],
)
def test_money_at_the_desk_is_checked(build, office, form, sentence):
    invoice = build.posted("80")
    db.session.commit()
    sent = {"type_id": "1", "received_on": "2026-03-02", **form}
    sent[f"share-{invoice.id}"] = sent.pop("share", "")

    page = office.post(f"/staff/payments?customer_id={invoice.customer_id}", data=sent)

    assert page.status_code == 422
    assert sentence in page.text


def test_a_discount_never_adds(build):
    discount = build.item("10", kind=ItemKind.DISCOUNT)
    invoice = build.invoice("80")

    with pytest.raises(InvalidFields) as refusal:
        add_line(invoice, LineWords("", Quantity.of(-1), item=discount))

    assert "above zero" in refusal.value.errors["quantity"]
    assert invoice.total == Money.of(80)


def test_an_invoice_with_a_disputed_deposit_can_be_made_smaller(build):
    invoice = build.invoice("80", "20")
    deposit = build.payment(invoice.customer, "100", invoice)
    deposit.disputed = True
    db.session.flush()

    remove_line(invoice, invoice.lines[1])

    assert (invoice.total, invoice.balance) == (Money.of(80), ZERO)
    assert deposit.unapplied == Money.of(20)


@pytest.mark.parametrize("why", ["empty", "undated", "cancelled"])
def test_no_link_is_handed_out_for_what_cannot_be_sent(build, why):
    invoice = build.invoice() if why == "empty" else build.invoice("10")
    if why == "undated":
        invoice.invoice_date = None
    if why == "cancelled":
        cancel_invoice(invoice, because="Typed twice")

    with pytest.raises(DomainError):
        hand_out_link(invoice)

    assert invoice.sent_state is SentState.NOT_SENT


def test_one_refused_address_takes_the_others_back(build):
    invoice = build.invoice("10")
    db.session.commit()

    with pytest.raises(DomainError):
        send_invoice(invoice, Sending(to=["ada@example.org", "nobody"]))
    db.session.commit()

    assert db.session.scalars(sa.select(Message)).all() == []


def test_looking_at_a_draft_makes_no_link(build, office):
    draft = build.invoice("10")
    assert office.get(f"/staff/invoices/{draft.id}/invoice.pdf").status_code == 200
    assert db.session.scalars(sa.select(PayLink)).all() == []

    hand_out_link(draft)
    link = db.session.scalars(sa.select(PayLink)).one()
    post_invoice(draft)

    assert db.session.scalars(sa.select(PayLink)).all() == [link]
    assert link.invoice_id == draft.id


def test_a_posted_invoice_has_its_link_and_printing_writes_nothing(build, office):
    invoice, free = build.posted("10"), build.posted("0")
    assert db.session.scalars(sa.select(PayLink.invoice_id)).all() == [invoice.id]

    for one in (invoice, free):
        assert office.get(f"/staff/invoices/{one.id}/invoice.pdf").status_code == 200

    assert db.session.scalars(sa.select(PayLink.invoice_id)).all() == [invoice.id]


def test_what_is_only_kept_has_not_been_sent(build, office):
    invoice = build.posted("10")

    page = office.post(f"/staff/invoices/{invoice.id}/sending", follow_redirects=True).text
    run_waiting()

    assert "kept in the outbox, not sent" in page
    assert db.session.get_one(Invoice, invoice.id).sent_state is SentState.NOT_SENT
