"""Two people at one invoice, one job, one trail: nothing is lost, and it adds up."""

import threading
from contextlib import suppress
from datetime import date

import pytest

from portal.audit import record, trail_of, verify_audit
from portal.db import db, in_transaction
from portal.invoices import (
    LineWords,
    add_line,
    get_invoice,
    invoice_of_job,
    post_invoice,
    remove_line,
)
from portal.jobs import LogWords, add_log, complete_job, get_job
from portal.kernel.errors import Conflict, DomainError, InvalidTransition
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through, is_open
from portal.models import Customer, InvoiceState, PaymentApplication
from portal.payments import apply_credit, apply_oldest_first, apply_payment, get_payment, unapply
from portal.pricebook import get_item

pytestmark = pytest.mark.concurrency


def adds(invoice_id, description, price="20"):
    words = LineWords(description, Quantity.of(1), UnitPrice.of(price))
    return lambda: in_transaction(lambda: add_line(get_invoice(invoice_id), words) and None)


def test_lines_added_at_once_are_all_in_the_total(build, at_once, turn):
    number = build.invoice("80", location=build.location(zone=build.zone("10"))).id

    raised = at_once(*(adds(number, f"Line {n}") for n in range(4)))

    assert raised == [None] * 4
    invoice = get_invoice(number)
    assert (len(invoice.lines), invoice.subtotal, invoice.total) == (
        5,
        Money.of(160),
        Money.of(176),
    )
    assert [line.position for line in invoice.lines] == [0, 1, 2, 3, 4]
    assert len(invoice.taxes) == 1


def test_a_line_is_removed_once(build, at_once, turn):
    invoice = build.invoice("80", "20")
    number, line_id = invoice.id, invoice.lines[1].id

    def removes():
        def act():
            mine = get_invoice(number)
            remove_line(mine, next(one for one in mine.lines if one.id == line_id))

        return in_transaction(act)

    raised = at_once(removes, removes)

    assert get_invoice(number).total == Money.of(80)
    assert sum(one is None for one in raised) == 1
    assert all(isinstance(one, Conflict | StopIteration) for one in raised if one is not None)


def test_what_is_logged_while_the_job_is_completed_is_billed_or_refused(build, at_once, turn):
    item = build.item("50")
    job, item_id = build.job(items=(item,)).id, item.id

    def logs():
        add_log(get_job(job), LogWords(quantity=Quantity.of(1), item=get_item(item_id)))

    raised = at_once(
        lambda: in_transaction(logs), lambda: in_transaction(lambda: complete_job(get_job(job)))
    )

    done = get_job(job)
    assert raised[1] is None
    assert raised[0] is None or isinstance(raised[0], InvalidTransition)
    invoice = invoice_of_job(done)
    assert len(done.logs) == len(invoice.lines) == (2 if raised[0] is None else 1)


def test_credit_is_applied_while_an_application_is_taken_back(build, at_once, turn):
    customer = build.customer()
    first, second = (build.posted("50", customer=customer) for _ in range(2))
    payment = build.payment(customer, "100")
    apply_payment(payment, second, Money.of(10), on=build.today)
    row, pay, day = payment.applications[0].id, payment.id, build.today
    assert first.id < second.id

    raised = at_once(  # committed without a second try: a deadlock would show
        lambda: (apply_oldest_first(get_payment(pay), on=day), db.session.commit()),
        lambda: (unapply(db.session.get(PaymentApplication, row)), db.session.commit()),
    )

    assert raised == [None, None]


def test_eight_writers_make_one_chain(build, at_once):
    customer = build.customer().id

    def writes():
        for n in range(10):
            record("noted", db.session.get(Customer, customer), f"Note {n}.")
            db.session.commit()

    assert at_once(*([writes] * 8)) == [None] * 8

    assert verify_audit() == []
    notes = [one for one in trail_of(db.session.get(Customer, customer)) if one.verb == "noted"]
    assert len(notes) == 80


def test_nothing_is_booked_into_a_month_after_it_was_closed(build, at_once, turn):
    number, month = build.invoice("80", on=date(2026, 2, 10)).id, date(2026, 2, 1)

    raised = at_once(
        lambda: in_transaction(lambda: post_invoice(get_invoice(number))),
        lambda: in_transaction(lambda: close_through(month) and None),
    )

    assert raised[1] is None
    assert raised[0] is None or "is closed" in str(raised[0])
    posted = get_invoice(number).state is InvoiceState.POSTED
    assert posted is (raised[0] is None)


@pytest.mark.parametrize("first", ["a draft in it", "nothing in it yet", "after a savepoint"])
def test_whoever_closes_a_month_waits_for_who_writes_into_it(app, build, first):
    invoice = build.invoice("80", on=date(2026, 2, 10))
    number, customer = invoice.id, invoice.customer
    db.session.commit()
    if first == "a draft in it":
        post_invoice(get_invoice(number))  # and does not commit yet
    elif first == "nothing in it yet":  # closed only because a later month is
        build.payment(customer, "5", on=date(2025, 12, 24))
    else:  # a savepoint that was rolled back let the lock go: it is taken again
        with suppress(RuntimeError), db.session.begin_nested():
            build.payment(customer, "5", on=date(2025, 12, 24))
            raise RuntimeError
        build.payment(customer, "7", on=date(2025, 12, 24))
    closed = threading.Event()

    def close():
        with app.app_context():
            in_transaction(lambda: close_through(date(2026, 2, 1)))
            closed.set()
            db.session.remove()

    closing = threading.Thread(target=close)
    closing.start()
    assert not closed.wait(0.3)
    db.session.commit()
    closing.join(20)

    assert closed.is_set()
    assert not is_open(date(2026, 2, 1))


def test_who_waited_for_the_closing_finds_the_month_closed(app, build):
    number = build.invoice("80", on=date(2026, 2, 10)).id
    db.session.commit()
    close_through(date(2026, 2, 1))  # and does not commit yet
    looked, told = threading.Event(), []

    def post():
        with app.app_context():
            assert is_open(date(2026, 2, 1))  # read before it waits
            looked.set()
            try:
                post_invoice(get_invoice(number))
                db.session.commit()
            except DomainError as error:
                told.append(str(error))
            finally:
                db.session.remove()

    posting = threading.Thread(target=post)
    posting.start()
    assert looked.wait(20)
    db.session.commit()
    posting.join(20)

    assert len(told) == 1
    assert "February 2026 is closed" in told[0]


def test_a_shrinking_draft_and_credit_wait_in_one_order(build, at_once, turn):
    customer = build.customer()
    draft, other = (
        build.invoice("100", "60", customer=customer),
        build.posted("90", customer=customer),
    )
    older, newer = (build.payment(customer, "100") for _ in range(2))
    for one in (older, newer):
        apply_payment(one, draft, Money.of(80), on=build.today)
    number, line_id, wanted, day = draft.id, draft.lines[0].id, other.id, build.today

    def shrinks():
        mine = get_invoice(number)
        remove_line(mine, next(one for one in mine.lines if one.id == line_id))
        db.session.commit()

    def uses_credit():
        apply_credit(get_invoice(wanted), on=day)
        db.session.commit()

    assert at_once(shrinks, uses_credit) == [None, None]
