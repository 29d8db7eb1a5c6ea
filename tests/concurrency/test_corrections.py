"""Corrections beside each other and beside payers: never more than there is, and it adds up."""

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.invoices import (
    get_invoice,
    left_to_credit,
    post_invoice,
    post_invoices,
    start_adjustment,
    start_credit_note,
    unpost_invoice,
    unpost_invoices,
    write_off,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import ZERO, Money
from portal.models import Invoice, InvoiceState, Payment
from portal.payments import apply_credit
from tests.concurrency.test_races import pays

pytestmark = pytest.mark.concurrency


def posts(invoice_id):
    return lambda: in_transaction(lambda: post_invoice(get_invoice(invoice_id)))


def unposts(invoice_id):
    return lambda: in_transaction(lambda: unpost_invoice(get_invoice(invoice_id), because="a race"))


def refused(raised):
    """Everything that went wrong was told in a sentence; how many."""
    wrong = [one for one in raised if one is not None]
    assert all(isinstance(one, DomainError) for one in wrong), wrong
    return len(wrong)


def test_two_credit_notes_at_once_never_take_more_than_the_original(build, at_once, turn):
    original = build.posted("100")
    number = original.id
    notes = [start_credit_note(original) for _ in range(2)]
    db.session.flush()

    raised = at_once(*(posts(one.id) for one in notes))

    assert refused(raised) == 1
    assert get_invoice(number).balance == ZERO
    assert left_to_credit(get_invoice(number)) == ZERO


def test_a_credit_note_beside_a_payer_settles_once_and_leaves_the_rest_as_credit(
    build, at_once, turn
):
    original = build.posted("100")
    number = original.id
    note = start_credit_note(original)
    db.session.flush()

    raised = at_once(posts(note.id), pays(number, Money.of(100), f"c-{turn}"))

    assert raised == [None, None]
    assert get_invoice(number).balance == ZERO
    unused = db.session.scalars(sa.select(Payment.unapplied)).all()
    assert Money.total(unused) == Money.of(100)


def test_an_invoice_is_unposted_beside_a_payer(build, at_once, turn):
    number = build.posted("100").id

    raised = at_once(unposts(number), pays(number, Money.of(60), f"u-{turn}"))

    assert refused(raised) <= 1  # the page was older than the payment
    assert raised[1] is None
    assert get_invoice(number).balance == Money.of(40)


def test_two_people_unpost_one_invoice(build, at_once, turn):
    number = build.posted("100").id

    raised = at_once(unposts(number), unposts(number))

    assert refused(raised) == 1
    assert get_invoice(number).state is InvoiceState.PENDING


def test_credit_is_used_while_its_document_is_unposted(build, at_once, turn):
    original = build.posted("100")
    build.payment(original.customer, "100", original)
    note = start_credit_note(original)
    post_invoice(note)
    other = build.posted("30", customer=original.customer).id
    note_id, day = note.id, build.today

    def uses():
        in_transaction(lambda: apply_credit(get_invoice(other), on=day))

    raised = at_once(unposts(note_id), uses)

    refused(raised)
    unposted = get_invoice(note_id).state is InvoiceState.PENDING
    assert get_invoice(other).balance == (Money.of(30) if unposted else ZERO)


def test_an_original_is_unposted_while_its_credit_note_is_posted(build, at_once, turn):
    original = build.posted("100")
    number = original.id
    start_credit_note(original)
    db.session.flush()
    note = db.session.scalars(sa.select(Invoice.id).where(Invoice.adjusts_id == number)).one()

    raised = at_once(unposts(number), posts(note))

    assert refused(raised) == 1
    states = {get_invoice(number).state, get_invoice(note).state}
    assert states in ({InvoiceState.PENDING}, {InvoiceState.POSTED})


def test_a_write_off_beside_a_payer_takes_what_is_left_or_is_refused(build, at_once, turn):
    number = build.posted("100").id

    def gives_up():
        in_transaction(lambda: write_off(get_invoice(number), Money.of(100), because="bankrupt"))

    raised = at_once(gives_up, pays(number, Money.of(60), f"w-{turn}"))

    assert raised[1] is None
    written = db.session.scalar(
        sa.select(sa.func.count()).where(Invoice.document_number == "WO-2026-00001")
    )
    assert written == (0 if refused(raised) else 1)
    assert get_invoice(number).balance == (Money.of(40) if refused(raised) else ZERO)


def test_bulk_runs_over_a_family_in_any_order_do_not_wait_in_a_circle(build, at_once, turn):
    original = build.posted("100")
    for _ in range(3):
        start_credit_note(original, {original.lines[0].id: original.lines[0].quantity})
        start_adjustment(original)
    db.session.commit()
    ids = list(db.session.scalars(sa.select(Invoice.id).order_by(Invoice.id)))

    def runs(order, act):
        return lambda: in_transaction(lambda: act(order) and None)

    raised = at_once(
        runs(ids, post_invoices),
        runs(ids[::-1], post_invoices),
        runs(ids, lambda wanted: unpost_invoices(wanted, because="a race")),
    )

    refused(raised)
