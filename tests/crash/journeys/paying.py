"""An invoice is posted, paid on the gateway's page, heard of twice, settled, its receipt sent."""

from portal.db import db, in_transaction
from portal.invoices import get_invoice, post_invoice
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, InvoiceState, JournalEntry, PaymentAttempt, TestCheckout
from portal.payment_collection import CheckoutWanted, keep_event, settle, start_checkout
from portal.tasks import run_waiting
from tests.crash.journeys.journey import Journey, gateway, message_ids, messages, received, rows

P = "portal.payment_collection"
PAGE = f"{P}.gateways.test_gateway.checkouts:TestCheckouts"
PLACES = {
    "portal.invoices.posting:next_number": 1,
    "portal.invoices.posting:post_entries": 1,
    f"{P}.checkout:_persist": 1,
    f"{PAGE}.open_checkout": 1,
    f"{P}.checkout:mark_opened": 1,
    f"{PAGE}.press": 1,
    "tests.crash.journeys.paying:keep_event": 2,
    f"{PAGE}.look_up": 1,
    f"{P}.settling:record_outcome": 1,
    f"{P}.settling:receive_payment": 1,
    "portal.payments.receiving:put_on_invoices": 1,
    "portal.payments.receipts:write_message": 1,
    f"{P}.inbox:_close": 2,
}


def prepare(build):
    build.invoice("80", customer=build.customer("Ada", email="ada@example.org"))


def live():
    (invoice,) = rows(Invoice)
    if invoice.state is InvoiceState.PENDING:
        in_transaction(lambda: post_invoice(get_invoice(invoice.id)))
    shares = ((invoice.id, invoice.balance),)
    db.session.rollback()
    if shares[0][1]:
        start_checkout(CheckoutWanted(shares, "the matrix", "/x/", email="ada@example.org"))
        page = rows(PaymentAttempt)[-1].session_ref
        db.session.rollback()
        for body in gateway().press(page, "succeed")[1]:
            seen = gateway().verify_event(body, gateway().sign(body))
            in_transaction(lambda seen=seen, body=body: keep_event(seen, body))
        settle(rows(PaymentAttempt)[-1].id)
    run_waiting()


def check(box):
    (invoice,) = rows(Invoice)
    paid = [one.amount for one in rows(TestCheckout, TestCheckout.state == "succeeded")]
    posted = rows(JournalEntry, JournalEntry.source_kind == "invoice")
    assert len(posted) == (0 if invoice.state is InvoiceState.PENDING else 1)
    assert [one.amount for one in received()] in (paid, [])
    assert len(paid) <= 1
    assert len(messages("receipt")) == len(received())


def at_the_end(box):
    assert [one.amount for one in received()] == [Money.of(80)]
    assert rows(Invoice)[0].balance == ZERO
    assert len(set(message_ids(box))) == 1


JOURNEY = Journey("pay", PLACES, prepare, live, check, at_the_end)
