"""Many invoices are sent, each exactly once, by the way its customer prefers."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.invoices import (
    ABOUT_INVOICES,
    InvoiceFilter,
    LineWords,
    add_line,
    cancel_invoice,
    finance,
    get_invoice,
    ids_to_send,
    pay_link_url,
    post_invoice,
    send_invoice,
    start_adjustment,
    write_off,
)
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import (
    Channel,
    Delivery,
    Invoice,
    Message,
    MessageState,
    SendingItem,
    SendingItemState,
    SendingRun,
    SendingState,
    SentState,
)
from portal.outbox import note_bounce
from portal.sendings import (
    figures_of,
    find_to_print,
    ids_to_print,
    look_at_run,
    mark_printed,
    outlook,
    start_run,
    stop_run,
    waiting_runs,
)
from portal.sendings.runs import CHUNK
from portal.tasks import run_waiting
from portal.web import PageRequest
from tests.invoices.test_paid_and_sent_axes import dearer

S = SendingItemState


def send(*invoices, **how):
    run = start_run([one.id for one in invoices], **how)
    db.session.commit()
    look_at_run(run.id)
    return run


def outcome(run, invoice):
    query = sa.select(SendingItem).where(
        SendingItem.run_id == run.id, SendingItem.invoice_id == invoice.id
    )
    item = db.session.scalars(query.execution_options(populate_existing=True)).one()
    return item.state, item.sentence


def messages(invoice=None):
    query = sa.select(Message).where(Message.kind.in_(ABOUT_INVOICES)).order_by(Message.id)
    if invoice is not None:
        query = query.where(Message.subject_id == invoice.id)
    return db.session.scalars(query.execution_options(populate_existing=True)).all()


def mobile(customer):
    words = ContactWords(name="Cell", phone="(555) 010-0123", is_mobile=True)
    add_contact(customer, words)
    db.session.flush()


def test_each_goes_by_the_way_its_customer_prefers(build, smtp):
    smtp()
    ways = {way: build.posted("10", customer=build.customer(delivery=way)) for way in Delivery}
    mobile(ways[Delivery.SMS].customer)

    run = send(*ways.values())

    assert outcome(run, ways[Delivery.EMAIL])[0] is S.QUEUED
    assert outcome(run, ways[Delivery.MAIL])[0] is S.TO_PRINT
    assert outcome(run, ways[Delivery.BOTH])[0] is S.TO_PRINT
    assert outcome(run, ways[Delivery.SMS])[0] is S.QUEUED
    (text,) = messages(ways[Delivery.SMS])
    assert (text.channel, text.recipient, text.subject) == (Channel.SMS, "+15550100123", "")
    assert "/pay/" in text.body
    assert messages(ways[Delivery.MAIL]) == []
    assert len(messages(ways[Delivery.BOTH])) == 1
    assert db.session.get_one(SendingRun, run.id).state is SendingState.DONE


def test_a_text_needs_a_phone_marked_as_mobile(build):
    invoice = build.posted("10", customer=build.customer(delivery=Delivery.SMS))

    state, why = outcome(send(invoice), invoice)

    assert state is S.REFUSED
    assert "marked as mobile" in why
    assert messages() == []


def test_nobody_to_write_to_is_named_and_the_others_go(build):
    lost, good = build.posted("10"), build.posted("20")
    lost.customer.email = lost.customer.contacts[0].email = ""

    run = send(lost, good)

    assert outcome(run, lost) == (
        S.REFUSED, "Ada Lovelace has no email address. Add one to the customer or a contact."
    )  # fmt: skip
    assert outcome(run, good)[0] is S.QUEUED


def test_what_was_sent_is_skipped_unless_again(build, smtp):
    smtp()
    invoice = build.posted("10")
    send_invoice(invoice)
    db.session.commit()
    run_waiting()

    assert outcome(send(invoice), invoice)[0] is S.REFUSED
    assert len(messages()) == 1
    assert outcome(send(invoice, again=True), invoice)[0] is S.QUEUED
    assert len(messages()) == 2


def test_what_changed_since_it_was_sent_counts_as_not_sent(build, smtp):
    smtp()
    invoice = build.posted("80")
    send_invoice(invoice)
    db.session.commit()
    run_waiting()
    assert outlook([invoice.id]).sent_before == 1
    dearer(invoice)
    db.session.commit()

    assert outlook([invoice.id]).sent_before == 0
    assert outcome(send(invoice), invoice)[0] is S.QUEUED
    assert outcome(send(invoice), invoice)[0] is S.REFUSED  # the new letter is in the outbox


def test_what_is_kept_in_the_outbox_is_not_made_a_second_time(build):
    invoice = build.posted("10")
    first, second = send(invoice), send(invoice)

    assert "nothing was sent" in outcome(first, invoice)[1]
    assert outcome(second, invoice) == (S.REFUSED, "A message about it is in the outbox already.")
    assert get_invoice(invoice.id).sent_state is SentState.NOT_SENT


def test_a_link_the_office_only_looked_at_does_not_count_as_sent(office, app, build, smtp):
    smtp()
    invoice = build.posted("80")

    page = office.post(f"/staff/invoices/{invoice.id}/pay-link").text
    path = pay_link_url(get_invoice(invoice.id)).removeprefix("http://localhost")
    assert path in page
    assert "Looking at it is not sending it." in page
    assert office.get(path).status_code == 200
    assert get_invoice(invoice.id).sent_state is SentState.NOT_SENT
    assert outcome(send(invoice), invoice)[0] is S.QUEUED

    run_waiting()
    office.get(path)
    assert get_invoice(invoice.id).sent_state is SentState.SENT  # a clerk looked, nobody else
    app.test_client().get(path)
    db.session.rollback()
    assert get_invoice(invoice.id).sent_state is SentState.OPENED


def test_an_address_that_came_back_is_not_written_to_again(build, smtp):
    smtp()
    invoice, next_one = build.posted("10"), None
    send_invoice(invoice)
    db.session.commit()
    run_waiting()
    note_bounce(messages()[0], "550 unknown")
    next_one = build.posted("20", customer=invoice.customer)

    state, why = outcome(send(next_one), next_one)

    assert state is S.REFUSED
    assert "came back: 550 unknown" in why


def test_one_that_breaks_does_not_hold_up_the_others(build, monkeypatch):
    broken, good = build.posted("10"), build.posted("20")
    real = send_invoice

    def breaks(invoice, how=None, **more):
        if invoice.id == broken.id:
            raise RuntimeError("a bug of ours")
        return real(invoice, how, **more)

    monkeypatch.setattr("portal.sendings.items.send_invoice", breaks)
    run = send(broken, good)

    assert outcome(run, broken) == (S.REFUSED, "It could not be made ready (RuntimeError).")
    assert outcome(run, good)[0] is S.QUEUED


def test_nothing_to_send_is_refused(app):
    with pytest.raises(DomainError, match="nothing to send"):
        start_run([])


def test_a_stopped_sending_makes_no_more_messages(build):
    invoice = build.posted("10")
    run = start_run([invoice.id])
    db.session.commit()
    stop_run(run)
    db.session.commit()

    look_at_run(run.id)

    assert messages() == []
    assert outcome(run, invoice)[0] is S.WAITING
    assert list(waiting_runs()) == []
    with pytest.raises(DomainError, match="over already"):
        stop_run(db.session.get_one(SendingRun, run.id))


def test_printed_ones_leave_the_list_and_count_as_sent(build):
    first, second = (
        build.posted("10", customer=build.customer(delivery=Delivery.MAIL, postal_code=code))
        for code in ("90210", "10001")
    )
    send(first, second)
    listed = find_to_print(PageRequest()).rows
    assert [one.invoice_id for one in listed] == [second.id, first.id]

    assert mark_printed([listed[0].id]) == 1
    assert mark_printed([listed[0].id]) == 0
    db.session.commit()

    assert [one.invoice_id for one in find_to_print(PageRequest()).rows] == [first.id]
    assert get_invoice(second.id).sent_state is SentState.SENT


def test_a_cancelled_one_leaves_the_print_list_and_never_counts_as_sent(build):
    invoice = build.invoice("10", customer=build.customer(delivery=Delivery.MAIL))
    send(invoice)
    (item,) = find_to_print(PageRequest()).rows
    cancel_invoice(get_invoice(invoice.id), because="Twice")
    db.session.commit()

    assert find_to_print(PageRequest()).rows == []
    assert ids_to_print() == []
    assert mark_printed([item.id]) == 0
    assert get_invoice(invoice.id).sent_state is SentState.NOT_SENT


@pytest.fixture
def thousand(build):
    """1,000 posted invoices of 40 customers, made by the database: only sending is tested."""
    invoices = [build.posted("10", customer=build.customer()) for _ in range(40)]
    db.session.commit()
    return invoices


def many(invoices, count):
    """More drafts like these, quickly; each with a line and a date."""
    from portal.models import InvoiceKind, InvoiceLine

    table, lines = Invoice.__table__, InvoiceLine.__table__
    rows = [
        {
            "kind": InvoiceKind.MANUAL, "customer_id": invoices[n % len(invoices)].customer_id,
            "reference_number": f"MANY-{n}", "invoice_date": invoices[0].invoice_date,
            "subtotal": invoices[0].subtotal, "total": invoices[0].total,
            "balance": invoices[0].total, "version": 1,
        }
        for n in range(count)
    ]  # fmt: skip
    db.session.execute(sa.insert(Invoice), rows)
    ids = db.session.scalars(
        sa.select(table.c.id).where(table.c.reference_number.like("MANY-%"))
    ).all()
    line = invoices[0].lines[0]
    db.session.execute(
        sa.insert(InvoiceLine),
        [
            {"invoice_id": one, "position": 1, "description": "Labor", "quantity": line.quantity,
             "unit_price": line.unit_price, "total": line.total, "kind": line.kind}
            for one in ids
        ],
    )  # fmt: skip
    assert lines is not None
    db.session.commit()
    return list(ids)


def each_once(ids):
    found = db.session.execute(
        sa.select(Message.subject_id, sa.func.count())
        .where(Message.kind.in_(ABOUT_INVOICES))
        .group_by(Message.subject_id)
    ).all()
    return {one for one, _ in found} == set(ids) and {number for _, number in found} == {1}


def test_a_thousand_go_each_once_although_the_worker_dies_in_the_middle(
    thousand, monkeypatch, monday
):
    ids = many(thousand, 1000)
    run = start_run(ids)
    db.session.commit()
    died = {"after": 13 * CHUNK + 7}  # in the middle of a chunk

    from portal.sendings import runs

    real = runs.send_item

    def deadly(item, of):
        died["after"] -= 1
        if died["after"] == 0:
            raise KeyboardInterrupt  # what a kill looks like from inside: nothing is tidied up
        real(item, of)

    monkeypatch.setattr(runs, "send_item", deadly)
    with pytest.raises(KeyboardInterrupt):
        look_at_run(run.id)
    db.session.rollback()
    monkeypatch.setattr(runs, "send_item", real)
    assert figures_of(run).queued == 13 * CHUNK
    look_at_run(run.id)  # the dead one's lease still holds
    assert figures_of(run).queued == 13 * CHUNK

    db.session.rollback()
    with clock.frozen(monday + timedelta(minutes=3)):
        assert list(waiting_runs()) == [run.id]
        db.session.rollback()
        look_at_run(run.id)
        look_at_run(run.id)

    assert figures_of(run).queued == 1000
    assert each_once(ids)
    waiting = {one.state for one in messages()}
    assert waiting == {MessageState.WAITING}


def test_a_worker_whose_lease_was_taken_over_stops(thousand, monkeypatch, monday):
    ids = many(thousand, 100)
    run = start_run(ids)
    db.session.commit()

    from portal.sendings import runs

    real, seen = runs._send_chunk, []

    def slow(run_id, held):
        result = real(run_id, held)
        seen.append(result)
        if len(seen) == 2:  # so slow that another worker takes the run over before the third
            db.session.commit()
            with clock.frozen(monday + timedelta(minutes=5)):
                look_at_run(run_id)
        return result

    monkeypatch.setattr(runs, "_send_chunk", slow)
    look_at_run(run.id)

    assert each_once(ids)
    assert figures_of(run).queued == 100


@pytest.mark.concurrency
def test_two_workers_at_once_send_each_once(thousand, at_once):
    ids = many(thousand, 200)
    run_id = start_run(ids).id
    db.session.commit()

    assert at_once(*[lambda: look_at_run(run_id)] * 2) == [None, None]

    assert each_once(ids)


@pytest.mark.concurrency
def test_two_sendings_of_the_same_invoices_write_to_each_once(thousand, at_once):
    ids = many(thousand, 100)
    runs = [start_run(ids).id for _ in range(2)]
    db.session.commit()

    raised = at_once(*[(lambda one=one: look_at_run(one)) for one in runs])

    assert raised == [None, None]
    assert each_once(ids)


def test_papers_of_the_house_reach_no_customer(build):
    invoice, other = build.posted("100"), build.posted("50")
    given_up = write_off(invoice, Money.of(40), because="Not worth a letter")
    pair = finance(other, build.customer("Bank"), Money.of(50), because="Contract")
    papers = [pair.leaves, given_up]
    db.session.flush()

    run = send(*papers, pair.arrives)

    for paper in papers:
        state, why = outcome(run, paper)
        assert (state, messages(paper)) == (S.REFUSED, [])
        assert "not sent to customers" in why
    assert len(messages(pair.arrives)) == 1
    found = ids_to_send(InvoiceFilter(), on=build.today)
    assert {invoice.id, other.id, pair.arrives.id} == set(found)


def test_an_adjustment_that_lowers_is_sent_with_the_credit_notes_words(build, smtp):
    smtp()
    adjustment = start_adjustment(build.posted("100"))
    db.session.flush()
    add_line(adjustment, LineWords("Discount", Quantity.of(1), UnitPrice.of("-30")))
    post_invoice(adjustment)

    send(adjustment)

    (message,) = messages(adjustment)
    assert message.kind == "credit_note"
    assert "over $30.00 is attached. It is taken off what you owe" in message.body
