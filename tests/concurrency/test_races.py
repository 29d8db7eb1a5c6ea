"""What happens at the same moment: each race ends in one answer, and the books hold.

Every act runs in a thread with its own connection; a barrier starts them together (conftest).
"""

from random import Random

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.invoices import (
    LineWords,
    add_line,
    cancel_invoice,
    get_invoice,
    post_invoice,
    post_invoices,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import (
    AttemptState,
    GatewayEvent,
    GatewayEventState,
    Invoice,
    InvoiceState,
    JournalEntry,
    Message,
    Payment,
)
from portal.payment_collection import recheck, settle
from portal.payments import ReceivedMoney, apply_oldest_first, payment_types, receive_payment
from portal.tasks import lease
from tests.payment_collection.test_settling import begin, press

pytestmark = pytest.mark.concurrency


def pays(invoice_id, amount, ref):
    def act():
        invoice = get_invoice(invoice_id)
        money = ReceivedMoney(
            customer=invoice.customer, amount=amount, type=payment_types()[0],
            on=invoice.invoice_date, provider="race", provider_ref=ref,
        )  # fmt: skip
        receive_payment(money, [(invoice, amount)])

    return lambda: in_transaction(act)


def count(table, *wheres):
    return db.session.scalar(sa.select(sa.func.count()).select_from(table).where(*wheres))


def test_two_payers_never_apply_more_than_is_owed(build, at_once, turn):
    number = build.posted("80").id
    first, second = (pays(number, Money.of(80), f"{name}-{turn}") for name in "ab")

    assert at_once(first, second) == [None, None]

    payments = db.session.scalars(sa.select(Payment)).all()
    assert Money.total(one.amount for one in payments) == Money.of(160)
    assert Money.total(one.unapplied for one in payments) == Money.of(80)
    assert db.session.get(Invoice, number).balance == ZERO


def test_money_that_comes_while_an_invoice_is_posted_is_in_the_books(build, at_once, turn):
    invoice = build.invoice("80")
    number = invoice.id

    def post():
        in_transaction(lambda: post_invoice(get_invoice(number)))

    assert at_once(post, pays(number, Money.of(30), f"p-{turn}")) == [None, None]

    fresh = db.session.get(Invoice, number)
    assert (fresh.state, fresh.balance) == (InvoiceState.POSTED, Money.of(50))


def test_money_that_comes_while_an_invoice_is_edited_is_not_forgotten(build, at_once, turn):
    number = build.invoice("80").id

    def edit():
        words = LineWords("More", Quantity.of(1), UnitPrice.of(20))
        in_transaction(lambda: add_line(get_invoice(number), words))

    raised = at_once(edit, pays(number, Money.of(30), f"e-{turn}"))

    assert raised[1] is None
    fresh = db.session.get(Invoice, number)
    added = Money.of(20) if raised[0] is None else ZERO
    assert fresh.balance == Money.of(50) + added


def test_a_cancelled_invoice_never_keeps_money(build, at_once, turn):
    number = build.invoice("80").id

    def cancel():
        in_transaction(lambda: cancel_invoice(get_invoice(number), because="a mistake"))

    at_once(cancel, pays(number, Money.of(30), f"c-{turn}"))

    fresh = db.session.get(Invoice, number)
    if fresh.state is InvoiceState.CANCELLED:
        assert fresh.applied == ZERO
    else:
        assert fresh.applied == Money.of(30)


def test_one_of_two_posters_wins(build, at_once, turn):
    number = build.invoice("80").id

    def post():
        in_transaction(lambda: post_invoice(get_invoice(number)))

    raised = at_once(post, post)

    assert sum(error is None for error in raised) == 1
    assert all(error is None or isinstance(error, DomainError) for error in raised)
    assert count(JournalEntry, JournalEntry.source_kind == "invoice") == 1


def test_page_hook_and_janitor_together_record_one_payment(build, at_once, turn):
    attempt_id, page = begin(build.posted("80"))
    press(page, "succeed")

    raised = at_once(
        lambda: settle(attempt_id), lambda: settle(attempt_id), lambda: recheck(attempt_id)
    )

    assert raised == [None, None, None]
    assert count(Payment) == 1
    assert count(Message, Message.kind == "receipt") == 1


def test_money_at_the_desk_beside_a_page_that_settles_waits_in_no_circle(build, at_once, turn):
    invoice = build.posted("80")
    number = invoice.id
    attempt_id, page = begin(invoice)
    press(page, "succeed")

    def at_the_desk():  # committed without a second try: a deadlock would show
        paying = get_invoice(number)
        money = ReceivedMoney(
            customer=paying.customer, amount=Money.of(80), type=payment_types()[0],
            on=paying.invoice_date,
        )  # fmt: skip
        receive_payment(money, [(paying, Money.of(80))])
        db.session.commit()

    raised = at_once(at_the_desk, lambda: settle(attempt_id))

    assert raised[1] is None
    assert not is_deadlock(raised[0])
    assert count(Payment) == 1 + (raised[0] is None)
    assert db.session.get(Invoice, number).balance == ZERO


def is_deadlock(error):
    return getattr(getattr(error, "orig", None), "sqlstate", "") == "40P01"


def test_credit_is_used_once(build, at_once, turn):
    customer = build.customer()
    for _ in range(2):
        build.posted("80", customer=customer)
    payment = build.payment(customer, "100")
    number = payment.id

    def use():
        in_transaction(
            lambda: apply_oldest_first(db.session.get_one(Payment, number), on=build.today)
        )

    assert at_once(use, use) == [None, None]

    assert db.session.get(Payment, number).unapplied == ZERO


def test_sixteen_posters_with_rollbacks_leave_no_gap(build, at_once):
    numbers = [build.invoice("10").id for _ in range(48)]
    shares = [numbers[n::16] for n in range(16)]

    def poster(which):
        random = Random(which)

        def act():
            for number in shares[which]:
                if random.random() < 0.4:  # takes a number, then gives up
                    post_invoices([number])
                    db.session.flush()
                    db.session.rollback()
                in_transaction(lambda number=number: post_invoice(get_invoice(number)))

        return act

    assert at_once(*[poster(n) for n in range(16)]) == [None] * 16

    given = sorted(db.session.scalars(sa.select(Invoice.document_number)))
    assert given == [f"INV-2026-{n:05}" for n in range(1, 49)]


def test_two_workers_never_hold_one_row(build, at_once, turn):
    event = GatewayEvent(gateway="test", event_ref=f"e{turn}", kind="x", body=b"{}")
    db.session.add(event)
    db.session.commit()
    number, got = event.id, []

    def take():
        got.append(lease(GatewayEvent, number, states=[GatewayEventState.WAITING]))
        db.session.commit()

    assert at_once(take, take, take) == [None] * 3
    assert sorted(got) == [False, False, True]


def test_payers_of_a_batch_that_is_being_posted(build, at_once, turn):
    customer = build.customer()
    numbers = [build.invoice("80", customer=customer).id for _ in range(6)]

    def post():
        in_transaction(lambda: post_invoices(numbers))

    payers = [pays(one, Money.of(80), f"b-{turn}-{one}") for one in numbers[::2]]
    assert at_once(post, *payers) == [None] * 4

    open_ones = count(Invoice, Invoice.balance > Money.of(0))
    assert (count(Invoice, Invoice.state == InvoiceState.POSTED), open_ones) == (6, 3)


def test_an_attempt_is_opened_once_by_two_clicks(build, at_once):
    from portal.payment_collection import CheckoutWanted, start_checkout

    invoice = build.posted("80")
    wanted = CheckoutWanted(((invoice.id, invoice.balance),), "ada", "/x/")
    urls = []

    def click():
        urls.append(start_checkout(wanted))

    raised = at_once(click, click)

    assert all(error is None or isinstance(error, DomainError) for error in raised)
    from portal.models import PaymentAttempt

    live = [AttemptState.CREATED, AttemptState.OPEN, AttemptState.UNKNOWN]
    assert count(PaymentAttempt, PaymentAttempt.state.in_(live)) == 1
    assert len(set(urls)) >= 1
