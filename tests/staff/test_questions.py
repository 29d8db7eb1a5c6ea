"""Nothing becomes final and no draft leaves before somebody saw what that means."""

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import get_invoice, review_invoice
from portal.models import InvoiceState, Message, ReviewState
from portal.tasks import run_waiting
from staff.questions import sending_question


def yes(*ids):
    """What the question's form sends: yes to these invoices as they are now."""
    return {"confirmed": "yes", "seen": [f"{one}.{get_invoice(one).version}" for one in ids]}


def yes_send(*ids):
    """What the page of sending sends: yes to these as they are, and to what went out so far."""
    return {"confirmed": "yes", "seen": [one.seen for one in sending_question(ids).rows]}


def messages():
    return db.session.scalar(sa.select(sa.func.count()).select_from(Message))


def state_of(invoice):
    return get_invoice(invoice.id).state


def test_posting_asks_first_and_names_what_is_odd(office, build):
    invoice = build.invoice("80")

    page = office.post(f"/staff/invoices/{invoice.id}/posting").text

    assert state_of(invoice) is InvoiceState.PENDING
    assert "Post this invoice?" in page
    assert "Nobody reviewed it yet." in page
    assert "It has no tax zone: no sales tax is charged." in page
    assert "Post it for $80.00" in page


def test_the_question_has_an_address_of_its_own_and_yes_posts(office, build):
    invoice = build.invoice("80")

    assert "Post this invoice?" in office.get(f"/staff/invoices/{invoice.id}/posting").text
    office.post(f"/staff/invoices/{invoice.id}/posting", data=yes(invoice.id))

    assert state_of(invoice) is InvoiceState.POSTED


def test_a_reviewed_invoice_in_a_zone_has_nothing_odd(office, build):
    invoice = build.invoice("80", location=build.location(zone=build.zone("10")))
    review_invoice(invoice, ReviewState.REVIEWED)

    assert "Nothing odd" in office.get(f"/staff/invoices/{invoice.id}/posting").text


def test_yes_to_what_changed_meanwhile_asks_again(office, build):
    invoice = build.invoice("80")
    seen = f"{invoice.id}.{invoice.version}"
    line = {"item": "Copper pipe", "quantity": "1", "unit_price": "9"}
    office.post(f"/staff/invoices/{invoice.id}/lines", data=line)

    page = office.post(f"/staff/invoices/{invoice.id}/posting", data=yes() | {"seen": seen}).text

    assert state_of(invoice) is InvoiceState.PENDING
    assert "Somebody changed this meanwhile" in page
    assert "$89.00" in page


def test_many_are_asked_about_together_and_what_cannot_be_posted_is_left_out(office, build):
    good, posted = build.invoice("80"), build.posted("20")

    page = office.post("/staff/invoices/postings", data={"ids": [good.id, posted.id]}).text

    assert state_of(good) is InvoiceState.PENDING
    assert "Post it for $80.00" in page
    assert "Left out:" in page
    assert f'name="ids" value="{good.id}"' in page
    assert f'name="ids" value="{posted.id}"' not in page


@pytest.mark.parametrize("review", [ReviewState.NEEDS_REVIEW, ReviewState.ON_HOLD])
def test_a_draft_nobody_reviewed_is_not_sent_without_asking(office, build, review):
    invoice = build.invoice("80")
    if review is not invoice.review_state:
        review_invoice(invoice, review, note="Parts are missing")

    page = office.post(f"/staff/invoices/{invoice.id}/sending").text

    assert messages() == 0
    assert "Send this invoice?" in page
    assert "It is a draft" in page
    assert invoice.customer.email in page
    office.post(f"/staff/invoices/{invoice.id}/sending", data=yes(invoice.id))
    assert messages() == 1


def test_what_is_posted_and_was_never_sent_is_sent_at_once(office, build):
    posted = build.posted("20")

    office.post(f"/staff/invoices/{posted.id}/sending")

    assert messages() == 1


def test_a_reviewed_draft_is_asked_about_like_the_rest(office, build):
    reviewed = build.invoice("80")
    review_invoice(reviewed, ReviewState.REVIEWED)

    assert "It is a draft" in office.post(f"/staff/invoices/{reviewed.id}/sending").text
    assert messages() == 0
    office.post(f"/staff/invoices/{reviewed.id}/sending", data=yes(reviewed.id))
    assert messages() == 1


def test_sending_many_asks_first(office, build):
    ids = [build.posted("80").id, build.invoice("5").id]

    page = office.post("/staff/invoices/sendings", data={"ids": ids}).text

    assert messages() == 0
    assert "Send 2 invoices?" in page
    office.post("/staff/invoices/sendings", data=yes(*ids) | {"ids": ids})
    run_waiting()
    assert messages() == 2


def test_what_a_colleague_sent_meanwhile_is_asked_about_again(office, build):
    invoice = build.posted("20")
    mine = yes_send(invoice.id)  # the page is open, nothing was sent yet
    office.post(f"/staff/invoices/{invoice.id}/sending")

    page = office.post(f"/staff/invoices/{invoice.id}/sending", data=mine).text

    assert messages() == 1
    assert "Somebody changed this meanwhile" in page
    assert "Send this invoice again?" in page


def test_many_somebody_else_is_sending_already_are_asked_about_again(office, build):
    ids = [build.posted("80").id, build.posted("5").id]
    mine = yes_send(*ids) | {"ids": ids, "again": "yes"}
    office.post("/staff/invoices/sendings", data=mine | {"once": "hers"})

    page = office.post("/staff/invoices/sendings", data=mine | {"once": "mine"}).text
    run_waiting()

    assert "Send 2 invoices?" in page
    assert messages() == 2
