"""SIGKILL at every step of posting a batch, twice in a row: it ends once, and knows how far it was.

Runs on both engines; the worker is a process of its own.
"""

import signal
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.batches import ask_for_posting, progress_of, waiting_batches
from portal.db import db
from portal.kernel import clock
from portal.ledger import verify_books
from portal.models import (
    BatchState,
    Invoice,
    JournalEntry,
    Payment,
    PaymentState,
    WhenRefused,
)
from tests.batches.test_posting import filled
from tests.crash.dying import mortals

INVOICES, PAYMENTS = 23, 7
P = "portal.batches.posting"
# what happens there, and how often before the kill: in the middle of seven chunks
STEPS = [
    (f"{P}:_begin", 1),
    (f"{P}:post_invoices", 3),
    (f"{P}:note_progress", 3),
    (f"{P}:post_payments", 1),
    (f"{P}:finish", 1),
]

NOWHERE = ("portal.db:bump", "before")  # nothing calls it there: this life is lived to its end

pytestmark = pytest.mark.crash


@pytest.fixture(scope="module")
def worker(whole_app, database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("worker")
    with mortals("tests.crash.poster", str(folder), database.url, log=folder / "poster.log") as own:
        yield own


@pytest.fixture
def batch(build):
    customer = build.customer()
    members = [build.invoice("80", customer=customer) for _ in range(INVOICES)]
    members += [build.payment(customer, "5") for _ in range(PAYMENTS)]
    batch = filled(*members)
    ask_for_posting(batch, when_refused=WhenRefused.POST_REST, by=None)
    db.session.commit()
    return batch


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("mode", [WhenRefused.POST_NONE, WhenRefused.POST_REST])
@pytest.mark.parametrize(("place", "times"), STEPS)
def test_a_killed_worker_is_followed_by_another_and_all_is_posted_once(
    batch, worker, place, times, mode, when
):
    batch.when_refused = mode
    before = 0
    for _ in range(2):
        assert ends(worker, place, when, times) == -signal.SIGKILL, worker.last_words()
        done = kept(batch)
        assert batch.state is BatchState.POSTING
        assert before <= done <= (0 if mode is WhenRefused.POST_NONE else INVOICES + PAYMENTS)
        before = done

    with clock.frozen((batch.claimed_until or clock.now()) + timedelta(seconds=1)):
        assert list(waiting_batches()) == [batch.id]
    assert ends(worker, *NOWHERE) == 0, worker.last_words()

    assert kept(batch) == batch.rows_total == INVOICES + PAYMENTS
    assert batch.state is BatchState.POSTED
    numbers = sorted(db.session.scalars(sa.select(Invoice.document_number)))
    assert numbers == [f"INV-2026-{n:05}" for n in range(1, INVOICES + 1)]
    assert ends(worker, *NOWHERE) == 0  # a wake-up that comes again
    assert kept(batch) == INVOICES + PAYMENTS


def ends(worker, *death):
    """How the worker's life ended; we hold nothing of the database meanwhile."""
    db.session.commit()
    return worker.die(*death)


def kept(batch):
    """How many members are posted by the rows themselves; the books hold and the progress fits."""
    db.session.expire_all()
    entries = JournalEntry.source_kind == "invoice"
    invoices = db.session.scalar(sa.select(sa.func.count()).where(entries))
    posted = Payment.state == PaymentState.POSTED
    payments = db.session.scalar(sa.select(sa.func.count()).where(posted))
    assert invoices + payments == batch.rows_done == progress_of(batch).done
    assert verify_books() == []
    return invoices + payments
