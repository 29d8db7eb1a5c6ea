"""The office's screens of sending: the letter, many, the list to print, rules."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.access import Ability, RoleWords, add_role
from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.invoices import cancel_invoice, get_invoice
from portal.kernel import clock
from portal.models import (
    Channel,
    Delivery,
    Message,
    MessageState,
    PrintRun,
    SendingItem,
    SendingRun,
    SentState,
)
from portal.outbox import note_bounce
from portal.sendings import start_run
from portal.tasks import run_waiting
from tests.conftest import count_statements, staff_client
from tests.invoices.test_paid_and_sent_axes import dearer
from tests.staff.test_questions import yes_send


def messages():
    return db.session.scalars(sa.select(Message).order_by(Message.id)).all()


def letter(invoice, **more):
    """What the page's form sends, with some of it changed."""
    return yes_send(invoice.id) | {
        "to": [invoice.customer.email], "more": "", "cc": "", "language": "en",
        "subject": "Invoice {number}", "body": "Hello {customer_name}, pay {balance}.", **more,
    }  # fmt: skip


def sending(invoice):
    return f"/staff/invoices/{invoice.id}/sending"


def test_the_page_shows_to_whom_which_words_and_how_it_reads(office, build):
    customer = build.customer("Ada", email="ada@example.org", cc_emails="boss@example.org")
    invoice = build.posted("80", customer=customer)

    page = office.get(sending(invoice)).text

    assert re.search(r'value="ada@example.org" checked', page)
    assert 'value="boss@example.org"' in page
    assert "Invoice {number} over {total} is attached." in page  # to be edited
    assert f"Invoice {invoice.number} over $80.00 is attached." in page  # as it is read
    assert messages() == []


