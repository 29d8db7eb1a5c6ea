"""The company's words: filled, translated, escaped, refused, given back to the house."""

import itertools
from datetime import date

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import post_invoice, send_invoice, start_credit_note, write_off
from portal.kernel.errors import Conflict, InvalidFields
from portal.kernel.money import Money
from portal.models import AuditEntry, Channel, Message, MessageTemplate
from portal.outbox import (
    LANGUAGES,
    OFFERED,
    Words,
    check_words,
    forget_words,
    house_words,
    own_words,
    save_words,
    words_for,
    write_letter,
)

ADDRESS = "/staff/message-templates/invoice/email/en"
VALUES = {
    "customer_name": "Ada", "number": "INV-1", "total": Money.of("1234.50"),
    "balance": Money.of("80"), "due_date": date(2026, 3, 2), "pay_link": "http://localhost/pay/x",
    "company_name": "Acme", "summary": "",
}  # fmt: skip


@pytest.fixture
def written(app):
    return lambda body, language="en", **more: write_letter(
        Words("S", body), {**VALUES, **more}, language
    )


@pytest.mark.parametrize(("offered", "language"), list(itertools.product(OFFERED, LANGUAGES)))
def test_the_house_has_words_for_every_message_in_every_language(offered, language):
    kind, channel = offered
    words = house_words(kind, channel, language)

    assert check_words(kind, channel, words) == words
    assert "{company_name}" in words.subject + words.body


def test_the_words_differ_by_language():
    bodies = {house_words("invoice", Channel.EMAIL, one).body for one in LANGUAGES}

    assert len(bodies) == 3


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "$1,234.50 March 2, 2026"),
        ("es", "1.234,50\xa0US$ 2 de marzo de 2026"),
        ("fr", "1\u202f234,50\xa0$US 2 mars 2026"),
    ],
)
def test_money_and_days_are_said_in_the_customers_language(written, language, said):
    assert written("{total} {due_date}", language).text.strip() == said


def test_a_line_whose_word_is_empty_is_left_out(written):
    letter = written("Hello\n\nDone: {summary}\nBye", summary="")

    assert letter.text == "Hello\n\nBye\n"


def test_a_value_in_braces_is_not_filled_again(written):
    assert written("{summary}", summary="{pay_link}").text == "{pay_link}\n"


def test_the_link_becomes_a_button_and_the_balance_a_figure(written):
    letter = written("Amount due: {balance}\n\nPay now: {pay_link}")

    kinds = [(one.kind, one.label, one.text) for one in letter.blocks]
    assert kinds == [
        ("figure", "Amount due", "$80.00"),
        ("button", "Pay now", "Pay now: http://localhost/pay/x"),
    ]
    assert '<a href="http://localhost/pay/x"' in letter.html("en")
    assert "Pay now: http://localhost/pay/x" in letter.text


HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(1)> " onmouseover="x'


@pytest.mark.parametrize("place", ["customer_name", "summary", "number"])
def test_what_others_typed_never_becomes_markup(written, place):
    html = written("{customer_name} {number}\n\n{summary}", **{"summary": "x", place: HOSTILE})

    assert "<script" not in html.html("en")
    assert "<img" not in html.html("en")
    assert "&lt;script&gt;" in html.html("en")


def test_markup_in_the_words_themselves_is_words_too(written):
    html = written("<b>Bold</b> {number}\n\n<i>x</i>: {pay_link}").html("en")

    assert "&lt;b&gt;Bold&lt;/b&gt;" in html
    assert "&lt;i&gt;x&lt;/i&gt;" in html


def test_foreign_addresses_do_not_become_links(written):
    html = written("{summary}", summary="http://evil.example/ http://localhost/my/").html("en")

    assert 'href="http://evil.example' not in html
    assert 'href="http://localhost/my/"' in html


@pytest.mark.parametrize(
    ("words", "field", "sentence"),
    [
        (Words("Hi {nmae}", "Body"), "subject", "There is no {nmae}."),
        (Words("Hi", "Pay {amount} or {total}"), "body", "There is no {amount}."),
        (Words("Hi", "Why: {reason}"), "body", "{reason} says nothing here (invoice)."),
        (Words("", "Body"), "subject", "Give the mail a subject."),
        (Words("Hi", "  "), "body", "Write something."),
        (Words("x" * 201, "Body"), "subject", "at most 200"),
        (Words("Hi", "x" * 20_001), "body", "too long"),
    ],
)
def test_wrong_words_are_refused_beside_their_field(words, field, sentence):
    with pytest.raises(InvalidFields) as refused:
        check_words("invoice", Channel.EMAIL, words)
    assert sentence in refused.value.errors[field]


def test_a_subject_is_one_line(app):
    letter = write_letter(Words("A {summary}", "x"), {"summary": "b\r\nBcc: all@x.y"}, "en")

    assert letter.subject == "A b Bcc: all@x.y"


