"""Two people, two batches, two workers at the same moment: one answer each."""

import pytest
import sqlalchemy as sa

from portal.batches import (
    add_invoices,
    add_matching_invoices,
    ask_for_posting,
    get_batch,
    look_at_batch,
    remove_invoices,
    start_batch,
    unpost_batch,
)
from portal.db import db, in_transaction
from portal.invoices import (
    InvoiceFilter,
    LineWords,
    add_line,
    cancel_invoice,
    get_invoice,
    post_invoice,
)
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import Batch, BatchState, Invoice, InvoiceState, JournalEntry, WhenRefused
from tests.batches.test_posting import filled, post
from tests.concurrency.test_races import pays

pytestmark = pytest.mark.concurrency
NONE, REST = WhenRefused.POST_NONE, WhenRefused.POST_REST


def adds(batch_id, *ids):
    return lambda: in_transaction(lambda: add_invoices(get_batch(batch_id), ids))


def asks(batch_id, mode=NONE):
    return lambda: in_transaction(
        lambda: ask_for_posting(get_batch(batch_id), when_refused=mode, by=None)
    )


def entries():
    query = sa.select(sa.func.count()).select_from(JournalEntry)
    return db.session.scalar(query.where(JournalEntry.source_kind == "invoice"))


def posting(batch, mode=NONE):
    ask_for_posting(batch, when_refused=mode, by=None)
    db.session.commit()
    return batch.id


def test_an_invoice_ends_in_one_of_two_batches(build, at_once, turn):
    first, second = start_batch("First"), start_batch("Second")
    invoice = build.invoice("80")
    db.session.flush()
    here, there, number = first.id, second.id, invoice.id

    assert at_once(adds(here, number), adds(there, number)) == [None, None]

    batch_id = db.session.get_one(Invoice, number).batch_id
    assert batch_id in (here, there)


def test_all_that_match_added_to_two_batches_end_in_one_each(build, at_once, turn):
    first, second = start_batch("First"), start_batch("Second")
    ids = [build.invoice("80").id for _ in range(6)]
    db.session.flush()
    here, there = first.id, second.id

    def all_to(batch_id):
        return lambda: in_transaction(
            lambda: add_matching_invoices(get_batch(batch_id), InvoiceFilter())
        )

    assert at_once(all_to(here), all_to(there)) == [None, None]

    query = sa.select(Invoice.batch_id).where(Invoice.id.in_(ids))
    assert set(db.session.scalars(query)) <= {here, there}


def test_what_is_added_while_a_batch_begins_to_post_is_in_it_or_refused(build, at_once, turn):
    member, late = build.invoice("80"), build.invoice("20")
    batch = filled(member)
    batch_id, late_id = batch.id, late.id

    raised = at_once(adds(batch_id, late_id), asks(batch_id))

    assert raised[1] is None
    batch, late = db.session.get_one(Batch, batch_id), db.session.get_one(Invoice, late_id)
    if raised[0] is None:
        assert (late.batch_id, batch.rows_total) == (batch_id, 2)
    else:
        assert isinstance(raised[0], DomainError)
        assert (late.batch_id, batch.rows_total) == (None, 1)


@pytest.mark.parametrize("mode", [NONE, REST])
def test_two_workers_post_a_batch_once(build, at_once, turn, mode):
    ids = [build.invoice(str(n)).id for n in range(1, 6)]
    batch = filled(*[db.session.get_one(Invoice, one) for one in ids])
    batch_id = posting(batch, mode)

    def work():
        look_at_batch(batch_id)

    assert at_once(work, work) == [None, None]

    assert db.session.get_one(Batch, batch_id).state is BatchState.POSTED
    assert entries() == 5
    numbers = sorted(db.session.scalars(sa.select(Invoice.document_number)))
    assert numbers == [f"INV-2026-{n:05}" for n in range(1, 6)]


def test_two_people_ask_and_one_is_told_it_is_being_posted(build, at_once, turn):
    batch_id = filled(build.invoice("1")).id

    raised = at_once(asks(batch_id), asks(batch_id))

    assert sorted(one is None for one in raised) == [False, True]


def test_an_invoice_cancelled_while_its_batch_is_posted_is_one_or_the_other(build, at_once, turn):
    invoice = build.invoice("80")
    number, batch = invoice.id, filled(invoice, build.invoice("20"))
    batch_id = posting(batch)

    def cancel():
        in_transaction(lambda: cancel_invoice(get_invoice(number), because="a mistake"))

    raised = at_once(cancel, lambda: look_at_batch(batch_id))

    fresh = db.session.get_one(Invoice, number)
    if raised[0] is None:
        assert (fresh.state, fresh.batch_id) == (InvoiceState.CANCELLED, None)
    else:
        assert (fresh.state, fresh.batch_id) == (InvoiceState.POSTED, batch_id)
    assert db.session.get_one(Batch, batch_id).state is BatchState.POSTED


def test_money_and_edits_beside_a_posting_batch_keep_the_books(build, at_once, turn):
    paid, edited = build.invoice("80"), build.invoice("20")
    numbers = paid.id, edited.id
    batch_id = posting(filled(paid, edited))

    def edit():
        words = LineWords("More", Quantity.of(1), UnitPrice.of(5))
        in_transaction(lambda: add_line(get_invoice(numbers[1]), words))

    raised = at_once(
        lambda: look_at_batch(batch_id), pays(numbers[0], Money.of(30), f"b-{turn}"), edit
    )

    assert raised[:2] == [None, None]
    assert db.session.get_one(Invoice, numbers[0]).balance == Money.of(50)
    added = Money.of(5) if raised[2] is None else Money.of(0)
    assert db.session.get_one(Invoice, numbers[1]).total == Money.of(20) + added


def test_taken_out_or_posted_never_both(build, at_once, turn):
    invoice = build.invoice("80")
    number, batch_id = invoice.id, filled(invoice, build.invoice("20")).id

    def take_out():
        in_transaction(lambda: remove_invoices(get_batch(batch_id), [number]))

    def ask_and_post():
        asks(batch_id)()
        look_at_batch(batch_id)

    at_once(take_out, ask_and_post)

    fresh = db.session.get_one(Invoice, number)
    assert (fresh.state is InvoiceState.POSTED) == (fresh.batch_id == batch_id)


def test_a_single_posting_beside_adding_to_a_batch(build, at_once, turn):
    invoice, batch = build.invoice("80"), start_batch("Monday")
    db.session.flush()
    number, batch_id = invoice.id, batch.id

    def single():
        in_transaction(lambda: post_invoice(get_invoice(number)))

    raised = at_once(single, adds(batch_id, number))

    fresh = db.session.get_one(Invoice, number)
    posted = (fresh.state, fresh.batch_id) == (InvoiceState.POSTED, None)
    batched = (fresh.state, fresh.batch_id) == (InvoiceState.PENDING, batch_id)
    assert posted or batched
    assert (raised[0] is None) == posted


def test_a_batch_is_unposted_once(build, at_once, turn):
    batch_id = post(filled(build.invoice("80"))).id

    def unpost():
        in_transaction(lambda: unpost_batch(get_batch(batch_id), because="wrong"))

    raised = at_once(unpost, unpost)

    assert sorted(one is None for one in raised) == [False, True]
    assert entries() == 2