def test_edited_words_copies_and_typed_addresses_leave_as_one_mail_each(office, build, smtp):
    box = smtp()
    invoice = build.posted("80", customer=build.customer("Ada", email="ada@example.org"))

    office.post(sending(invoice), data=letter(invoice, more="b@example.org", cc="c@example.org"))
    run_waiting()

    first, second = messages()
    assert (first.recipient, first.cc) == ("ada@example.org", "c@example.org")
    assert (second.recipient, second.cc) == ("b@example.org", "")
    assert first.body == "Hello Ada, pay $80.00.\n"
    assert first.subject == f"Invoice {invoice.number}"
    assert "Cc: c@example.org" in box.mails[0]
    assert get_invoice(invoice.id).sent_state is SentState.SENT


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"to": []}, "Tick or type at least one address."),
        ({"more": "nobody"}, "nobody: This does not look like an email address"),
        ({"cc": "a@b, c@example.org"}, "a@b: This does not look like an email address"),
        ({"body": ""}, "Write something."),
        ({"body": "Dear {name}"}, "There is no {name}."),
        ({"subject": " "}, "Give the mail a subject."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(office, build, wrong, sentence):
    invoice = build.posted("80")

    page = office.post(sending(invoice), data=letter(invoice, cc="kept@example.org") | wrong)

    assert page.status_code == 422
    assert sentence in page.text
    assert ("kept@example.org" in page.text) is ("cc" not in wrong)
    assert messages() == []


def test_an_address_of_another_customer_cannot_be_smuggled_in_as_ticked(office, build):
    invoice = build.posted("80")

    page = office.post(sending(invoice), data=letter(invoice, to=["mallory@example.org"]))

    assert page.status_code == 422
    assert messages() == []


def test_sending_again_says_when_and_to_whom_and_asks(office, build, smtp):
    smtp()
    invoice = build.posted("80")
    office.post(sending(invoice))
    run_waiting()
    db.session.commit()

    page = office.post(sending(invoice)).text

    assert "Send this invoice again?" in page
    assert f"Last to {invoice.customer.email}, Mar 2, 2026" in page
    assert len(messages()) == 1
    seen = letter(invoice, once="second")
    office.post(sending(invoice), data=seen)
    assert office.post(sending(invoice), data=seen).status_code == 303  # led to the first
    assert len(messages()) == 2


def test_another_language_brings_its_words(office, build):
    invoice = build.posted("80")

    page = office.post(
        f"{sending(invoice)}/preview", data=letter(invoice, language="es", reload="yes")
    ).text

    assert "Adjuntamos la factura {number} por {total}." in page
    assert "Ver y pagar la factura" in page


def test_only_the_preview_comes_back_while_typing(office, build):
    invoice = build.posted("80")

    part = office.post(
        f"{sending(invoice)}/preview", data=letter(invoice, body="<b>{number}</b>"),
        headers={"HX-Request": "true"},
    ).text  # fmt: skip

    assert part.startswith("<section")
    assert f"&lt;b&gt;{invoice.number}&lt;/b&gt;" in part


def test_kept_never_says_sent(office, build):
    invoice = build.posted("80")

    page = office.post(sending(invoice), follow_redirects=True).text

    assert "kept in the outbox, not sent" in page
    assert "is kept in the outbox: nothing was sent." in page
    assert " goes to " not in page


def test_a_text_goes_to_ticked_mobiles_only(office, build):
    invoice = build.posted("80")
    add_contact(invoice.customer, ContactWords(name="Cell", phone="555 010 0123", is_mobile=True))
    address = f"/staff/invoices/{invoice.id}/text"
    words = "{company_name}: {number} {pay_link}"

    refused = office.post(address, data={"words": words})
    assert (refused.status_code, messages()) == (422, [])
    assert "Tick at least one number." in refused.text
    page = office.post(
        address, data={"words": words, "numbers": "555 010 0123"}, follow_redirects=True
    ).text

    assert "no text gateway is set up" in page
    (text,) = messages()
    assert (text.channel, text.recipient) == (Channel.SMS, "+15550100123")


def test_what_changed_after_it_was_printed_stays_on_the_list(office, build):
    invoice = build.posted("80", customer=build.customer(postal_code="62701"))
    office.post(f"/staff/invoices/{invoice.id}/to-print")
    page = office.get("/staff/sendings/to-print").text
    ((name, mark),) = re.findall(r'name="(shown-[0-9]+)" value="([^"]+)"', page)
    typed = {"items": name.removeprefix("shown-"), name: mark}
    dearer(invoice)
    db.session.commit()

    office.post("/staff/sendings/to-print", data=typed)

    assert get_invoice(invoice.id).sent_state is SentState.NOT_SENT
    page = office.get("/staff/sendings/to-print").text
    assert "print those that are left again" in page
    (mark,) = re.findall(r'name="shown-[0-9]+" value="([^"]+)"', page)
    office.post("/staff/sendings/to-print", data=typed | {name: mark})
    assert get_invoice(invoice.id).sent_state is SentState.SENT


def test_the_print_list_is_worked_off(office, build):
    invoice = build.posted("80", customer=build.customer(postal_code="62701"))

    office.post(f"/staff/invoices/{invoice.id}/to-print")
    twice = office.post(f"/staff/invoices/{invoice.id}/to-print")
    assert "on the print list already" in twice.text
    page = office.get("/staff/sendings/to-print").text
    item = db.session.scalars(sa.select(SendingItem)).one()
    assert "62701" in page
    assert office.post("/staff/sendings/to-print").status_code == 422
    office.post("/staff/sendings/to-print", data={"items": item.id})

    assert get_invoice(invoice.id).sent_state is SentState.SENT
    assert "Nothing to print" in office.get("/staff/sendings/to-print").text


def test_the_print_list_becomes_one_pdf_in_the_order_of_the_list(office, build):
    assert office.post("/staff/sendings/to-print/print-runs").status_code == 422
    zips = ("62703", "62701", "62702")
    invoices = [build.posted("80", customer=build.customer(postal_code=one)) for one in zips]
    for one in invoices:
        office.post(f"/staff/invoices/{one.id}/to-print")

    assert "Print all as one PDF" in office.get("/staff/sendings/to-print").text
    reply = office.post("/staff/sendings/to-print/print-runs")

    run = db.session.scalars(sa.select(PrintRun)).one()
    assert reply.location.endswith(f"/staff/print-runs/{run.id}")
    assert run.invoice_ids == [invoices[1].id, invoices[2].id, invoices[0].id]
    assert get_invoice(invoices[0].id).sent_state is SentState.NOT_SENT


def test_all_that_match_are_counted_first_and_sent_once(office, build):
    customer = build.customer("Ada", email="ada@example.org")
    for price in ("1", "2", "3"):
        build.posted(price, customer=customer)
    build.posted("9", customer=build.customer(delivery=Delivery.MAIL))
    here = f"customer_id={customer.id}&state=posted"

    page = office.get(f"/staff/sendings/new?{here}").text
    assert "Send 3 invoices?" in page
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    stale = office.post(f"/staff/sendings?{here}", data={"seen": "others", "once": "a"})
    assert "Somebody changed this meanwhile" in stale.text
    for _ in range(2):
        reply = office.post(f"/staff/sendings?{here}", data={"seen": seen, "once": "b"})
    run_waiting()

    assert len(messages()) == 3
    run = db.session.scalars(sa.select(SendingRun)).one()
    assert reply.location.endswith(f"/staff/sendings/{run.id}")
    shown = office.get(f"/staff/sendings/{run.id}?state=queued").text
    assert "3 of 3" in shown
    assert "3 messages were made" in shown
    assert "1–3 of 3" in shown


def test_as_many_but_others_than_were_confirmed_are_asked_about_again(office, build):
    customer = build.customer("Ada", email="ada@example.org")
    first = build.invoice("1", customer=customer)
    here = f"customer_id={customer.id}&state=pending"
    page = office.get(f"/staff/sendings/new?{here}").text
    seen = re.search(r'name="seen" value="([^"]*)"', page)[1]
    cancel_invoice(first, because="Typed twice")
    build.invoice("9000", customer=customer)
    db.session.commit()

    asked = office.post(f"/staff/sendings?{here}", data={"seen": seen, "once": "a"}).text
    run_waiting()

    assert "Somebody changed this meanwhile" in asked
    assert "Send this invoice?" in asked  # one, as before, and another
    assert messages() == []


def test_a_filter_that_matches_nothing_says_so(office, build):
    assert "Nothing matches" in office.get("/staff/sendings/new?q=zzz").text


def test_a_running_sending_asks_for_itself_and_can_be_stopped(office, build):
    run = start_run([build.posted("1").id])
    address = f"/staff/sendings/{run.id}"

    assert 'hx-trigger="load delay:1s"' in office.get(address).text
    office.post(f"{address}/stop")

    assert 'hx-trigger="load delay:1s"' not in office.get(address).text
    run_waiting()
    assert messages() == []


def test_it_came_back_is_noted_with_a_reason_and_shown_everywhere(office, build, smtp):
    smtp()
    invoice = build.posted("80")
    office.post(sending(invoice))
    run_waiting()
    (message,) = messages()
    address = f"/staff/outbox/{message.id}/bounce"

    assert office.post(address).status_code == 422
    office.post(address, data={"because": "550 unknown"})

    for page in (
        f"/staff/outbox/{message.id}", "/staff/outbox?bounced=yes",
        f"/staff/invoices/{invoice.id}", f"/staff/customers/{invoice.customer_id}",
    ):  # fmt: skip
        assert 'data-state="bounced"' in office.get(page).text, page
    letter_page = office.get(sending(invoice)).text
    assert "Mail came back: 550 unknown" in letter_page
    assert f'value="{invoice.customer.email}" checked' not in letter_page
    assert "came back: 550 unknown" in office.get(f"/staff/invoices/{invoice.id}").text


def test_a_later_mail_that_arrives_clears_the_badge(office, build, smtp, monday):
    smtp()
    invoice = build.posted("80")
    office.post(sending(invoice))
    run_waiting()
    note_bounce(messages()[0], "mailbox full")
    db.session.commit()

    with clock.frozen(monday + timedelta(hours=1)):
        office.post(sending(invoice), data=letter(invoice, once="later"))
        run_waiting()

    assert messages()[1].state is MessageState.SENT
    assert 'data-state="bounced"' not in office.get(f"/staff/customers/{invoice.customer_id}").text
    assert 'data-state="bounced"' not in office.get(f"/staff/invoices/{invoice.id}").text


def test_the_outbox_calls_a_text_sms(office, build):
    invoice = build.posted("80")
    add_contact(invoice.customer, ContactWords(name="Cell", phone="5550100123", is_mobile=True))
    data = {"words": "Pay {balance}", "numbers": "5550100123"}
    office.post(f"/staff/invoices/{invoice.id}/text", data=data)

    page = office.get("/staff/outbox?channel=sms").text

    assert "Sms" not in page
    assert ">SMS<" in page
    assert "Pay $80.00" in page


def test_a_rule_is_made_changed_and_refused_without_a_name(office, build):
    words = {"name": "Maintenance at once", "moment": "completion", "job_type": "Maintenance",
             "active": "y"}  # fmt: skip
    assert office.post("/staff/sending-rules", data=words | {"name": ""}).status_code == 422
    office.post("/staff/sending-rules", data=words)
    assert "already has this name" in office.post("/staff/sending-rules", data=words).text

    page = office.get("/staff/sending-rules").text
    assert "Maintenance at once" in page
    assert "completion of the job" in page


def test_enter_in_a_field_neither_sends_nor_overwrites_what_was_typed(office, build):
    invoice = build.posted("80")

    page = office.get(sending(invoice)).text
    first = re.search(r"<button[^>]*>", page[page.index('<form id="letter"') :])[0]

    assert f'formaction="{sending(invoice)}/preview"' in first
    assert "name=" not in first
    typed = office.post(f"{sending(invoice)}/preview", data=letter(invoice, body="Mine, typed"))
    assert "Mine, typed" in typed.text


def test_a_refusal_keeps_the_letter_that_was_typed(office, build):
    invoice = build.posted("80")
    sent = letter(invoice, body="Mine, typed")
    page = f"/staff/invoices/{invoice.id}/sending"
    before = {"Referer": f"http://localhost{page}"}
    get_invoice(invoice.id).customer.electronic_invoice = True
    db.session.commit()

    refused = office.post(page, data=yes_send(invoice.id) | sent, headers=before)

    assert refused.status_code == 422
    assert "VAT ID" in refused.text
    assert "Mine, typed" in refused.text
    add_contact(invoice.customer, ContactWords(name="Cell", phone="555 010 0123", is_mobile=True))
    words = {"words": "My text", "numbers": "555 010 0123"}
    text = office.post(f"/staff/invoices/{invoice.id}/text", data=words, headers=before)
    assert text.status_code == 422
    assert "VAT ID" in text.text
    assert messages() == []


def test_who_may_only_read_the_outbox_neither_retries_nor_condemns(app, office, build):
    office.post(sending(build.posted("80")))
    run_waiting()
    address = f"/staff/outbox/{messages()[0].id}"
    add_role(RoleWords("Outbox reader", [Ability.VIEW_OUTBOX]))
    db.session.commit()
    reader = staff_client(app, build, "Outbox reader")

    page = reader.get(address)

    assert page.status_code == 200
    assert f"{address}/retry" not in page.text
    assert f"{address}/retry" in office.get(address).text
    assert reader.post(f"{address}/retry").status_code == 403
    assert reader.post(f"{address}/bounce", data={"because": "x"}).status_code == 403


def test_the_list_of_sendings_counts_in_one_statement(office, build):
    def asked():
        with count_statements() as seen:
            assert office.get("/staff/sendings").status_code == 200
        return len(seen)

    start_run([build.posted("1").id])
    db.session.commit()
    asked()
    one = asked()
    for _ in range(3):
        start_run([build.posted("1").id])
    db.session.commit()

    assert asked() == one


def test_a_refused_text_keeps_who_was_ticked_and_what_was_typed(office, build):
    invoice = build.posted("80")
    for name, phone in (("Ann", "555 010 0123"), ("Ben", "555 010 0124"), ("Cy", "555 010 0125")):
        add_contact(invoice.customer, ContactWords(name=name, phone=phone, is_mobile=True))
    data = {"words": "Pay {nothing}", "numbers": ["+15550100124", "+15550100125", "+15550109999"]}

    refused = office.post(f"/staff/invoices/{invoice.id}/text", data=data)

    assert refused.status_code == 422
    assert "There is no {nothing}." in refused.text
    assert "Pay {nothing}</textarea>" in refused.text
    ticked = re.findall(r'name="numbers" value="([^"]*)" checked', refused.text)
    assert ticked == ["+15550100124", "+15550100125"]


def test_a_number_of_nobody_at_this_customer_gets_no_text(office, build):
    invoice = build.posted("80")
    add_contact(invoice.customer, ContactWords(name="Cell", phone="5550100123", is_mobile=True))
    data = {"words": "Pay {balance}", "numbers": "+15550109999"}

    assert office.post(f"/staff/invoices/{invoice.id}/text", data=data).status_code == 422
    assert messages() == []


def test_a_second_text_is_asked_about_and_what_was_typed_stays(office, build):
    invoice = build.posted("80")
    add_contact(invoice.customer, ContactWords(name="Cell", phone="5550100123", is_mobile=True))
    address = f"/staff/invoices/{invoice.id}/text"
    data = yes_send(invoice.id) | {"words": "Pay {balance} now", "numbers": "5550100123"}
    office.post(address, data=data | {"once": "hers"})

    asked = office.post(address, data=data | {"once": "mine"})

    assert "Send this invoice again?" in asked.text
    assert "Pay {balance} now</textarea>" in asked.text
    assert len(messages()) == 1
    again = yes_send(invoice.id) | {"words": "Pay", "numbers": "5550100123", "once": "mine"}
    office.post(address, data=again)
    assert len(messages()) == 2
