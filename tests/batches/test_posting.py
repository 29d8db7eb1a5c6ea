"""A batch becomes final as one: wholly, or all but what is refused; killed or not."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from portal.batches import (
    add_invoices,
    add_payments,
    ask_for_posting,
    look_at_batch,
    posting,
    progress_of,
    refusals_of,
    refused_members,
    seen_of,
    start_batch,
    waiting_batches,
)
from portal.db import PageRequest, db
from portal.invoices import LineWords, add_line, locking, start_credit_note
from portal.invoices import posting as invoice_posting
from portal.kernel import clock
from portal.kernel.errors import Conflict, DomainError, InvalidTransition
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.ledger import close_through, closed_sentence
from portal.models import (
    Batch,
    BatchState,
    Invoice,
    InvoiceState,
    JournalEntry,
    PaymentState,
    ReviewState,
    WhenRefused,
)
from portal.payments import delete_payment
from portal.tasks import run_waiting
from tests.conftest import MONDAY

NONE, REST = WhenRefused.POST_NONE, WhenRefused.POST_REST


def filled(*members):
    batch = start_batch("Monday")
    db.session.flush()
    add_invoices(batch, [one.id for one in members if isinstance(one, Invoice)])
    add_payments(batch, [one.id for one in members if not isinstance(one, Invoice)])
    db.session.commit()
    return batch


def post(batch, when_refused=NONE):
    ask_for_posting(batch, when_refused=when_refused, by=None)
    db.session.commit()
    run_waiting()
    db.session.expire_all()
    return batch


def undated(build):
    invoice = build.invoice("7")
    invoice.invoice_date = invoice.due_date = None
    db.session.flush()
    return invoice


def reasons(batch):
    return [one.sentence for one in refusals_of(batch, PageRequest()).rows]


def entries():
    return db.session.scalar(
        sa.select(sa.func.count()).where(JournalEntry.source_kind == "invoice")
    )


def test_every_member_is_posted_with_its_batch(build):
    later, earlier = build.invoice("80"), build.invoice("20", on=build.today - timedelta(days=1))
    payment = build.payment(later.customer, "30")

    batch = post(filled(later, earlier, payment))

    assert batch.state is BatchState.POSTED
    assert batch.posted_at == MONDAY
    assert (later.state, earlier.state) == (InvoiceState.POSTED, InvoiceState.POSTED)
    assert (earlier.document_number, later.document_number) == ("INV-2026-00001", "INV-2026-00002")
    assert payment.state is PaymentState.POSTED
    assert batch.rows_done == batch.rows_total == 3


def test_one_refusal_keeps_everything_pending(build):
    good, bad = build.invoice("80"), undated(build)
    payment = build.payment(good.customer, "30")

    batch = post(filled(good, bad, payment))

    assert batch.state is BatchState.PENDING
    assert (good.state, payment.state) == (InvoiceState.PENDING, PaymentState.PENDING)
    assert good.document_number is None
    assert entries() == 0
    assert reasons(batch) == ["Give the invoice a date before posting."]
    (told,) = refused_members(refusals_of(batch, PageRequest()).rows)
    assert (told.number, told.invoice_id) == (bad.number, bad.id)
    assert bad.batch_id == batch.id


def test_the_rest_is_posted_and_the_refused_leave_with_their_reason(build):
    good, bad = build.invoice("80"), undated(build)

    batch = post(filled(good, bad), REST)

    assert batch.state is BatchState.POSTED
    assert good.state is InvoiceState.POSTED
    assert (bad.state, bad.batch_id) == (InvoiceState.PENDING, None)
    assert reasons(batch) == ["Give the invoice a date before posting."]


def test_two_credits_that_exceed_their_original_together_are_both_named(build):
    original = build.posted("100")
    first, second = start_credit_note(original), start_credit_note(original)

    batch = post(filled(first, second))

    assert batch.state is BatchState.PENDING
    assert (first.state, second.state) == (InvoiceState.PENDING, InvoiceState.PENDING)
    (told,) = refused_members(refusals_of(batch, PageRequest()).rows)
    assert told.number == second.number
    assert told.sentence == (
        f"This credit note takes $100.00 off invoice {original.number}, of which only $0.00 is "
        f"left: credit note {first.number} takes $100.00 in the same go."
    )


def test_when_all_are_refused_the_batch_stays_pending_with_them(build):
    bad = undated(build)

    batch = post(filled(bad), REST)

    assert (batch.state, bad.batch_id) == (BatchState.PENDING, batch.id)
    assert len(reasons(batch)) == 1


def test_a_second_try_forgets_the_refusals_of_the_first(build):
    bad = undated(build)
    batch = post(filled(bad))
    bad.invoice_date = bad.due_date = build.today
    db.session.commit()

    post(batch)

    assert batch.state is BatchState.POSTED
    assert reasons(batch) == []


def test_an_empty_batch_is_refused_in_words(app):
    batch = start_batch("Nothing")

    with pytest.raises(DomainError, match="is empty"):
        ask_for_posting(batch, when_refused=NONE, by=None)


def test_a_posted_batch_is_not_posted_again(build):
    batch = post(filled(build.invoice("1")))

    with pytest.raises(InvalidTransition, match="already posted"):
        ask_for_posting(batch, when_refused=NONE, by=None)


def test_an_invoice_without_lines_is_bypassed_and_one_of_zero_dollars_is_not(build):
    empty, nought = build.invoice(), build.invoice("0")

    post(filled(empty, nought))

    assert (empty.state, empty.bypass) == (InvoiceState.POSTED, True)
    assert (nought.state, nought.bypass) == (InvoiceState.POSTED, False)


def test_the_batch_page_counts_what_will_be_bypassed_before_and_after(office, build):
    empty, free, priced = build.invoice(), build.invoice("0"), build.invoice("80")
    gone = build.payment(priced.customer, "30")
    kept = build.payment(priced.customer, "40")
    delete_payment(gone, version=gone.version)
    batch = filled(empty, free, priced, gone, kept)

    before = office.get(f"/staff/batches/{batch.id}").text
    post(batch)
    after = office.get(f"/staff/batches/{batch.id}").text

    assert "2 of them tell the accounting system nothing" in before
    assert "It was returned and counts for $0: it will be bypassed." in before
    assert "2 of them tell the accounting system nothing" in after
    assert (empty.bypass, free.bypass, gone.bypass, kept.bypass) == (True, False, True, False)


def test_a_payment_of_nothing_cannot_be_recorded(build):
    with pytest.raises(DomainError):
        build.payment(build.customer("Ada"), "0")


def test_a_closed_month_refuses_its_members(build):
    old = build.invoice("5", on=build.today.replace(month=1, day=5))
    batch = filled(old, build.invoice("6"))
    close_through(build.today.replace(month=1, day=1))

    post(batch)

    assert reasons(batch) == [closed_sentence(date(2026, 1, 15))]


@pytest.mark.parametrize("mode", [NONE, REST])
def test_a_worker_that_dies_doubles_and_loses_nothing(build, monkeypatch, mode):
    monkeypatch.setattr(posting, "CHUNK", 2)
    invoices = [build.invoice(str(n)) for n in range(1, 6)]
    batch = filled(*invoices)
    ask_for_posting(batch, when_refused=mode, by=None)
    db.session.commit()
    real, seen = posting.post_invoices, []

    class Killed(BaseException):
        pass

    def deadly(ids, **words):
        outcome = real(ids, **words)
        seen.append(ids)
        if len(seen) == 2:
            raise Killed
        return outcome

    monkeypatch.setattr(posting, "post_invoices", deadly)
    with pytest.raises(Killed):
        look_at_batch(batch.id)
    db.session.rollback()
    monkeypatch.setattr(posting, "post_invoices", real)
    kept = 0 if mode is NONE else 2
    assert entries() == kept
    assert db.session.get_one(Batch, batch.id).state is BatchState.POSTING
    assert list(waiting_batches()) == []
    db.session.rollback()

    with clock.frozen(MONDAY + timedelta(seconds=posting.LEASE)):
        assert list(waiting_batches()) == [batch.id]
        look_at_batch(batch.id)

    db.session.expire_all()
    assert batch.state is BatchState.POSTED
    assert entries() == 5
    numbers = [one.document_number for one in invoices]
    assert numbers == [f"INV-2026-{n:05}" for n in range(1, 6)]


def test_what_breaks_is_told_and_can_be_tried_again(build, monkeypatch):
    batch = filled(build.invoice("1"))
    ask_for_posting(batch, when_refused=NONE, by=None)
    db.session.commit()

    def broken(*_ids, **_words):
        raise RuntimeError("out of paper")

    with monkeypatch.context() as patch:
        patch.setattr(posting, "post_invoices", broken)
        with pytest.raises(RuntimeError):
            run_waiting()

    assert batch.state is BatchState.PENDING
    assert "can be tried again" in batch.failure
    assert post(batch).failure == ""


def test_the_rest_that_breaks_keeps_what_was_posted(build, monkeypatch):
    monkeypatch.setattr(posting, "CHUNK", 1)
    first, second = build.invoice("1"), build.invoice("2")
    batch = filled(first, second)
    ask_for_posting(batch, when_refused=REST, by=None)
    db.session.commit()
    real = posting.post_invoices

    def broken(ids, **words):
        if ids == [second.id]:
            raise RuntimeError("out of paper")
        return real(ids, **words)

    monkeypatch.setattr(posting, "post_invoices", broken)
    with pytest.raises(RuntimeError):
        run_waiting()

    assert (batch.state, first.state) == (BatchState.POSTED, InvoiceState.POSTED)
    assert (second.state, second.batch_id) == (InvoiceState.PENDING, None)


def test_a_later_chunk_that_breaks_tells_why_though_time_went_on(build, monkeypatch):
    monkeypatch.setattr(posting, "CHUNK", 1)
    first, second = build.invoice("1"), build.invoice("2")
    batch = filled(first, second)
    ask_for_posting(batch, when_refused=REST, by=None)
    db.session.commit()
    batch_id, bad, real, now = batch.id, second.id, posting.post_invoices, [MONDAY]

    def ticking():
        now[0] += timedelta(milliseconds=5)
        return now[0]

    def poisoned(ids, **words):
        if bad in ids:
            raise DomainError("The ink ran out.")
        return real(ids, **words)

    monkeypatch.setattr(clock, "now", ticking)
    monkeypatch.setattr(posting, "post_invoices", poisoned)
    look_at_batch(batch_id)

    db.session.expire_all()
    assert (batch.state, batch.claimed_until) == (BatchState.POSTED, None)
    assert batch.failure.startswith("The ink ran out.")
    assert (first.state, second.state) == (InvoiceState.POSTED, InvoiceState.PENDING)
    assert reasons(batch) == ["Its turn did not come: The ink ran out."]


def test_progress_says_how_fast_and_how_long(build):
    batch = filled(build.invoice("1"))
    ask_for_posting(batch, when_refused=REST, by=None)
    batch.rows_total, batch.rows_done = 100, 25
    batch.started_at = MONDAY - timedelta(seconds=5)
    db.session.flush()

    progress = progress_of(batch)

    assert (progress.done, progress.rate, progress.remaining) == (25, 5.0, 15.0)


def test_the_person_who_asked_is_named(build):
    person = build.person("Olive Office")
    invoice = build.invoice("1")
    batch = filled(invoice)

    ask_for_posting(batch, when_refused=NONE, by=person)
    db.session.commit()
    run_waiting()

    assert invoice.posted_by_id == person.id


@pytest.mark.parametrize("review", [ReviewState.PENDING_APPROVAL, ReviewState.REJECTED])
def test_what_nobody_approved_is_refused_in_a_batch_too(build, review):
    invoice = build.invoice("80")
    batch = filled(invoice)
    invoice.review_state = review
    db.session.commit()

    batch = post(batch)

    assert (batch.state, invoice.state) == (BatchState.PENDING, InvoiceState.PENDING)
    assert len(reasons(batch)) == 1


def test_a_member_is_not_edited_while_its_batch_is_being_posted(build):
    invoice = build.invoice("80")
    payment = build.payment(invoice.customer, "30")
    batch = filled(invoice, payment)
    ask_for_posting(batch, when_refused=NONE, by=None)
    db.session.commit()

    with pytest.raises(InvalidTransition, match=f"Batch {batch.number}, .* is being posted"):
        add_line(invoice, LineWords("More", Quantity.of(1), UnitPrice.of("9990")))
    with pytest.raises(DomainError, match="is being posted"):
        delete_payment(payment, version=payment.version)
    run_waiting()

    assert (batch.state, invoice.total) == (BatchState.POSTED, Money.of(80))


def test_yes_is_said_to_the_members_somebody_saw(build):
    invoice = build.invoice("80")
    batch = filled(invoice)
    seen = seen_of(batch)
    add_line(invoice, LineWords("More", Quantity.of(1), UnitPrice.of("9990")))
    db.session.commit()

    with pytest.raises(Conflict, match="changed this batch"):
        ask_for_posting(batch, when_refused=NONE, by=None, seen=seen)

    ask_for_posting(batch, when_refused=NONE, by=None, seen=seen_of(batch))


def test_a_whole_batch_holds_its_number_series_in_one_order_before_it_takes_any(build, monkeypatch):
    monkeypatch.setattr(posting, "CHUNK", 1)
    original = build.posted("100", on=build.today - timedelta(days=20))
    early = build.invoice("5", on=build.today - timedelta(days=10))
    batch = filled(early, start_credit_note(original))
    taken = []

    def watch(module):
        real = module.next_number

        def counted(series, day, count=1):
            taken.append((series, count))
            return real(series, day, count=count)

        monkeypatch.setattr(module, "next_number", counted)

    watch(locking)
    watch(invoice_posting)
    post(batch)

    assert batch.state is BatchState.POSTED
    assert taken == [("CN", 0), ("INV", 0), ("INV", 1), ("CN", 1)]
