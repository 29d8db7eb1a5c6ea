"""Two derived axes: how an invoice was settled, and whether what was sent still says the same."""

from datetime import timedelta
from itertools import count

import sqlalchemy as sa

from portal.db import PageRequest, db
from portal.invoices import (
    InvoiceFilter,
    LineWords,
    Sending,
    add_line,
    find_invoices,
    get_invoice,
    hand_out_link,
    mark_sent,
    post_invoice,
    send_invoice,
    send_text,
    start_credit_note,
    unpost_invoice,
    write_off,
)
from portal.kernel import clock
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import Invoice, Message, MessageState, PaidState, SentAxis, SentState
from portal.outbox import MessageSent
from tests.conftest import count_statements

MINUTES = count(1)


def paid(invoice):
    """As a page that is loaded anew says it; the filter must agree."""
    db.session.commit()
    state = get_invoice(invoice.id).paid_state
    for one in PaidState:
        rows = find_invoices(InvoiceFilter(paid=one), PageRequest(), on=invoice.invoice_date).rows
        assert (invoice.id in [row.id for row in rows]) is (one is state)
    return state


def credit(original, quantity=None):
    lines = None if quantity is None else {original.lines[0].id: Quantity.of(quantity)}
    note = start_credit_note(original, lines)
    post_invoice(note)
    return note


def test_what_was_given_up_is_written_off_and_not_paid(build):
    original = build.posted("100")
    write_off(original, because="bankrupt")

    assert paid(original) is PaidState.WRITTEN_OFF


def test_what_was_paid_in_part_and_then_given_up_is_written_off(build):
    original = build.posted("100")
    build.payment(original.customer, "60", original)
    assert paid(original) is PaidState.PARTLY_PAID

    write_off(original, because="bankrupt")

    assert paid(original) is PaidState.WRITTEN_OFF


def test_what_was_credited_is_credited_in_part_or_whole(build):
    original = build.posted("100")
    credit(original, "0.4")
    assert paid(original) is PaidState.PARTLY_CREDITED

    credit(original, "0.6")

    assert paid(original) is PaidState.CREDITED


def test_what_is_left_after_a_credit_and_is_paid_is_paid(build):
    original = build.posted("100")
    credit(original, "0.4")
    build.payment(original.customer, "60", original)

    assert paid(original) is PaidState.PAID


def test_credit_used_for_another_invoice_pays_it(build):
    from portal.payments import apply_credit

    original = build.posted("100")
    build.payment(original.customer, "100", original)
    credit(original)
    other = build.posted("100", customer=original.customer)
    apply_credit(other, on=build.today)

    assert paid(other) is PaidState.PAID
    assert paid(original) is PaidState.PAID


def test_a_write_off_that_was_undone_is_owed_again(build):
    original = build.posted("100")
    document = write_off(original, because="bankrupt")
    unpost_invoice(document, because="he paid after all")

    assert paid(original) is PaidState.UNPAID


def test_a_list_reads_the_axis_with_its_rows(build):
    for _ in range(3):
        write_off(build.posted("100"), because="bankrupt")
    db.session.commit()
    db.session.expire_all()

    with count_statements() as sent:
        rows = find_invoices(InvoiceFilter(), PageRequest(), on=build.today).rows
        [one.paid_state for one in rows]

    assert len(sent) <= 4


def sent(invoice):
    db.session.commit()
    state = get_invoice(invoice.id).sent_axis
    for one in SentAxis:
        rows = find_invoices(InvoiceFilter(sent=one), PageRequest(), on=invoice.invoice_date).rows
        assert (invoice.id in [row.id for row in rows]) is (one is state)
    return state


def dearer(invoice):
    unpost_invoice(invoice, because="a part was missing")
    pipe = LineWords("Pipe", Quantity.of(1), UnitPrice.of(9))
    add_line(invoice, pipe)
    post_invoice(invoice)


def test_what_changed_after_it_was_sent_says_so_until_it_is_sent_again(build):
    invoice = build.posted("80")
    assert sent(invoice) is SentAxis.NOT_SENT
    hand_out_link(invoice)
    assert sent(invoice) is SentAxis.SENT

    dearer(invoice)
    assert sent(invoice) is SentAxis.CHANGED_SINCE_SENT
    assert invoice.sent_total == Money.of(80)

    hand_out_link(invoice)
    assert sent(invoice) is SentAxis.SENT


def test_posting_a_draft_that_was_sent_changes_nothing_for_the_customer(build):
    draft = build.invoice("80")
    hand_out_link(draft)
    post_invoice(draft)

    assert sent(draft) is SentAxis.SENT


def test_another_reference_on_a_draft_is_a_change(build):
    draft = build.invoice("80")
    hand_out_link(draft)
    draft.reference_number = "J-77"

    assert sent(draft) is SentAxis.CHANGED_SINCE_SENT


def test_a_mail_that_leaves_says_what_stands_there_then(build):
    invoice = build.posted("80")
    leaves(invoice)
    db.session.execute(sa.update(Invoice).values(sent_state=SentState.OPENED))
    assert sent(invoice) is SentAxis.OPENED
    leaves(invoice)
    assert sent(invoice) is SentAxis.OPENED  # the same again: it stays opened
    dearer(invoice)

    leaves(invoice)

    assert sent(invoice) is SentAxis.SENT


def leaves(invoice):
    with clock.frozen(clock.now() + timedelta(minutes=next(MINUTES))):
        send_invoice(invoice)
    leave(newest_message())


def test_a_mail_that_leaves_late_says_what_stood_there_when_it_was_written(build):
    invoice = build.posted("80")
    send_invoice(invoice)
    dearer(invoice)

    leave(newest_message())

    assert sent(invoice) is SentAxis.CHANGED_SINCE_SENT
    assert invoice.sent_total == Money.of(80)


def test_a_mail_written_before_the_newest_changes_nothing(build):
    invoice = build.posted("80")
    send_invoice(invoice)
    old = newest_message()
    dearer(invoice)
    with clock.frozen(clock.now() + timedelta(minutes=5)):
        hand_out_link(invoice)
    assert sent(invoice) is SentAxis.SENT

    leave(old)

    assert sent(invoice) is SentAxis.SENT
    assert invoice.sent_total == Money.of(89)


def test_a_text_says_what_stood_there_too(build):
    invoice = build.posted("80")
    send_text(invoice, Sending(to=["+15555550123"]))
    message = newest_message()

    assert (message.says_number, message.says_total) == (invoice.number, Money.of(80))


def newest_message():
    db.session.commit()
    return db.session.scalars(sa.select(Message).order_by(Message.id.desc())).first()


def leave(message):
    message.state = MessageState.SENT
    mark_sent(MessageSent(message))
    db.session.commit()
