"""SIGKILL at every step of charging a saved method: nothing is lost, nothing is doubled."""

import shutil
import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, CustomerWords, add_contact, add_customer
from portal.db import db, in_transaction
from portal.db.migrate import upgrade_database
from portal.invoices import LineWords, ManualInvoice, add_line, post_invoice, start_manual_invoice
from portal.kernel import clock
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import verify_books
from portal.models import (
    AttemptState,
    Invoice,
    Message,
    Payment,
    PaymentAttempt,
    TestGatewayObject,
)
from portal.payment_collection import due_attempts, recheck
from portal.seed import found_company
from portal.settings import read_settings
from tests.builders import Build
from tests.crash.charge_driver import charge_what_is_owed, settings_for
from tests.crash.dying import House, let_go, mortals
from wsgi import make_app

P = "portal.payment_collection"
DOOR = f"{P}.gateways.test_gateway.charges:TestCharges"
PLACES = [
    f"{P}.charging:_persist",
    f"{DOOR}.prepare_charge",
    f"{P}.charging:_keep_reference",
    f"{P}.charging:_why_no_more",
    f"{DOOR}.confirm_charge",
    f"{P}.charging:record_outcome",
    f"{P}.settling:_receive",
    f"{P}.settling:receive_payment",
    "portal.payments.receiving:put_on_invoices",
    "portal.payments.receiving:post_entries",
    "portal.payments.receipts:write_message",
]
CASES = [(place, when) for place in PLACES for when in ("before", "after")]

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """The app over a prepared database, and the process whose children are killed."""
    folder = tmp_path_factory.mktemp("charging")
    app = make_app(settings=read_settings(settings_for(str(folder))), TESTING=True)
    with app.app_context():
        in_transaction(prepare)
        Build().saved_method(owing().customer)
        let_go()
    shutil.copytree(folder, prepared := folder.with_name("prepared to charge"))
    words = ("tests.crash.charge_driver", str(folder))
    with mortals(*words, log=folder.with_name("charging.log")) as driver:
        yield app, House(folder, prepared, driver)


@pytest.mark.parametrize(("place", "when"), CASES)
def test_a_kill_while_a_method_is_charged_loses_and_doubles_nothing(house, place, when):
    app, home = house
    home.begin_anew()
    with app.app_context():
        try:
            ended = home.driver.die(place, when)
            assert ended == -signal.SIGKILL, home.driver.last_words()
            check_money(unfinished=1)
            let_the_janitor_look()
            check_money()
            charge_what_is_owed()
            check_money()
            assert owing().balance == ZERO
            assert charged() == Money.of(80)
        finally:
            app.extensions["wakes"].clear()
            let_go()


def prepare():
    upgrade_database()
    found_company()
    customer = add_customer(CustomerWords(name="Ada", email="ada@example.org"))
    add_contact(customer, ContactWords(name="Ada", email="ada@example.org"))
    invoice = start_manual_invoice(ManualInvoice(customer=customer))
    add_line(invoice, LineWords("Labor", Quantity.of(1), UnitPrice.of(80)))
    post_invoice(invoice)


def owing():
    return db.session.scalars(sa.select(Invoice).execution_options(populate_existing=True)).one()


def let_the_janitor_look():
    """It comes back after the crash, with every webhook lost."""
    begun = db.session.scalar(sa.select(sa.func.max(PaymentAttempt.created_at))) or clock.now()
    db.session.rollback()
    with clock.frozen(begun + timedelta(minutes=6)):
        for attempt_id in list(due_attempts()):
            recheck(attempt_id)


def charged():
    rows = db.session.scalars(
        sa.select(TestGatewayObject.amount).where(
            TestGatewayObject.kind == "charge", TestGatewayObject.state == "succeeded"
        )
    )
    return Money.total(rows.all())


def check_money(unfinished=0):
    """Payments are what the gateway took; at most that many charges wait for the janitor."""
    live = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(PaymentAttempt)
        .where(PaymentAttempt.state.in_([AttemptState.CREATED, AttemptState.OPEN]))
    )
    paid = Money.total(db.session.scalars(sa.select(Payment.amount)).all())
    receipts = db.session.scalars(sa.select(Message.id).where(Message.kind == "receipt")).all()
    assert live <= unfinished
    assert paid == charged() or (live == 1 and paid == ZERO)
    assert len(receipts) == (1 if paid else 0)
    assert verify_books() == []
    db.session.rollback()
