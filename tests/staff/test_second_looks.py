"""What is told before something is done a second time, or after others changed what was shown."""

import re
from datetime import timedelta

import sqlalchemy as sa

from portal.access import Ability, roles
from portal.db import db
from portal.kernel import clock
from portal.models import Message, SendingRun
from tests.batches.test_posting import filled, post
from tests.conftest import staff_client


def hidden(page, name):
    return re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)[1]


def messages():
    return db.session.scalar(sa.select(sa.func.count()).select_from(Message))


def test_the_second_of_two_people_with_the_same_letter_is_asked(app, office, build):
    invoice = build.posted("20")
    db.session.commit()
    here = f"/staff/invoices/{invoice.id}/sending"
    other = staff_client(app, build, "Accountant")
    mine, theirs = office.get(here).text, other.get(here).text
    letter = [
        {"confirmed": "yes", "to": invoice.customer.email, "subject": "Yours", "body": "See it.",
         **{name: hidden(page, name) for name in ("seen", "once")}}
        for page in (mine, theirs)
    ]  # fmt: skip
    office.post(here, data=letter[0])
    assert messages() == 1

    with clock.frozen(clock.now() + timedelta(minutes=2)):
        page = other.post(here, data=letter[1]).text

    assert messages() == 1
    assert "2 minutes ago by Administrator." in page
    assert "Send this invoice again?" in page


def test_what_is_final_without_a_line_is_not_told_to_get_one(office, build):
    empty = build.invoice()
    post(filled(empty))

    page = office.get(f"/staff/invoices/{empty.id}/sending").text

    assert "is final without a line: there is nothing to send." in page
    assert "at least one line before sending" not in page


def test_sending_all_that_match_says_exactly_what_is_another_now(office, build):
    first, gone = build.posted("20"), build.posted("30")
    db.session.commit()
    address = "/staff/sendings/new?state=posted"
    page = office.get(address).text
    assert hidden(page, "shown") == f"{first.id}-{gone.id}"
    typed = {name: hidden(page, name) for name in ("seen", "shown", "once")} | {"confirmed": "yes"}
    came = build.posted("40")
    gone.state = "exported"
    db.session.commit()

    page = office.post("/staff/sendings?state=posted", data=typed).text

    assert f"One more matches now: {came.number}." in page
    assert f"One does not match any more: {gone.number}." in page
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SendingRun)) == 0


def test_a_list_of_shown_ids_that_nobody_wrote_counts_for_nothing(office, build):
    build.posted("20")
    db.session.commit()

    large = "99999999999999999999"
    for shown in ("1-99999999999", "x", "5-1", "1-2-3", large, f"{large}-{large}", str(2**63)):
        reply = office.post("/staff/sendings", data={"seen": "old", "shown": shown})
        assert reply.status_code == 200
        assert "more match" not in reply.text


def test_the_sign_in_page_says_where_a_lost_password_is_mended(client):
    assert "Links are not mailed to the office" in client.get("/staff/sign-in").text


def test_who_may_not_look_at_invoices_is_not_told_their_numbers(app, build):
    sender = staff_client(app, build, "Office")
    role = next(one for one in roles() if one.name == "Office")
    role.abilities = [Ability.SEND_INVOICES]
    hidden_one, listed = build.posted("20"), build.posted("30")
    db.session.commit()

    data = {"seen": "old", "shown": f"{hidden_one.id}-{listed.id}", "confirmed": "yes"}
    page = sender.post("/staff/sendings?q=nothing-like-it", data=data).text

    assert "do not match any more" in page
    assert hidden_one.number not in page
