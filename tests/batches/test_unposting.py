"""A posted batch is taken back wholly, or not at all."""

import pytest

from portal.batches import unpost_batch
from portal.db import db
from portal.kernel.errors import DomainError, InvalidTransition
from portal.ledger import close_through
from portal.models import BatchState, InvoiceState, PaymentState
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
