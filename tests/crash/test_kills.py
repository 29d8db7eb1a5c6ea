"""SIGKILL at every step of post → pay → settle → receipt, in all weathers.

The real SDK talks to localstripe through our own proxy, which loses requests or answers or
breaks down. Whatever happens: nothing is lost, nothing is doubled.
"""

import itertools
import shutil
import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, CustomerWords, add_contact, add_customer
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.invoices import LineWords, ManualInvoice, add_line, start_manual_invoice
from portal.kernel import clock
from portal.kernel.money import ZERO
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import verify_books
from portal.models import (
    AttemptState,
    Invoice,
    InvoiceState,
    JournalEntry,
    Message,
    Payment,
    PaymentAttempt,
)
from portal.payment_collection import due_attempts, handle_event, recheck, waiting_events
from portal.seed import found_company
from portal.settings import read_settings
from tests.conftest import MONDAY
from tests.crash.driver import pay_online, settings_for
from tests.crash.dying import House, let_go, mortals
from tests.servers.launching import localstripe
from tests.servers.stripe_world import WEATHERS, StripeWorld, serving
from wsgi import make_app

P = "portal.payment_collection"
PLACES = [
    "portal.invoices.posting:next_number",
    "portal.invoices.posting:post_entries",
    "portal.invoices.posting:record_many",
    f"{P}.checkout:_persist",
    f"{P}.gateways.stripe.checkouts:StripeCheckouts.open_checkout",
    f"{P}.checkout:mark_opened",
    "__main__:press",
    "__main__:keep_event",
    f"{P}.gateways.stripe.checkouts:StripeCheckouts.look_up",
    f"{P}.settling:record_outcome",
    f"{P}.settling:_receive",
    f"{P}.settling:receive_payment",
    "portal.payments.receiving:_insert",
    "portal.payments.receiving:put_on_invoices",
    "portal.payments.receiving:post_entries",
    "portal.payments.receipts:write_message",
]
WHENS = itertools.cycle(["before", "after"])
CASES = [(place, weather, next(WHENS)) for place in PLACES for weather in WEATHERS]

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def stripe_world(tmp_path_factory):
    with localstripe(tmp_path_factory.mktemp("localstripe")) as port:
        world = StripeWorld(port)
        with serving(world) as address:
            yield world, address


@pytest.fixture(scope="module")
def house(stripe_world, tmp_path_factory):
    """The app over a prepared database, and the process whose children are killed."""
    _world, api = stripe_world
    folder = tmp_path_factory.mktemp("house")
    app = make_app(settings=read_settings(settings_for(str(folder), api)), TESTING=True)
    with clock.frozen(MONDAY), app.app_context():
        in_transaction(prepare)
        let_go()
    shutil.copytree(folder, prepared := folder.with_name("prepared"))
    with mortals(
        "tests.crash.driver", str(folder), api, log=folder.with_name("driver.log")
    ) as driver:
        yield app, House(folder, prepared, driver)


def prepare():
    upgrade_database()
    found_company()
    customer = add_customer(CustomerWords(name="Ada", email="ada@example.org"))
    add_contact(customer, ContactWords(name="Ada", email="ada@example.org"))
    invoice = start_manual_invoice(ManualInvoice(customer=customer))
    add_line(invoice, LineWords("Labor", Quantity.of(1), UnitPrice.of(80)))


@pytest.mark.parametrize(("place", "weather", "when"), CASES)
def test_a_kill_loses_and_doubles_nothing(stripe_world, house, monkeypatch, place, weather, when):
    world, api = stripe_world
    app, home = house
    world.forget(weather)
    home.begin_anew()
    monkeypatch.setattr("stripe._http_client.HTTPClient._sleep_time_seconds", lambda *_a, **_w: 0)
    with app.app_context():
        try:
            ended = home.driver.die(place, when)
            assert ended == -signal.SIGKILL, home.driver.last_words()
            wait_for_the_worker()
            check_money(world)
            finish(app, api)
            check_money(world)
            assert db.session.get_one(Invoice, 1).balance == ZERO
        finally:
            app.extensions["wakes"].clear()
            let_go()


def wait_for_the_worker():
    """It comes back: waiting events, then the janitor, three times over some days."""
    begun = db.session.scalar(sa.select(sa.func.max(PaymentAttempt.created_at))) or clock.now()
    db.session.rollback()
    for days in range(3):
        with clock.frozen(begun + timedelta(minutes=10) + timedelta(days=days, hours=2 * days)):
            for event_id in list(waiting_events()):
                handle_event(event_id)
            for attempt_id in list(due_attempts()):
                recheck(attempt_id)


def finish(app, api):
    """The clerk and the customer simply go on where they stopped."""
    pay_online(app, api)


def check_money(world):
    paid = db.session.scalars(sa.select(Payment.amount)).all()
    receipts = db.session.scalars(sa.select(Message.id).where(Message.kind == "receipt")).all()
    unknown = db.session.scalars(
        sa.select(PaymentAttempt.id).where(PaymentAttempt.state == AttemptState.UNKNOWN)
    ).all()
    posted = db.session.scalars(
        sa.select(JournalEntry.id).where(JournalEntry.source_kind == "invoice")
    ).all()
    invoice = db.session.get_one(Invoice, 1, populate_existing=True)
    assert sum(m.cents for m in paid) == world.charged()
    assert len(receipts) == len(paid) <= 1
    assert unknown == []
    assert len(posted) == (0 if invoice.state is InvoiceState.PENDING else 1)
    assert invoice.document_number in (None, f"INV-{clock.now().year}-00001")
    assert verify_books() == []
    db.session.rollback()
