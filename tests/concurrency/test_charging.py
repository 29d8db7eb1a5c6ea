"""Charging and saving methods at the same moment: one charge, one method, one primary."""

import pytest
import sqlalchemy as sa
from flask import current_app

from portal.db import db, in_transaction
from portal.invoices import get_invoice
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import (
    AttemptPurpose,
    AttemptState,
    Invoice,
    MethodState,
    Payment,
    PaymentAttempt,
    SavedMethod,
    TestGatewayObject,
)
from portal.payment_collection import (
    ChargeWanted,
    CheckoutWanted,
    charge_method,
    make_primary,
    recheck,
    remove_method,
    settle,
    settle_setup,
    start_checkout,
)
from portal.payment_collection import charging as module
from portal.payments import ReceivedMoney, payment_types, receive_payment
from tests.payment_collection.test_saving_methods import begin
from tests.payment_collection.test_saving_methods import press as press_setup

pytestmark = pytest.mark.concurrency


def gateway():
    return current_app.extensions["gateway"]


@pytest.fixture
def owed(build):
    """An invoice over $80 and two cards that pay it; ids, because acts run in threads."""
    invoice = build.posted("80")
    methods = [build.saved_method(invoice.customer, primary=first) for first in (True, False)]
    return invoice.id, invoice.customer_id, [one.id for one in methods]


def charges(owed, number=0, amount="80"):
    invoice_id, customer_id, methods = owed
    wanted = ChargeWanted(
        customer_id, methods[number], [(invoice_id, Money.of(amount))], AttemptPurpose.OFFICE, "O"
    )
    return lambda: charge_method(wanted)


def pays(owed, amount="80"):
    def act():
        invoice = get_invoice(owed[0])
        money = ReceivedMoney(customer=invoice.customer, amount=Money.of(amount),
                              type=payment_types()[0], on=invoice.invoice_date)  # fmt: skip
        receive_payment(money, [(invoice, Money.of(amount))])

    return lambda: in_transaction(act)


def charged():
    rows = db.session.scalars(
        sa.select(TestGatewayObject).where(
            TestGatewayObject.kind == "charge", TestGatewayObject.state == "succeeded"
        )
    )
    return Money.total(row.amount for row in rows)


def online():
    query = sa.select(Payment).where(Payment.provider == "test")
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def only_refusals(raised):
    assert all(one is None or isinstance(one, DomainError) for one in raised), raised


@pytest.mark.parametrize("same", [True, False], ids=["same card", "two cards"])
def test_two_charges_of_one_invoice_take_the_money_once(at_once, owed, turn, same):
    raised = at_once(charges(owed), charges(owed, 0 if same else 1))

    only_refusals(raised)
    assert charged() == Money.of(80)
    assert [one.amount for one in online()] == [Money.of(80)]
    assert db.session.get(Invoice, owed[0]).balance == ZERO


def test_a_charge_and_a_payment_page_take_the_money_once(at_once, owed, turn):
    opened = []

    def opens():
        opened.append(start_checkout(CheckoutWanted([(owed[0], Money.of(80))], "ada", "/x/")))

    only_refusals(at_once(charges(owed), opens))
    for url in opened:  # whoever got a page tries to pay on it
        db.session.commit()
        try:
            gateway().press(url.rsplit("/", 1)[1], "succeed")
        except DomainError:
            db.session.rollback()
    ids = db.session.scalars(sa.select(PaymentAttempt.id)).all()
    for attempt_id in ids:
        settle(attempt_id)

    assert [one.amount for one in online()] == [Money.of(80)]
    assert db.session.get(Invoice, owed[0]).balance == ZERO


def test_a_charge_and_money_at_the_desk_are_both_recorded_if_both_came(at_once, owed, turn):
    only_refusals(at_once(charges(owed), pays(owed)))

    assert Money.total(one.amount for one in online()) == charged()
    invoice = db.session.get(Invoice, owed[0])
    assert (invoice.balance, invoice.applied) == (ZERO, Money.of(80))


def test_the_janitor_and_a_late_process_carry_a_charge_out_once(at_once, owed, turn, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_words):
        raise Killed

    monkeypatch.setattr(module, "_why_no_more", killed)
    with pytest.raises(Killed):
        charges(owed)()
    monkeypatch.undo()
    db.session.rollback()
    attempt_id = db.session.scalars(sa.select(PaymentAttempt.id)).one()

    raised = at_once(
        lambda: recheck(attempt_id), lambda: module.carry_out(attempt_id),
        lambda: settle(attempt_id),
    )  # fmt: skip

    assert raised == [None, None, None]
    assert settle(attempt_id) is AttemptState.SUCCEEDED
    assert (charged(), len(online())) == (Money.of(80), 1)


def test_a_method_removed_while_it_is_charged_ends_in_one_truth(at_once, owed, turn):
    only_refusals(at_once(charges(owed), lambda: remove_method(owed[1], owed[2][0])))

    assert Money.total(one.amount for one in online()) == charged()


def test_two_primaries_at_once_leave_one(at_once, owed, turn):
    _invoice, customer_id, methods = owed

    def choose(method_id):
        return lambda: in_transaction(lambda: make_primary(customer_id, method_id))

    assert at_once(*(choose(one) for one in methods)) == [None, None]
    query = sa.select(SavedMethod).where(SavedMethod.is_primary)
    assert len(db.session.scalars(query).all()) == 1


def test_return_page_and_webhook_at_once_save_one_method(at_once, build, turn):
    setup_id, page = begin(build.customer())
    press_setup(page, "card")

    assert at_once(*[lambda: settle_setup(setup_id)] * 3) == [None] * 3

    (method,) = db.session.scalars(sa.select(SavedMethod)).all()
    assert (method.state, method.is_primary) == (MethodState.ACTIVE, True)
