"""The review queue and the record's review card, through the browser."""

import re

import pytest

from portal.audit import acting_as
from portal.db import db
from portal.invoices import (
    ApprovalWords,
    add_rule,
    assign_invoices,
    get_invoice,
    review_invoice,
)
from portal.kernel.money import Money
from portal.models import AccountingPeriod, ApprovalRule, Batch, PeriodState, ReviewState
from tests.conftest import count_statements, staff_client

HELD, SEEN = ReviewState.ON_HOLD, ReviewState.REVIEWED


def state_of(invoice):
    return get_invoice(invoice.id).review_state


def test_the_queue_shows_what_to_look_at(office, build):
    invoice = build.invoice("80", customer=build.customer("Ada"))
    assign_invoices([invoice.id], build.person("Rita Reviewer"))
    posted = build.posted("5")

    page = office.get("/staff/review").text

    assert "It has no tax zone" in page
    assert "Rita Reviewer" in page
    assert f"/staff/invoices/{invoice.id}?queue=1" in page
    assert f"/staff/invoices/{posted.id}?" not in page
    assert 'aria-label="1 waiting"' in page


def test_an_empty_queue_says_what_comes_here(office):
    assert "Nothing to review" in office.get("/staff/review").text
    assert "Nothing fits" in office.get("/staff/review?review=on_hold").text


def test_the_other_tabs_list_what_is_owed_and_what_was_paid(office, build):
    owed, paid = build.posted("80"), build.posted("20")
    build.payment(paid.customer, "20", paid)
    db.session.commit()

    aging, settled = office.get("/staff/review/aging").text, office.get("/staff/review/paid").text

    assert owed.number in aging
    assert paid.number not in aging
    assert paid.number in settled
    assert owed.number not in settled


def test_the_queue_costs_the_same_however_many_rows(office, build):
    counts = []
    for more in (3, 9):
        for _ in range(more):
            build.invoice("5", location=build.location(zone=build.zone("5")))
        db.session.commit()
        with count_statements() as statements:
            assert office.get("/staff/review").status_code == 200
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_one_row_is_reviewed_by_its_own_button_whatever_is_ticked(office, build):
    one, other = build.invoice("80"), build.invoice("5")

    reply = office.post("/staff/review/reviews?assignee=nobody",
                        data={"only": one.id, "ids": [other.id]})  # fmt: skip

    assert reply.location == "/staff/review?assignee=nobody"
    assert (state_of(one), state_of(other)) == (SEEN, ReviewState.NEEDS_REVIEW)


def test_many_are_reviewed_and_each_row_says_what_became_of_it(office, build):
    good, posted = build.invoice("80"), build.posted("5")

    page = office.post("/staff/review/reviews", data={"ids": [good.id, posted.id]})

    assert page.status_code == 200
    assert "Done: 1. Refused: 1." in page.text
    assert "its review is over" in page.text
    assert state_of(good) is SEEN


def test_when_all_are_refused_nothing_is_called_done(office, build):
    posted = build.posted("5")

    page = office.post("/staff/review/reviews", data={"ids": [posted.id]})

    assert page.status_code == 422
    assert "Done: 0. Refused: 1." in page.text


def test_a_hold_asks_for_its_note_first(office, build):
    invoice = build.invoice("80")
    asked = office.post("/staff/review/holds", data={"ids": [invoice.id]})
    assert asked.status_code == 422
    assert "Say what it waits for." in asked.text
    assert f'name="ids" value="{invoice.id}"' in asked.text
    assert "Put on hold" in office.get(f"/staff/review/holds?only={invoice.id}").text

    office.post("/staff/review/holds", data={"ids": [invoice.id], "note": "Parts"})

    assert state_of(invoice) is HELD
    assert "Parts" in office.get("/staff/review").text


def test_several_are_given_to_a_reviewer(app, office, build):
    ids, rita = [build.invoice("1").id, build.invoice("2").id], build.person("Rita")
    assert office.post("/staff/review/assignments", data={"ids": ids}).status_code == 422

    office.post("/staff/review/assignments", data={"ids": ids, "assignee_id": rita.id})

    assert [get_invoice(one).review_assignee for one in ids] == [rita, rita]
    collector = staff_client(app, build, "Collector")
    assert collector.post("/staff/review/assignments", data={"ids": ids}).status_code == 403


def test_mine_are_mine(app, build):
    olive = staff_client(app, build, "Office")
    person = build.person("Somebody Else")
    mine, other = build.invoice("1"), build.invoice("2")
    assign_invoices([other.id], person)
    db.session.commit()
    me = re.search(r'<option value="(\d+)">Office<', olive.get("/staff/review").text)[1]
    olive.post(f"/staff/invoices/{mine.id}/assignment", data={"assignee_id": me})

    page = olive.get("/staff/review?assignee=me").text

    assert mine.number in page
    assert other.number not in page


