"""What a person types on an invoice, and what may not be typed."""

import pytest
import sqlalchemy as sa

from portal.company import today
from portal.db import PageRequest, db
from portal.invoices import (
    InvoiceFilter,
    Sending,
    cancel_invoice,
    find_invoices,
    send_invoice,
    start_manual_invoice,
    sum_of_invoices,
)
from portal.invoices.starting import ManualInvoice
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, Message, PaidState

OURS = ["M-2026-00002", "m-2026-00017", "INV-2026-00001", "J-2026-00009"]


def facts_of(invoice, **changes):
    return {
        "version": invoice.version,
        "reference_number": invoice.reference_number,
        "invoice_date": "2026-03-02",
        "term_id": invoice.term_id,
        **changes,
    }


@pytest.mark.parametrize("number", OURS)
def test_a_number_of_our_own_series_cannot_be_typed(build, office, number):
    invoice = build.invoice("10")
    db.session.commit()

    page = office.post(
        f"/staff/invoices/{invoice.id}/facts", data=facts_of(invoice, reference_number=number)
    )

    assert page.status_code == 422
    assert "given by Fieldledger itself" in page.text
    start_manual_invoice(ManualInvoice(customer=invoice.customer))
    db.session.commit()


def test_its_own_number_may_stay(build, office):
    invoice = build.invoice("10")
    db.session.commit()

    page = office.post(f"/staff/invoices/{invoice.id}/facts", data=facts_of(invoice, summary="New"))

    assert page.status_code == 303


def test_a_negative_line_opened_and_saved_stays_negative(build, office):
    invoice = build.invoice("100", "-30")
    db.session.commit()
    line = invoice.lines[1]
    form = {"version": invoice.version, "item": line.description, "quantity": "1", "taxable": "y"}
    shown = office.get(f"/staff/invoices/{invoice.id}/lines/{line.id}").text
    assert 'value="-30.00"' in shown

    office.post(
        f"/staff/invoices/{invoice.id}/lines/{line.id}", data={**form, "unit_price": "-30.00"}
    )

    db.session.expire_all()
    assert db.session.get(Invoice, invoice.id).total == Money.of(70)


def test_a_summary_typed_over_a_newer_one_is_kept_on_the_page(build, office):
    invoice = build.invoice("10")
    db.session.commit()
    old = invoice.version
    save = f"/staff/invoices/{invoice.id}/summary"
    office.post(save, data={"version": old, "summary": "First"})

    page = office.post(save, data={"version": old, "summary": "Second, long and dear"})

    assert page.status_code == 409
    assert "Second, long and dear</textarea>" in page.text
    assert "Saved now: First" in page.text


def test_mail_going_out_spoils_no_open_page(build, office, app, smtp):
    from portal.outbox import deliver

    smtp()
    invoice = build.posted("10")
    db.session.commit()
    seen = invoice.version
    send_invoice(invoice)
    db.session.commit()
    for message_id in db.session.scalars(sa.select(Message.id)).all():
        deliver(message_id)

    page = office.post(
        f"/staff/invoices/{invoice.id}/summary", data={"version": seen, "summary": "New"}
    )

    assert page.status_code == 303
    db.session.expire_all()
    assert db.session.get(Invoice, invoice.id).sent_at is not None


def test_blanks_around_an_address_are_nothing(build):
    invoice = build.posted("10")

    assert send_invoice(invoice, Sending(to=[" a@example.org ", " "])) == 1
    assert db.session.scalars(sa.select(Message.recipient)).all() == ["a@example.org"]


def test_cancelled_invoices_are_owed_by_nobody_in_the_list(build):
    cancel_invoice(build.invoice("50"), because="a mistake")
    build.invoice("30")
    db.session.flush()

    def listed(paid):
        return find_invoices(InvoiceFilter(paid=paid), PageRequest(), on=today()).total

    assert sum_of_invoices(InvoiceFilter(), on=today()) == (2, Money.of(80), Money.of(30))
    assert (listed(PaidState.UNPAID), listed(PaidState.NO_CHARGE)) == (1, 1)


@pytest.mark.parametrize("text", ["PO 4711", "po 47", "4711"])
def test_an_order_number_is_found(build, text):
    invoice = build.invoice("10")
    invoice.purchase_order = "PO 4711-B"
    build.invoice("20")
    db.session.flush()

    assert find_invoices(InvoiceFilter(q=text), PageRequest(), on=today()).rows == [invoice]


def test_nothing_ticked_is_said(build, office):
    for path in ("/staff/invoices/postings", "/staff/invoices/sendings"):
        page = office.post(path)
        assert page.status_code == 422
        assert "Tick the invoices" in page.text


@pytest.mark.parametrize("typed", ["12.345", "nan", "1e400", "twelve"])
def test_a_share_is_read_as_every_amount_is(build, office, typed):
    invoice = build.posted("80")
    db.session.commit()
    form = {
        "amount": "80",
        "type_id": "1",
        "received_on": "2026-03-02",
        f"share-{invoice.id}": typed,
    }

    page = office.post(f"/staff/payments?customer_id={invoice.customer_id}", data=form)

    assert page.status_code == 422
    assert f'value="{typed}"' in page.text
    db.session.expire_all()
    assert db.session.get(Invoice, invoice.id).applied == ZERO