def test_own_words_are_used_until_they_are_given_back(build):
    words = Words("Su factura", "Hola {number}")
    row = save_words("invoice", Channel.EMAIL, "es", words, version=0)
    spanish = build.posted("10", customer=build.customer(language="es"))
    english = build.posted("10")
    for invoice in (spanish, english):
        send_invoice(invoice)

    first, second = db.session.scalars(sa.select(Message).order_by(Message.id))
    assert (first.subject, first.body) == ("Su factura", f"Hola {spanish.number}\n")
    assert second.subject.startswith("Invoice INV-")
    assert forget_words("invoice", Channel.EMAIL, "es", version=row.version)
    db.session.flush()
    assert words_for("invoice", Channel.EMAIL, "es").subject == "Factura {number} de {company_name}"
    assert not forget_words("invoice", Channel.EMAIL, "es", version=0)


def test_the_second_editor_is_told(app):
    row = save_words("receipt", Channel.SMS, "en", Words("", "Thanks"), version=0)
    db.session.commit()
    save_words("receipt", Channel.SMS, "en", Words("", "Thanks!"), version=row.version)
    db.session.commit()

    with pytest.raises(Conflict):
        save_words("receipt", Channel.SMS, "en", Words("", "Cheers"), version=1)


def test_an_unknown_language_reads_english(app):
    assert words_for("invoice", Channel.SMS, "de") == house_words("invoice", Channel.SMS, "en")


def test_the_screen_saves_refuses_and_gives_back(office, build):
    assert "The house's words" in office.get("/staff/message-templates").text

    refused = office.post(ADDRESS, data={"version": 0, "subject": "Hi", "body": "Pay {it}"})
    assert refused.status_code == 422
    assert "There is no {it}." in refused.text
    office.post(ADDRESS, data={"version": 0, "subject": "Hi {number}", "body": "Pay {total}"})
    assert own_words("invoice", Channel.EMAIL, "en").subject == "Hi {number}"
    assert "Your words" in office.get("/staff/message-templates").text
    office.post(f"{ADDRESS}/house-words", data={"version": 0})  # a page that is out of date
    row = own_words("invoice", Channel.EMAIL, "en")
    page = office.get(ADDRESS).text
    assert "data-confirm" in page
    assert f'name="version" value="{row.version}"></form>' in page
    office.post(f"{ADDRESS}/house-words", data={"version": row.version})
    told = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.verb == "reset")).one()
    assert told.changes["words"][0] == ["Hi {number}", "Pay {total}"]
    assert db.session.scalars(sa.select(MessageTemplate)).all() == []


def test_the_preview_speaks_of_the_newest_invoice_and_saves_nothing(office, build):
    invoice = build.posted("80", customer=build.customer("Ada <b>Lovelace</b>"))
    data = {"version": 0, "subject": "About {number}", "body": "Hello {customer_name} {oops}"}

    page = office.post(f"{ADDRESS}/preview", data=data).text
    part = office.post(f"{ADDRESS}/preview", data=data, headers={"HX-Request": "true"}).text

    for text in (page, part):
        assert f"About {invoice.number}" in text
        assert "Hello Ada &lt;b&gt;Lovelace&lt;/b&gt;" in text
        assert "There is no {oops}." in text
    assert part.startswith("<section")
    assert db.session.scalars(sa.select(MessageTemplate)).all() == []


@pytest.mark.parametrize("place", ["sign-in/email/en", "invoice/email/de", "invoice/fax/en"])
def test_there_is_no_such_message(office, place):
    assert office.get(f"/staff/message-templates/{place}").status_code == 404


def test_no_words_are_offered_for_a_text_nobody_is_sent(office):
    place = "/staff/message-templates/payment_came_back"

    assert f"{place}/sms/en" not in office.get("/staff/message-templates").text
    assert office.get(f"{place}/sms/en").status_code == 404
    assert office.get(f"{place}/email/en").status_code == 200


@pytest.mark.parametrize(
    ("kind", "nothing"),
    [("receipt", "{due_date}"), ("receipt", "{reason}"), ("payment_came_back", "{date}")],
)
def test_what_only_another_kind_of_message_can_say_is_refused(kind, nothing):
    with pytest.raises(InvalidFields) as refused:
        check_words(kind, Channel.SMS, Words("", f"Hello {nothing}"))

    assert f"{nothing} says nothing here" in refused.value.errors["body"]


def test_only_what_this_kind_can_say_is_listed_beside_it(office):
    page = office.get("/staff/message-templates/receipt/email/en").text

    assert "<code>{total}</code>" in page
    assert "<code>{due_date}</code>" not in page


@pytest.mark.parametrize(("kind", "number"), [("invoice", 0), ("credit_note", 1), ("receipt", 2)])
def test_the_preview_speaks_of_a_document_of_its_own_kind(office, build, kind, number):
    ada = build.customer("Ada")
    original = build.posted("10", customer=ada)
    invoice = build.posted("80", customer=ada)
    paid = build.payment(ada, "30", invoice)
    credit = start_credit_note(original)
    post_invoice(credit)
    write_off(invoice, because="Gone")
    numbers = [invoice.number, credit.number, f"R-{paid.id:06}"]
    db.session.commit()

    page = office.get(f"/staff/message-templates/{kind}/email/en").text

    assert f"as for {numbers[number]} of Ada" in page


def test_without_such_a_document_the_preview_is_made_up(office, build):
    build.posted("80")
    db.session.commit()

    assert "made up" in office.get("/staff/message-templates/credit_note/email/en").text
    assert "made up" in office.get("/staff/message-templates/payment_came_back/email/en").text
