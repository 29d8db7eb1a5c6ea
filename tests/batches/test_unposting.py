"""A posted batch is taken back wholly, or not at all."""

import pytest

from portal.batches import (
    ask_for_unposting,
    last_unposting,
    look_at_unpost_run,
    progress_of_unposting,
    unpost_batch,
    unpost_runs,
    unposting,
    waiting_unpost_runs,
)
from portal.db import db
from portal.kernel.errors import DomainError, InvalidTransition
from portal.ledger import close_through
from portal.models import BatchState, InvoiceState, PaymentState, UnpostState
from portal.tasks import read_progress, run_waiting
from tests.batches.test_posting import filled, post


def test_everything_becomes_a_draft_and_keeps_its_number(build):
    invoice, empty = build.invoice("80"), build.invoice()
    payment = build.payment(invoice.customer, "30")
    batch = post(filled(invoice, empty, payment))
    numbers = [invoice.document_number, empty.document_number]

    unpost_batch(batch, because="Wrong month")
    db.session.expire_all()

    assert (batch.state, batch.posted_at) == (BatchState.PENDING, None)
    assert (invoice.state, payment.state) == (InvoiceState.PENDING, PaymentState.PENDING)
    post(batch)
    assert [invoice.document_number, empty.document_number] == numbers
    assert batch.state is BatchState.POSTED


def test_an_empty_invoice_that_gets_a_line_is_bypassed_no_more(build):
    empty = build.invoice()
    batch = post(filled(empty))
    unpost_batch(batch, because="A line is missing")
    from portal.invoices import LineWords, add_line
    from portal.kernel.numbers import Quantity, UnitPrice

    add_line(empty, LineWords("Labor", Quantity.of(1), UnitPrice.of(5)))
    db.session.commit()
    post(batch)

    assert empty.bypass is False


def test_a_closed_period_keeps_the_whole_batch_posted(build):
    old = build.invoice("5", on=build.today.replace(month=1, day=5))
    new = build.invoice("6")
    batch = post(filled(old, new))
    close_through(build.today.replace(month=1, day=1))
    db.session.commit()

    with pytest.raises(DomainError, match="January 2026 is closed"):
        unpost_batch(batch, because="Too late")

    db.session.rollback()
    assert (batch.state, new.state) == (BatchState.POSTED, InvoiceState.POSTED)


@pytest.mark.parametrize("state", [BatchState.PENDING, BatchState.POSTING, BatchState.EXPORTED])
def test_only_a_posted_batch_is_unposted(build, state):
    batch = filled(build.invoice("1"))
    batch.state = state
    db.session.flush()

    with pytest.raises(InvalidTransition):
        unpost_batch(batch, because="No")


def test_a_reason_is_asked_for(build):
    batch = post(filled(build.invoice("1")))

    with pytest.raises(DomainError, match="Say why"):
        unpost_batch(batch, because=" ")


def asked(batch, because="Wrong month"):
    run = ask_for_unposting(batch, because=because, by=None)
    db.session.commit()
    return run


def test_the_worker_unposts_what_was_asked_for_and_says_how_far_it_is(build, monkeypatch):
    monkeypatch.setattr(unposting, "CHUNK", 1)
    invoices = [build.invoice("80"), build.invoice("20")]
    payment = build.payment(invoices[0].customer, "30")
    batch = post(filled(*invoices, payment))
    run = asked(batch)

    assert (batch.state, progress_of_unposting(run).total) == (BatchState.POSTED, 3)
    run_waiting()
    db.session.expire_all()

    assert (batch.state, run.state) == (BatchState.PENDING, UnpostState.DONE)
    assert {one.state for one in invoices} == {InvoiceState.PENDING}
    assert read_progress(f"unposting {run.id}") == 3


def test_what_refuses_is_told_and_nothing_was_unposted(office, build):
    old, new = build.invoice("5", on=build.today.replace(month=1, day=5)), build.invoice("6")
    batch = post(filled(old, new))
    run = asked(batch)
    close_through(build.today.replace(month=1, day=1))
    db.session.commit()
    run_waiting()
    db.session.expire_all()

    assert (batch.state, run.state) == (BatchState.POSTED, UnpostState.REFUSED)
    assert new.state is InvoiceState.POSTED
    page = office.get(f"/staff/batches/{batch.id}").text
    assert "Nothing was unposted." in page
    assert "January 2026 is closed" in page


def test_a_worker_that_dies_leaves_everything_posted_and_another_goes_on(build, monkeypatch):
    invoice = build.invoice("80")
    batch = post(filled(invoice))
    run = asked(batch)

    def dies(*_args):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(unpost_runs, "_finish", dies)
        with pytest.raises(KeyboardInterrupt):
            look_at_unpost_run(run.id)
    db.session.rollback()
    assert (batch.state, invoice.state) == (BatchState.POSTED, InvoiceState.POSTED)
    assert list(waiting_unpost_runs()) == []  # its lease still runs
    run.claimed_until = None
    db.session.commit()
    assert list(waiting_unpost_runs()) == [run.id]
    look_at_unpost_run(run.id)
    look_at_unpost_run(run.id)  # arrives twice
    db.session.expire_all()

    assert (batch.state, run.state) == (BatchState.PENDING, UnpostState.DONE)


def test_it_is_asked_for_once_and_may_be_asked_for_again_after_a_refusal(build):
    batch = post(filled(build.invoice("80")))
    run = asked(batch)

    with pytest.raises(DomainError, match="being unposted already"):
        ask_for_unposting(batch, because="Me too", by=None)
    db.session.rollback()
    run.state = UnpostState.REFUSED
    db.session.commit()
    asked(batch)
    run_waiting()
    db.session.expire_all()

    assert batch.state is BatchState.PENDING
    assert last_unposting(batch).state is UnpostState.DONE
