"""Payment plans in the portal: asked for, read, accepted, paid; only one's own."""

import re

import pytest
import sqlalchemy as sa

from portal.customers import ContactWords, add_contact
from portal.db import db
from portal.invoices import pay_link_url, unpost_invoice
from portal.kernel.money import Money
from portal.models import BillingAccess, PaymentAttempt, PaymentPlan, PlanRhythm, PlanState
from portal.payment_collection import settle
from portal.payment_plans import withdraw_plan
from tests.conftest import payer_client
from tests.payment_collection.test_settling import press
from tests.payment_plans.plans import accepted, in_days, look_on, offered, pay


@pytest.fixture
def ada(build):
    return build.customer("Ada", email="ada@example.org")


@pytest.fixture
def browser(app, ada):
    db.session.commit()
    return payer_client(app, "ada@example.org")


def seen(page):
    return re.search(r'name="seen" value="([0-9a-f]+)"', page)[1]


def only_plan():
    db.session.expire_all()
    return db.session.scalars(sa.select(PaymentPlan)).one()


def test_asking_ends_in_a_wish_the_office_sees(build, ada, browser):
    invoice = build.posted("400", customer=ada)
    db.session.commit()
    assert invoice.number in browser.get("/my/plans/new").text

    reply = browser.post("/my/plans", data={"ids": [invoice.id], "rhythm": "weekly",
                                            "note": "Winter was hard."})  # fmt: skip
    assert reply.status_code == 303
    plan = only_plan()
    assert (plan.state, plan.asked_by, plan.note, str(plan.amount)) == (
        PlanState.ASKED, "ada@example.org", "Winter was hard.", "$400.00",
    )  # fmt: skip
    assert "You asked to pay in parts" in browser.get(reply.location).text


@pytest.mark.parametrize("data", [{}, {"ids": ["x"]}, {"ids": ["999999"]}])
def test_asking_for_nothing_is_answered_in_words(build, ada, browser, data):
    build.posted("400", customer=ada)
    reply = browser.post("/my/plans", data={"rhythm": "weekly", **data})
    assert reply.status_code == 422
    assert "Tick at least one invoice." in reply.text


def test_an_empty_choice_comes_back_empty(build, ada, browser):
    build.posted("400", customer=ada)
    db.session.commit()
    assert " checked" in browser.get("/my/plans/new").text.split("<fieldset")[1].split("</ul")[0]
    reply = browser.post("/my/plans", data={"rhythm": "weekly"}).text
    assert " checked" not in reply.split("<fieldset")[1].split("</ul")[0]


def test_who_pays_for_two_customers_asks_for_one_at_a_time(build, ada, browser):
    bob = build.customer("Bob")
    add_contact(bob, ContactWords("Ada", email=ada.email, billing_access=BillingAccess.PAY))
    mine, theirs = build.posted("400", customer=ada), build.posted("50", customer=bob)
    db.session.commit()
    first = browser.get("/my/plans/new").text
    second = browser.get(f"/my/plans/new?customer_id={bob.id}").text
    for page, shown, other in ((first, mine, theirs), (second, theirs, mine)):
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))
        assert page.count('name="once"') == 1
        assert (shown.number in page, other.number in page) == (True, False)
    data = {"customer_id": bob.id, "ids": [mine.id, theirs.id], "rhythm": "weekly"}
    assert browser.post("/my/plans", data=data).status_code == 303
    assert [one.invoice_id for one in only_plan().shares] == [theirs.id]


def test_a_wish_sent_twice_is_one_wish(build, ada, browser):
    invoice = build.posted("400", customer=ada)
    data = {"ids": [invoice.id], "rhythm": "weekly", "once": "the same form"}
    browser.post("/my/plans", data=data)
    assert browser.post("/my/plans", data=data).status_code == 303
    assert only_plan().state is PlanState.ASKED


def test_the_offer_shows_its_terms_in_full_and_is_accepted_with_evidence(build, ada, browser):
    plan = offered(build.posted("400", customer=ada))
    db.session.commit()
    page = browser.get(f"/my/plans/{plan.id}").text
    assert "the plan ends by itself" in page
    assert "$100.00" in page

    reply = browser.post(f"/my/plans/{plan.id}/acceptance",
                         data={"agreed": "yes", "seen": seen(page)},
                         headers={"User-Agent": "Firefox 140"})  # fmt: skip
    assert reply.status_code == 303
    kept = only_plan()
    assert kept.state is PlanState.ACTIVE
    assert (kept.consent.given_by, kept.consent.address, kept.consent.agent) == (
        "Ada <ada@example.org>", "127.0.0.1", "Firefox 140",
    )  # fmt: skip
    assert browser.get(f"/my/plans/{plan.id}/agreement.pdf").data.startswith(b"%PDF")


