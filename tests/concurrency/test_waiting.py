"""Who waited for a lock looks at what is true afterwards, also at what hangs on the row."""

import threading

import pytest
import sqlalchemy as sa

from portal.db import db, in_transaction
from portal.invoices import get_invoice, invoice_of_job, post_invoice
from portal.jobs import complete_job, get_job, reopen_job
from portal.kernel.errors import DomainError
from portal.models import InvoiceState

pytestmark = pytest.mark.concurrency


def until_somebody_waits():
    """Until a statement hangs on a lock of ours; these tests run on PostgreSQL only."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(500):
        if db.session.scalar(waiting):
            return
        threading.Event().wait(0.01)


def test_an_invoice_whose_job_is_reopened_while_posting_waits_is_not_posted(build, at_once):
    job = build.job(items=(build.item("100"),))
    complete_job(job)
    db.session.flush()
    job_id, number = job.id, invoice_of_job(job).id
    reopened = threading.Event()

    def reopens():
        def act():
            reopen_job(get_job(job_id))
            db.session.flush()
            reopened.set()
            until_somebody_waits()

        in_transaction(act)

    def posts():
        reopened.wait(20)
        in_transaction(lambda: post_invoice(get_invoice(number)))

    opened, refused = at_once(reopens, posts)

    assert opened is None
    assert isinstance(refused, DomainError)
    assert str(refused) == "The job is not completed yet."
    assert get_invoice(number).state is InvoiceState.PENDING