def test_the_record_leads_on_through_the_queue(office, build):
    first, second = build.invoice("1"), build.invoice("2")
    review_invoice(first, SEEN)
    here = f"/staff/invoices/{first.id}?queue=1&assignee=nobody"

    page = office.get(here).text
    alone = office.get(f"/staff/invoices/{first.id}").text

    after = f"/staff/invoices/{second.id}?queue=1&amp;assignee=nobody"
    assert re.search(rf'data-key="n" rel="next" href="{re.escape(after)}"', page)
    assert 'href="/staff/review?assignee=nobody"' in page
    assert "Next in queue" not in alone


def test_reviewing_on_the_record_stays_in_the_queue(office, build):
    invoice = build.invoice("1")

    reply = office.post(f"/staff/invoices/{invoice.id}/review/reviewed?queue=1&review=needs_review")

    assert reply.location == f"/staff/invoices/{invoice.id}?queue=1&review=needs_review"
    assert office.get(reply.location).status_code == 200


def test_every_form_and_link_of_the_record_stays_in_the_queue(office, build):
    first, second = build.invoice("80"), build.invoice("20")
    line = first.lines[0]
    here, words = f"/staff/invoices/{first.id}", "queue=1&review=needs_review"
    kept = words.replace("&", "&amp;")
    page = office.get(f"{here}?{words}").text

    for what in ("/lines", f"/lines/{line.id}", "/summary", "/facts", "/posting", "/cancellation"):
        assert f'"{here}{what}?{kept}"' in page
    typed = {"item": "Pipe", "quantity": "2", "unit_price": "9"}
    replies = [
        office.post(f"{here}/lines?{words}", data=typed),
        office.post(f"{here}/lines/{line.id}?{words}", data=typed | {"version": version(first)}),
        office.post(f"{here}/summary?{words}", data={"summary": "x", "version": version(first)}),
        office.post(f"{here}/lines/{line.id}/removal?{words}"),
    ]
    assert {one.location for one in replies} == {f"{here}?{words}"}
    assert f"/staff/invoices/{second.id}?{kept}" in office.get(replies[0].location).text


def test_an_invoice_opened_from_elsewhere_is_in_no_queue(office, build):
    invoice = build.invoice("80")

    assert "queue=1" not in office.get(f"/staff/invoices/{invoice.id}").text


def version(invoice):
    db.session.refresh(invoice)
    return invoice.version


def test_a_hold_without_a_note_is_refused_beside_the_field(office, build):
    invoice = build.invoice("1")

    page = office.post(f"/staff/invoices/{invoice.id}/review/on_hold", data={"note": " "})

    assert page.status_code == 422
    assert "Say what it waits for." in page.text


def test_the_record_names_what_cannot_be_done_and_why(app, office, build):
    posted = build.posted("80")
    page = office.get(f"/staff/invoices/{posted.id}").text
    assert "is posted and cannot be edited. Unpost it" in page
    assert "Location and unit" in page

    reader = staff_client(app, build, "Read-only").get(f"/staff/invoices/{posted.id}").text

    assert "Your role does not allow to edit invoices." in reader


def test_a_posted_invoice_does_not_ask_to_be_reviewed(office, build):
    posted = build.posted("80")

    record = office.get(f"/staff/invoices/{posted.id}").text
    row = office.get("/staff/invoices").text

    assert 'data-state="needs_review"' not in record + row
    assert 'data-state="not_reviewed"' in record


AXES = ("pending", "needs_review", "not_sent", "unpaid", "unbatched", "period_open",
        "not_applicable")  # fmt: skip


def test_the_record_shows_every_axis(office, build):
    page = office.get(f"/staff/invoices/{build.invoice('80').id}").text

    assert [one for one in AXES if f'data-state="{one}"' not in page] == []


def test_every_axis_is_a_filter(office, build):
    draft, posted = build.invoice("80"), build.posted("5")
    old = build.invoice("7", on=build.today.replace(month=1))
    batch = Batch(number="B-1", name="Monday")
    db.session.add(batch)
    draft.batch = batch
    db.session.add(AccountingPeriod(starts_on=old.invoice_date.replace(day=1),
                                    state=PeriodState.CLOSED))  # fmt: skip
    db.session.commit()

    def shown(query):
        page = office.get(f"/staff/invoices?{query}").text
        return {one for one in (draft, posted, old) if f'href="/staff/invoices/{one.id}"' in page}

    everything = {draft, posted, old}
    assert shown("state=posted") == {posted}
    assert shown("review=reviewed") == set()
    assert shown("sent=not_sent") == shown("paid=unpaid") == everything
    assert shown("batch=B-1") == shown("batch=batched") == {draft}
    assert shown("batch=unbatched") == {posted, old}
    assert shown("period=closed") == {old}
    assert shown("period=open") == {draft, posted}
    assert shown("sync=not_applicable") == everything
    assert shown("sync=bypassed") == set()
    assert "Batch B-1" in office.get("/staff/invoices").text
    assert office.get("/staff/invoices").text.count('data-state="period_closed"') == 1


