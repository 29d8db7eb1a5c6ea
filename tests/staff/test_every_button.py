"""Each button of the office does what it says, on its own record only."""

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import add_line, get_invoice, pay_link_url
from portal.invoices.lines import LineWords
from portal.jobs import attach_upload
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import (
    AttemptState,
    GatewayEvent,
    GatewayEventState,
    Invoice,
    InvoiceState,
    Message,
    Payment,
    PaymentAttempt,
    ReviewState,
    SentState,
)
from portal.payments import payment_types
from portal.tasks import run_waiting
from tests.conftest import payer_client
from tests.jobs.test_logging import picture
from tests.payment_collection.test_settling import begin, press
from tests.staff.test_questions import yes


def is_pdf(reply):
    return reply.status_code == 200 and reply.data.startswith(b"%PDF")


@pytest.fixture
def invoice(build):
    return build.invoice("80", "20", location=build.location(zone=build.zone("10")))


def test_the_facts_are_shown_for_change(office, invoice):
    page = office.get(f"/staff/invoices/{invoice.id}/facts").text

    assert invoice.reference_number in page
    assert 'name="purchase_order"' in page


def test_a_line_is_taken_off_its_own_invoice_only(office, build, invoice):
    other, line_id = build.invoice("5"), invoice.lines[1].id

    assert office.post(f"/staff/invoices/{other.id}/lines/{line_id}/removal").status_code == 404
    assert get_invoice(invoice.id).total == Money.of(110)
    assert office.post(f"/staff/invoices/{invoice.id}/lines/{line_id}/removal").status_code < 400
    assert get_invoice(invoice.id).total == Money.of(88)


@pytest.mark.parametrize("state", ["reviewed", "on_hold", "needs_review"])
def test_the_review_is_moved(office, invoice, state):
    office.post(f"/staff/invoices/{invoice.id}/review/{state}", data={"note": "Parts missing"})

    assert get_invoice(invoice.id).review_state is ReviewState(state)


def test_the_tax_is_taken_afresh(office, build, invoice):
    invoice.location.tax_zone = build.zone("5")
    db.session.commit()

    office.post(f"/staff/invoices/{invoice.id}/tax")

    assert get_invoice(invoice.id).total == Money.of(105)


def test_an_invoice_is_cancelled_with_its_reason(office, invoice):
    office.post(f"/staff/invoices/{invoice.id}/cancellation", data={"because": "Typed twice"})

    page = office.get(f"/staff/invoices/{invoice.id}").text
    assert get_invoice(invoice.id).state is InvoiceState.CANCELLED
    assert "Typed twice" in page


def test_the_link_is_handed_out_and_withdrawn(office, client, invoice):
    page = office.post(f"/staff/invoices/{invoice.id}/pay-link", follow_redirects=True).text
    path = pay_link_url(get_invoice(invoice.id)).removeprefix("http://localhost")
    db.session.commit()
    assert path in page
    assert get_invoice(invoice.id).sent_state is SentState.NOT_SENT  # looking is not sending
    office.post(f"/staff/invoices/{invoice.id}/pay-link/passed-on")
    assert get_invoice(invoice.id).sent_state is SentState.SENT
    assert client.get(path).status_code == 200
    assert is_pdf(client.get(f"{path}/invoice.pdf"))

    office.post(f"/staff/invoices/{invoice.id}/pay-links/revoke")

    assert client.get(path).status_code == 404


def test_the_papers_open(office, build):
    invoice = build.posted("10")
    payment = build.payment(invoice.customer, "10", invoice)
    db.session.commit()

    assert is_pdf(office.get(f"/staff/invoices/{invoice.id}/invoice.pdf"))
    assert is_pdf(office.get(f"/staff/payments/{payment.id}/receipt.pdf"))


def test_ticked_invoices_are_posted_and_sent_together(office, build, smtp):
    smtp()
    customer = build.customer("Ada", email="ada@example.org")
    ids = [build.invoice(price, customer=customer).id for price in ("10", "20")]

    office.post("/staff/invoices/postings", data=yes(*ids) | {"ids": ids})
    office.post("/staff/invoices/sendings", data=yes(*ids) | {"ids": ids})
    run_waiting()

    assert {get_invoice(one).state for one in ids} == {InvoiceState.POSTED}
    assert {get_invoice(one).sent_state for one in ids} == {SentState.SENT}
    assert set(db.session.scalars(sa.select(Message.recipient))) == {"ada@example.org"}


