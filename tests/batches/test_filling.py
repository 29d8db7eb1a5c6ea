"""What comes into a batch and leaves it again."""

import pytest
import sqlalchemy as sa

from portal.audit import trail_of
from portal.batches import (
    FreePayments,
    add_invoices,
    add_matching_invoices,
    add_matching_payments,
    add_payments,
    count_unbatched,
    remove_invoices,
    rename_batch,
    start_batch,
    sum_of,
    unbatched_invoices,
    why_not_ready,
)
from portal.db import PageRequest, db
from portal.invoices import InvoiceFilter, cancel_invoice, posting_problem
from portal.jobs import complete_job
from portal.kernel.errors import Conflict, DomainError, InvalidFields
from portal.kernel.money import Money
from portal.models import BatchState, Invoice, ReviewState
from portal.web.listing import LARGEST_ID


@pytest.fixture
def batch(app):
    batch = start_batch("Monday")
    db.session.flush()
    return batch


def job_invoice(job):
    return db.session.scalars(sa.select(Invoice).where(Invoice.job_id == job.id)).one()


def test_a_batch_gets_a_number_of_its_own_series(batch):
    second = start_batch("  Tuesday   invoices ")

    assert (batch.number, second.number) == ("B-2026-00001", "B-2026-00002")
    assert second.name == "Tuesday invoices"


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_batch_needs_a_name_of_some_length(app, name):
    with pytest.raises(InvalidFields):
        start_batch(name)


def test_a_rename_over_an_older_version_is_refused(batch):
    rename_batch(batch, "Tuesday", version=batch.version)
    db.session.flush()

    with pytest.raises(Conflict):
        rename_batch(batch, "Wednesday", version=batch.version - 1)
    assert batch.name == "Tuesday"


def test_invoices_and_payments_come_in_and_are_added_up(batch, build):
    invoices = [build.invoice("80"), build.invoice("20", "5")]
    payment = build.payment(invoices[0].customer, "30")

    add_invoices(batch, [one.id for one in invoices])
    outcome = add_payments(batch, [payment.id])

    held = sum_of(batch)
    assert (outcome.added, outcome.refused) == (1, [])
    assert (held.invoices, held.invoices_total) == (2, Money.of(105))
    assert (held.payments, held.payments_total) == (1, Money.of(30))
    assert "Put into batch B-2026-00001." in [one.sentence for one in trail_of(invoices[0])]


def test_what_is_posted_or_in_another_batch_is_refused_by_name(batch, build):
    other = start_batch("Other")
    db.session.flush()
    taken, posted, free = build.invoice("1"), build.posted("2"), build.invoice("3")
    add_invoices(other, [taken.id])

    outcome = add_invoices(batch, [taken.id, posted.id, free.id])

    assert outcome.added == 1
    assert set(outcome.refused) == {
        (taken.number, f"It is already in batch {other.number}."),
        (posted.number, "It is already posted."),
    }
    assert (taken.batch_id, free.batch_id) == (other.id, batch.id)


def test_adding_twice_says_so_and_adds_once(batch, build):
    invoice = build.invoice("1")
    add_invoices(batch, [invoice.id])

    again = add_invoices(batch, [invoice.id])

    assert again.added == 0
    assert again.refused == [(invoice.number, f"It is already in batch {batch.number}.")]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (BatchState.POSTING, "is being posted right now"),
        (BatchState.POSTED, "is already posted"),
        (BatchState.EXPORTED, "is already exported"),
    ],
)
def test_a_batch_that_is_not_pending_takes_and_gives_nothing(batch, build, state, words):
    member, other = build.invoice("1"), build.invoice("2")
    add_invoices(batch, [member.id])
    batch.state = state
    db.session.flush()

    for act in (
        lambda: add_invoices(batch, [other.id]),
        lambda: add_matching_invoices(batch, InvoiceFilter()),
        lambda: add_matching_payments(batch, FreePayments()),
        lambda: remove_invoices(batch, [member.id]),
    ):
        with pytest.raises(DomainError, match=words):
            act()


def test_all_that_match_and_are_ready_come_in_at_once(batch, build):
    ada = build.customer("Ada")
    fits = build.invoice("10", customer=ada)
    build.invoice("10", customer=build.customer("Bob"))
    undated = build.invoice("10", customer=ada)
    undated.invoice_date = undated.due_date = None
    rejected = build.invoice("10", customer=ada)
    rejected.review_state = ReviewState.REJECTED
    build.posted("10", customer=ada)
    db.session.flush()

    assert add_matching_invoices(batch, InvoiceFilter(customer_id=ada.id)) == 1
    assert fits.batch_id == batch.id


def test_payments_are_narrowed_and_come_in_together(batch, build):
    ada, bob = build.customer("Ada"), build.customer("Bob")
    mine, other = build.payment(ada, "5"), build.payment(bob, "7")

    assert add_matching_payments(batch, FreePayments(q="ada")) == 1
    db.session.expire_all()
    assert (mine.batch_id, other.batch_id) == (batch.id, None)


def test_the_unbatched_are_ready_or_say_why_not(build):
    ready = build.invoice("10")
    job = build.job()
    waiting = job_invoice(job)

    listed = unbatched_invoices(InvoiceFilter(), PageRequest()).rows
    others = unbatched_invoices(InvoiceFilter(), PageRequest(), ready=False).rows

    assert (listed, others) == ([ready], [waiting])
    assert why_not_ready(waiting) == f"Job {job.number} is not completed yet."
    assert count_unbatched() == (1, 1, 0)
    complete_job(job)
    db.session.flush()
    assert count_unbatched() == (2, 0, 0)


def test_removing_leaves_the_others_and_is_told(batch, build):
    first, second = build.invoice("1"), build.invoice("2")
    add_invoices(batch, [first.id, second.id])

    left = remove_invoices(batch, [first.id, LARGEST_ID])

    assert (left, first.batch_id, second.batch_id) == (1, None, batch.id)
    assert trail_of(first)[0].sentence == f"Taken out of batch {batch.number}."


def test_a_cancelled_invoice_leaves_its_batch(batch, build):
    invoice = build.invoice("1")
    add_invoices(batch, [invoice.id])

    cancel_invoice(invoice, because="typed twice")

    assert invoice.batch_id is None
    assert sum_of(batch).invoices == 0


def test_a_member_is_not_posted_alone(batch, build):
    invoice = build.invoice("1")
    add_invoices(batch, [invoice.id])

    assert f"It is in batch {batch.number}" in (posting_problem(invoice) or "")