def test_a_second_press_finds_what_the_first_one_did(build, ada, browser):
    plan, other = (offered(build.posted("400", customer=ada)) for _ in range(2))
    db.session.commit()
    path, refused = f"/my/plans/{plan.id}/acceptance", f"/my/plans/{other.id}/refusal"
    data = {"agreed": "yes", "seen": seen(browser.get(f"/my/plans/{plan.id}").text)}
    for address, sent, words in (
        (path, data, "Agreed. Thank you! We sent you a copy by mail."),
        (refused, {}, "Declined. We know now"),
    ):
        for _press in ("first", "second"):
            reply = browser.post(address, data=sent)
            assert reply.status_code == 303
            assert words in browser.get(reply.location).text


def test_the_other_answer_afterwards_is_told_on_the_page_of_the_plan(build, ada, browser):
    taken = accepted(build.posted("400", customer=ada))
    left = offered(build.posted("50", customer=ada))
    db.session.commit()
    mark = seen(browser.get(f"/my/plans/{left.id}").text)
    browser.post(f"/my/plans/{left.id}/refusal")
    declined = browser.post(f"/my/plans/{taken.id}/refusal")
    agreed = browser.post(f"/my/plans/{left.id}/acceptance", data={"agreed": "yes", "seen": mark})
    for reply, number in ((declined, taken.number), (agreed, left.number)):
        assert reply.status_code == 422
        assert "was answered or changed before" in reply.text
        assert f"Payment plan {number}" in reply.text
        assert "Cannot " not in reply.text


def test_without_the_tick_or_with_other_terms_nothing_is_accepted(build, ada, browser):
    plan = offered(build.posted("400", customer=ada))
    db.session.commit()
    page = browser.get(f"/my/plans/{plan.id}").text
    for data, words in (
        ({"seen": seen(page)}, "Tick that you agree"),
        ({"agreed": "yes", "seen": "0" * 64}, "The terms changed"),
        ({"agreed": "yes"}, "The terms changed"),
    ):
        reply = browser.post(f"/my/plans/{plan.id}/acceptance", data=data)
        assert reply.status_code == 422
        assert words in reply.text
    assert only_plan().state is PlanState.PROPOSED


def test_a_payment_meanwhile_refuses_the_acceptance_with_what_changed(build, ada, browser):
    invoice = build.posted("400", customer=ada)
    plan = offered(invoice)
    db.session.commit()
    mark = seen(browser.get(f"/my/plans/{plan.id}").text)
    pay(build, invoice, "50")
    reply = browser.post(f"/my/plans/{plan.id}/acceptance", data={"agreed": "yes", "seen": mark})
    assert reply.status_code == 422
    assert "had $400.00 to pay when the plan was offered and has $350.00 now" in reply.text


def test_declining_is_told_to_the_office(build, ada, browser):
    plan = offered(build.posted("400", customer=ada))
    db.session.commit()
    browser.post(f"/my/plans/{plan.id}/refusal", data={"because": "Too much a month."})
    assert (only_plan().state, only_plan().ended_because) == (
        PlanState.DECLINED, "Too much a month.",
    )  # fmt: skip


def test_the_next_instalment_is_paid_with_one_press(build, ada, browser):
    invoice = build.posted("400", customer=ada)
    plan = accepted(invoice)
    db.session.commit()
    assert "Pay $100.00" in browser.get(f"/my/plans/{plan.id}").text

    reply = browser.post(f"/my/plans/{plan.id}/payment")
    assert reply.status_code == 303
    attempt = db.session.scalars(sa.select(PaymentAttempt)).one()
    assert str(attempt.amount) == "$100.00"
    press(attempt.session_ref, "succeed")
    settle(attempt.id)
    db.session.expire_all()
    assert [str(one.state) for one in only_plan().progress(in_days(0))][:2] == ["paid", "planned"]


def test_anybody_elses_plan_does_not_exist(app, build, ada, browser):
    other = offered(build.posted("400"))
    db.session.commit()
    for path in ("", "/agreement.pdf"):
        assert browser.get(f"/my/plans/{other.id}{path}").status_code == 404
    for verb in ("acceptance", "refusal", "payment"):
        assert browser.post(f"/my/plans/{other.id}/{verb}").status_code == 404
    assert only_plan().state is PlanState.PROPOSED