def test_credit_is_applied_and_taken_back_on_its_own_payment_only(office, build):
    invoice = build.posted("50")
    payment = build.payment(invoice.customer, "80")
    other = build.payment(invoice.customer, "5")
    db.session.commit()

    office.post(f"/staff/payments/{payment.id}/applications")
    assert get_invoice(invoice.id).balance == ZERO
    row = db.session.get_one(Payment, payment.id).applications[0].id

    foreign = office.post(f"/staff/payments/{other.id}/applications/{row}/reversal")
    assert (foreign.status_code, get_invoice(invoice.id).balance) == (404, ZERO)
    office.post(f"/staff/payments/{payment.id}/applications/{row}/reversal")
    assert get_invoice(invoice.id).balance == Money.of(50)


def test_a_job_is_changed_and_a_log_taken_off(office, build):
    job = build.job(items=(build.item(), build.item()))
    db.session.commit()

    assert "Fix the furnace" in office.get(f"/staff/jobs/{job.id}/edit").text
    office.post(f"/staff/jobs/{job.id}/logs/{job.logs[0].id}/removal")

    assert len(job.logs) == 1


def test_a_kept_message_is_read_with_its_papers(office, build):
    invoice = build.posted("10")
    office.post(f"/staff/invoices/{invoice.id}/sending")
    run_waiting()
    message = db.session.scalars(sa.select(Message)).one()
    here = f"/staff/outbox/{message.id}"

    assert invoice.number in office.get(here).text
    assert invoice.number in office.get(f"{here}/html").text
    assert is_pdf(office.get(f"{here}/attachments/{message.attachments[0].id}"))
    assert office.get(f"{here}/attachments/999").status_code == 404


def test_an_online_payment_is_looked_at_again(office, build):
    attempt_id, checkout = begin(build.posted("80"))
    press(checkout, "succeed")

    office.post(f"/staff/online-payments/{attempt_id}/look")

    assert db.session.get_one(PaymentAttempt, attempt_id).state is AttemptState.SUCCEEDED


def test_a_parked_event_is_tried_again(office, build):
    event = GatewayEvent(
        gateway="test", event_ref="evt_1", kind="unheard.of", body=b"{}",
        state=GatewayEventState.PARKED,
    )  # fmt: skip
    db.session.add(event)
    db.session.commit()

    office.post(f"/staff/online-payments/events/{event.id}/retry")

    assert db.session.get_one(GatewayEvent, event.id).state is not GatewayEventState.PARKED


def test_customers_open_their_papers_and_only_shared_photos(app, build):
    customer = build.customer("Ada", email="ada@example.org")
    job = build.job(location=build.location(customer))
    hidden, shared = (attach_upload(job, picture(), name="p.png", by=None) for _ in range(2))
    shared.shared = True
    db.session.flush()
    invoice = db.session.scalars(sa.select(Invoice).where(Invoice.job_id == job.id)).one()
    invoice.invoice_date, invoice.sent_state = build.today, SentState.SENT
    add_line(invoice, LineWords("Labor", Quantity.of(1), UnitPrice.of(10)))
    payment = build.payment(customer, "10", invoice)
    db.session.commit()
    browser, here = payer_client(app, "ada@example.org"), f"/my/invoices/{invoice.id}"

    page = browser.get(here).text

    assert f"{here}/photos/{shared.id}.jpg" in page
    assert f"{here}/photos/{hidden.id}.jpg" not in page
    assert browser.get(f"{here}/photos/{shared.id}.jpg").mimetype == "image/jpeg"
    assert browser.get(f"{here}/photos/{hidden.id}.jpg").status_code == 404
    assert is_pdf(browser.get(f"{here}/invoice.pdf"))
    assert is_pdf(browser.get(f"/my/payments/{payment.id}/receipt.pdf"))


@pytest.mark.parametrize(
    ("day", "sentence"),
    [("1999-01-01", "more than a year ago"), ("2026-03-03", "in the future")],
)
def test_a_payment_dated_by_mistake_is_refused_beside_its_day(office, build, day, sentence):
    customer = build.posted("10").customer
    data = {"amount": "10", "type_id": payment_types()[0].id, "received_on": day}

    page = office.post(f"/staff/payments?customer_id={customer.id}", data=data)

    assert page.status_code == 422
    assert sentence in page.text
    assert db.session.scalars(sa.select(Payment)).all() == []