def test_a_reopened_month_is_open_in_the_list_too(office, build):
    january = build.today.replace(month=1, day=1)
    for month, state in ((1, PeriodState.OPEN), (2, PeriodState.CLOSED)):
        starts_on = january.replace(month=month)
        db.session.add(AccountingPeriod(starts_on=starts_on, state=state))
    kept = build.invoice("7", on=january)
    db.session.commit()

    assert kept.number in office.get("/staff/invoices?period=open").text
    assert "Nothing fits" in office.get("/staff/invoices?period=closed").text


@pytest.fixture
def waiting(build):
    add_rule(ApprovalWords("Large", over=Money.of(100)))
    with acting_as("Olive Office (staff 77)"):
        invoice = build.invoice("150")
        review_invoice(invoice, SEEN)
    db.session.commit()
    return invoice


def test_only_an_approver_releases(app, office, build, waiting):
    address = f"/staff/invoices/{waiting.id}"
    accountant = staff_client(app, build, "Accountant")
    page = accountant.get(address).text
    assert "Large: the total is over $100.00" in page
    assert "Your role does not allow to approve invoices." in page
    assert accountant.post(f"{address}/approval").status_code == 403
    assert accountant.post(f"{address}/rejection").status_code == 403

    assert "Approve $150.00" in office.get(address).text
    office.post(f"{address}/approval", data={"version": waiting.version})

    assert state_of(waiting) is SEEN


def test_posting_what_waits_is_refused_and_says_why(office, build, waiting):
    page = office.get(f"/staff/invoices/{waiting.id}/posting").text

    assert f"Invoice {waiting.number} waits for approval." in page


def test_a_rejection_needs_its_reason(office, waiting):
    address = f"/staff/invoices/{waiting.id}/rejection"
    version = {"version": waiting.version}
    assert office.post(address, data=version).status_code == 422

    office.post(address, data=version | {"note": "Wrong unit"})

    assert state_of(waiting) is ReviewState.REJECTED
    assert "Rejected: Wrong unit" in office.get(f"/staff/invoices/{waiting.id}").text


def test_approving_ones_own_lines_is_asked_about(office, build):
    add_rule(ApprovalWords("Large", over=Money.of(100)))
    invoice = build.invoice()
    line = {"item": "Boiler", "quantity": "1", "unit_price": "900"}
    office.post(f"/staff/invoices/{invoice.id}/lines", data=line)
    office.post(f"/staff/invoices/{invoice.id}/review/reviewed")
    address = f"/staff/invoices/{invoice.id}/approval"
    version = {"version": get_invoice(invoice.id).version}

    asked = office.post(address, data=version)

    assert "Approve your own work?" in asked.text
    assert state_of(invoice) is ReviewState.PENDING_APPROVAL
    office.post(address, data=version | {"confirmed": "own work"})
    assert state_of(invoice) is SEEN


def test_the_first_page_counts_what_waits_for_the_approver(app, office, build, waiting):
    assert "To approve" in office.get("/staff/").text
    assert "To approve" not in staff_client(app, build, "Accountant").get("/staff/").text


def test_approval_rules_are_kept_in_the_settings(office, build):
    ada = build.customer("Ada Lovelace")
    assert "No approval rules" in office.get("/staff/approval-rules").text
    assert "Say what the rule looks at" in office.post(
        "/staff/approval-rules", data={"name": "All", "active": "y"}
    ).text  # fmt: skip

    typed = {"name": "Ada's large", "over": "1,500", "customer": "Ada Lovelace", "active": "y"}
    office.post("/staff/approval-rules", data=typed)

    rule = db.session.query(ApprovalRule).one()
    assert (rule.over, rule.customer, rule.active) == (Money.of(1500), ada, True)
    address = f"/staff/approval-rules/{rule.id}"
    assert 'value="Ada Lovelace"' in office.get(address).text
    typed = {"name": "Large", "over": "2000", "customer": "", "version": rule.version}
    office.post(address, data=typed)
    assert (rule.name, rule.customer, rule.active) == ("Large", None, False)
    assert "the total is over $2,000.00" in office.get("/staff/approval-rules").text


@pytest.mark.parametrize("tab", ["aging", "paid"])
def test_the_lists_of_what_left_the_queue_read_the_paid_state_with_their_rows(office, build, tab):
    for _ in range(3):
        invoice = build.posted("100")
        build.payment(invoice.customer, "10" if tab == "aging" else "100", invoice)
    db.session.commit()

    assert office.get(f"/staff/review/{tab}").status_code == 200
