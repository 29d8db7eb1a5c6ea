"""SIGKILL at every step of pay → settle → receipt: nothing lost, nothing doubled."""

import signal
import subprocess
import sys
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, CustomerWords, add_contact, add_customer
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.invoices import LineWords, ManualInvoice, add_line, post_invoice, start_manual_invoice
from portal.kernel import clock
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import verify_books
from portal.models import AttemptState, Message, Payment, PaymentAttempt, TestCheckout
from portal.payment_collection import due_attempts, handle_event, recheck, waiting_events
from portal.seed import found_company
from portal.settings import read_settings
from tests.architecture.graph import ROOT
from wsgi import make_app

P = "portal.payment_collection"
PLACES = [
    f"{P}.checkout:_persist",
    f"{P}.gateways.test_gateway:TestGateway.open_checkout",
    f"{P}.checkout:mark_opened",
    f"{P}.gateways.test_gateway:TestGateway.press",
    f"{P}.gateways.test_gateway:TestGateway.look_up",
    f"{P}.settling:record_outcome",
    f"{P}.settling:_receive",
    f"{P}.settling:receive_payment",
    "portal.payments.receiving:_insert",
    "portal.payments.receiving:apply_payment",
    "portal.payments.receiving:post_entry",
    "portal.payments.receipts:write_message",
]

pytestmark = pytest.mark.crash


def prepare(app):
    upgrade_database()
    found_company()
    customer = add_customer(CustomerWords(name="Ada", email="ada@example.org"))
    add_contact(customer, ContactWords(name="Ada", email="ada@example.org"))
    invoice = start_manual_invoice(ManualInvoice(customer=customer))
    words = LineWords("Labor", Quantity.of(1), UnitPrice.of(80))
    add_line(invoice, words)
    post_invoice(invoice)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("place", PLACES)
def test_a_kill_loses_and_doubles_nothing(tmp_path, place, when, monday):
    settings = read_settings({"DATA_DIR": str(tmp_path), "SECRET_KEY": "crash"})
    app = make_app(settings=settings, TESTING=True)
    with app.app_context():
        with clock.frozen(monday):
            in_transaction(lambda: prepare(app))
        db.session.remove()
        db.engine.dispose()

        driver = [sys.executable, "-m", "tests.crash.driver", str(tmp_path), place, when]
        died = subprocess.run(driver, cwd=ROOT, capture_output=True, timeout=60, check=False)
        assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]

        later = db.session.scalar(sa.select(sa.func.max(PaymentAttempt.created_at)))
        db.session.rollback()
        with clock.frozen((later or monday) + timedelta(minutes=10)):
            for _ in range(2):  # the worker comes back: waiting events, then the janitor, twice
                for event_id in list(waiting_events()):
                    handle_event(event_id)
                for attempt_id in list(due_attempts()):
                    recheck(attempt_id)
        check_money()
        db.session.remove()
        db.engine.dispose()


def check_money():
    charged = db.session.scalars(
        sa.select(TestCheckout.amount).where(TestCheckout.state == "succeeded")
    ).all()
    paid = db.session.scalars(sa.select(Payment.amount)).all()
    receipts = db.session.scalars(sa.select(Message.id).where(Message.kind == "receipt")).all()
    unknown = db.session.scalars(
        sa.select(PaymentAttempt.id).where(PaymentAttempt.state == AttemptState.UNKNOWN)
    ).all()
    assert sorted(m.cents for m in paid) == sorted(m.cents for m in charged)
    assert len(receipts) == len(paid) <= 1
    assert unknown == []
    assert verify_books() == []
