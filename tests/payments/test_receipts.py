"""The receipt goes the way its customer prefers."""

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.invoices import pay_link_url
from portal.models import Channel, Delivery, Message
from portal.outbox import Words, save_words


def receipts():
    query = sa.select(Message).where(Message.kind == "receipt").order_by(Message.id)
    return db.session.scalars(query).all()


@pytest.fixture
def texter(build):
    customer = build.customer("Tess", email="tess@example.org", delivery=Delivery.SMS)
    add_contact(customer, ContactWords("Cell", phone="(555) 010-0123", is_mobile=True))
    db.session.flush()
    return customer


def test_a_customer_who_wants_texts_gets_the_receipt_as_a_text_with_a_link(build, texter):
    invoice = build.posted("80", customer=texter)

    build.payment(texter, "80", invoice)

    (text,) = receipts()
    assert (text.channel, text.recipient, text.subject) == (Channel.SMS, "+15550100123", "")
    assert "we received $80.00 on March 2, 2026" in text.body
    assert pay_link_url(invoice) in text.body


def test_money_for_many_invoices_links_to_the_portal(build, texter):
    build.payment(texter, "80")

    (text,) = receipts()
    assert "/my/" in text.body


def test_the_companys_own_words_are_what_is_texted(build, texter):
    save_words("receipt", Channel.SMS, "en", Words("", "Ta for {total}"), version=0)

    build.payment(texter, "80")

    assert [one.body for one in receipts()] == ["Ta for $80.00\n"]


def test_without_a_mobile_the_receipt_is_mailed(build):
    customer = build.customer("Tom", email="tom@example.org", delivery=Delivery.SMS)

    build.payment(customer, "80")

    assert [(one.channel, one.recipient) for one in receipts()] == [
        (Channel.EMAIL, "tom@example.org")
    ]


def test_everybody_else_gets_a_mail_though_a_mobile_is_known(build):
    customer = build.customer("Eve", email="eve@example.org")
    add_contact(customer, ContactWords("Cell", phone="5550100123", is_mobile=True))
    db.session.flush()

    build.payment(customer, "80")

    assert [one.channel for one in receipts()] == [Channel.EMAIL]