def test_who_may_only_look_cannot_agree_or_pay(app, build, ada):
    words = ContactWords("Eve", email="eve@example.org", billing_access=BillingAccess.VIEW)
    add_contact(ada, words)
    plan = offered(build.posted("400", customer=ada))
    db.session.commit()
    eve = payer_client(app, "eve@example.org")
    assert "Accept the plan" not in eve.get(f"/my/plans/{plan.id}").text
    assert eve.post(f"/my/plans/{plan.id}/acceptance").status_code == 422
    assert only_plan().state is PlanState.PROPOSED


def test_the_first_page_and_the_invoice_name_the_plan(build, ada, browser):
    invoice = build.posted("400", customer=ada)
    plan = accepted(invoice)
    db.session.commit()
    for path in ("/my/", "/my/plans", f"/my/invoices/{invoice.id}"):
        assert plan.number in browser.get(path).text


def test_an_invoice_on_a_plan_that_is_kept_is_nowhere_called_late(app, build, ada, browser):
    late = build.posted("400", customer=ada, on=in_days(-60), term="Net 15")
    build.posted("70", customer=ada, on=in_days(-1), term="Net 30")
    accepted(late, first_on=in_days(9))
    link = pay_link_url(late).removeprefix("http://localhost")
    db.session.commit()
    home = browser.get("/my/").text
    assert "paid in parts, next $100.00 on Mar 11" in home
    assert "March 31, 2026" in home  # the day of the other invoice
    assert not re.search(rf'value="{late.id}"[^>]*checked', home)
    assert "Pay the rest · $70.00" in home
    for path in ("/my/", "/my/invoices", f"/my/invoices/{late.id}"):
        page = browser.get(path).text
        assert "aid in parts" in page
        assert "very-late" not in page
        assert 'data-state="overdue"' not in page
    assert "Paid in parts. Next: $100.00" in app.test_client().get(link).text


def test_what_is_not_on_the_plan_stays_late(build, ada, browser):
    part = build.posted("400", customer=ada, on=in_days(-60), term="Net 15")
    accepted(part, amount=Money.of(300), first_on=in_days(9))
    db.session.commit()
    assert "1 invoice is past due." in browser.get("/my/").text


def test_only_an_invoice_on_a_plan_can_still_be_ticked_and_paid_ahead(build, ada, browser):
    accepted(build.posted("400", customer=ada))
    db.session.commit()
    home = browser.get("/my/").text
    assert "Pay what is ticked" in home
    assert "Pay all due" not in home


def test_a_card_that_expired_is_not_offered_and_refused_in_the_customers_words(build, ada, browser):
    old = build.saved_method(ada, primary=True)
    old.expires_on = in_days(-40)
    plan = offered(build.posted("400", customer=ada), automatic=True)
    db.session.commit()
    page = browser.get(f"/my/plans/{plan.id}").text
    assert 'name="method_id"' not in page
    data = {"agreed": "yes", "seen": seen(page), "method_id": old.id}
    reply = browser.post(f"/my/plans/{plan.id}/acceptance", data=data)
    assert reply.status_code == 422
    assert "cannot be charged. Choose or save another one." in reply.text
    assert "Ask the customer" not in reply.text


def test_why_a_plan_waits_or_cannot_be_agreed_is_said_to_the_customer(build, ada, browser):
    running, waiting = build.posted("400", customer=ada), build.posted("50", customer=ada)
    plan, offer = accepted(running, first_on=in_days(3)), offered(waiting)
    for one in (running, waiting):
        unpost_invoice(one, because="Wrong price")
    db.session.commit()
    page = browser.get(f"/my/plans/{plan.id}").text
    assert f"We are correcting invoice {running.number}. Until that is done you need not" in page
    page = browser.get(f"/my/plans/{offer.id}").text
    assert f"We are still working on invoice {waiting.number}." in page
    assert "Post it" not in page


def test_why_a_plan_ended_is_said_to_the_customer(build, ada, browser):
    broken = accepted(build.posted("400", customer=ada), rhythm=PlanRhythm.WEEKLY)
    unanswered = offered(build.posted("50", customer=ada))
    for day in (2, 20):
        look_on(in_days(day))
    own = offered(build.posted("60", customer=ada), first_on=in_days(20))
    withdraw_plan(own, because="We talked on the phone.")
    db.session.commit()
    for plan, words in (
        (broken, "A payment was not made in time."),
        (unanswered, "It was not accepted in time."),
        (own, "We talked on the phone."),
    ):
        assert words in browser.get(f"/my/plans/{plan.id}").text
