"""Batches on the screen: fill, ask, post, watch, take back, print, download."""

import io

import openpyxl
import pytest
import sqlalchemy as sa

from portal.access import person_of_email
from portal.batches import add_invoices, start_batch
from portal.db import db
from portal.models import (
    AutoBatchRule,
    Batch,
    BatchState,
    Invoice,
    InvoiceState,
    PaymentState,
    PrintRun,
    PrintState,
    ReviewState,
    Role,
)
from portal.tasks import run_waiting
from tests.batches.test_posting import filled, post
from tests.conftest import count_statements, staff_client


def only_batch():
    return db.session.scalars(sa.select(Batch).order_by(Batch.id.desc())).first()


def seen_in(page):
    return page.split('name="seen" value="')[1].split('"')[0]


def answer(office, batch, when_refused="post_none"):
    here = f"/staff/batches/{batch.id}/posting"
    data = {"seen": seen_in(office.get(here).text), "when_refused": when_refused}
    return office.post(here, data=data)


def test_a_batch_is_begun_named_and_listed(office):
    assert "No batches yet" in office.get("/staff/batches").text

    office.post("/staff/batches", data={"name": "Monday, HVAC"})
    page = office.get("/staff/batches").text

    assert "B-2026-00001" in page
    assert "Monday, HVAC" in page
    here = f"/staff/batches/{only_batch().id}"
    office.post(here, data={"name": "Tuesday", "version": only_batch().version})
    assert "Tuesday" in office.get(here).text


def test_a_batch_without_a_name_is_refused_beside_the_field(office):
    reply = office.post("/staff/batches", data={"name": " "})

    assert reply.status_code == 422
    assert "Give the batch a name" in reply.text
    assert only_batch() is None


def test_a_second_press_begins_no_second_batch(office):
    data = {"name": "Monday", "once": "the same key"}

    office.post("/staff/batches", data=data)
    office.post("/staff/batches", data=data)

    assert db.session.scalar(sa.select(sa.func.count()).select_from(Batch)) == 1


def test_ticked_invoices_go_into_a_new_batch(office, build):
    ids = [build.invoice("80").id, build.invoice("20").id]
    db.session.commit()
    assert "Put into a batch …" in office.get("/staff/invoices").text

    asked = office.post("/staff/batches/choosing", data={"ids": ids}).text
    assert "Put 2 into a batch" in asked
    assert f'name="ids" value="{ids[0]}"' in asked
    reply = office.post("/staff/batches/members", data={"ids": ids, "name": "Monday"})

    page = office.get(reply.location).text
    assert "2 were put in." in page
    assert "$100.00" in page
    record = office.get(f"/staff/invoices/{ids[0]}").text
    assert "Batch B-2026-00001 · Monday" in record
    assert "is posted with it" in record


def test_what_does_not_fit_is_named_and_a_batch_of_nothing_is_not_begun(office, build):
    posted = build.posted("5")
    number = posted.document_number
    db.session.commit()

    reply = office.post("/staff/batches/members", data={"ids": posted.id, "name": "Monday"})

    assert reply.status_code == 422
    assert f"{number}: It is already posted." in reply.text
    assert only_batch() is None


def test_all_that_match_go_into_an_existing_batch(office, build):
    build.invoice("80", customer=build.customer("Ada"))
    build.invoice("20", customer=build.customer("Bob"))
    batch = start_batch("Monday")
    db.session.commit()

    page = office.get("/staff/batches/unbatched?q=ada").text
    assert "Put all 1 into a batch …" in page
    asked = office.get("/staff/batches/choosing?all=invoices&q=ada").text
    assert "Put one into a batch" in asked
    office.post("/staff/batches/members?all=invoices&q=ada", data={"batch_id": batch.id})

    names = db.session.scalars(sa.select(Invoice).where(Invoice.batch_id == batch.id)).all()
    assert [one.customer.name for one in names] == ["Ada"]


def test_the_question_names_what_it_warns_about(office, build):
    invoice = build.invoice("80")
    batch = filled(invoice)
    invoice.review_state = ReviewState.ON_HOLD
    other = build.invoice("20")
    add_invoices(batch, [other.id])
    db.session.commit()

    page = office.get(f"/staff/batches/{batch.id}/posting").text

    refused, _, warned = page.partition("Look out")
    assert "It is on hold." in refused
    assert f">{invoice.number}</a>" in refused
    assert f">{other.number}</a>" in warned


def test_the_list_that_is_ready_is_narrowed_by_review_and_leaves_out_what_is_held(office, build):
    seen, unseen, held = (build.invoice("5") for _ in range(3))
    seen.review_state, held.review_state = ReviewState.REVIEWED, ReviewState.ON_HOLD
    db.session.commit()

    page = office.get("/staff/batches/unbatched").text
    assert (seen.number in page, unseen.number in page, held.number in page) == (True, True, False)
    assert '<option value="reviewed"' in page
    assert '<option value="on_hold"' not in page
    page = office.get("/staff/batches/unbatched?review=reviewed").text
    assert (seen.number in page, unseen.number in page) == (True, False)
    assert held.number in office.get("/staff/batches/unbatched/not-ready?review=on_hold").text


def test_payments_in_no_batch_are_put_in_too(office, build):
    payment = build.payment(build.customer("Ada"), "30")
    db.session.commit()

    assert "Ada" in office.get("/staff/batches/unbatched/payments").text
    data = {"payment_ids": payment.id, "name": "Money"}
    page = office.post("/staff/batches/members", data=data, follow_redirects=True).text

    assert "One was put in." in page
    assert "$30.00" in page


def test_what_is_not_ready_says_why(office, build):
    job = build.job()
    db.session.commit()

    page = office.get("/staff/batches/unbatched/not-ready").text

    assert f"Job {job.number} is not completed yet." in page


def test_ticked_members_are_taken_out(office, build):
    batch = filled(build.invoice("1"), build.invoice("2"))
    first = db.session.scalars(sa.select(Invoice.id).order_by(Invoice.id)).first()

    office.post(f"/staff/batches/{batch.id}/removals", data={"ids": first})

    left = db.session.scalars(sa.select(Invoice.id).where(Invoice.batch_id == batch.id)).all()
    assert len(left) == 1
    assert first not in left


def test_nothing_ticked_is_told(office, build):
    batch = filled(build.invoice("1"))

    reply = office.post(f"/staff/batches/{batch.id}/removals")

    assert "Tick the invoices or payments" in reply.text


def test_posting_asks_first_with_totals_and_warnings(office, build):
    undated = build.invoice("7")
    undated.invoice_date = undated.due_date = None
    batch = filled(build.invoice("80"), build.invoice(), undated)

    page = office.get(f"/staff/batches/{batch.id}/posting").text

    assert "Post batch B-2026-00001?" in page
    assert "Manual × 3" in page
    assert "One invoice: It has no date." in page
    assert "One invoice: It has no lines: it will be bypassed." in page
    assert "3 invoices: Nobody reviewed it yet." in page
    assert 'value="post_none" checked' in page


def test_yes_posts_through_the_worker_with_a_card_that_tells_how_far(office, build):
    payment = build.payment(build.customer(), "30")
    batch = filled(build.invoice("80"), payment)

    answer(office, batch)
    here = f"/staff/batches/{batch.id}"
    watching = office.get(here).text
    assert "0 of 2." in watching
    assert f'hx-get="{here}/progress"' in watching
    assert "HX-Refresh" not in office.get(f"{here}/progress").headers
    run_waiting()

    assert office.get(f"{here}/progress").headers["HX-Refresh"] == "true"
    assert "Posted" in office.get(here).text
    assert db.session.get_one(Batch, batch.id).state is BatchState.POSTED
    assert payment.state is PaymentState.POSTED


def test_yes_to_a_batch_that_changed_meanwhile_asks_again(office, build):
    batch = filled(build.invoice("80"))
    here = f"/staff/batches/{batch.id}/posting"
    seen = seen_in(office.get(here).text)
    add_invoices(batch, [build.invoice("5").id])
    db.session.commit()

    page = office.post(here, data={"seen": seen, "when_refused": "post_none"}).text

    assert "Somebody changed the batch" in page
    assert db.session.get_one(Batch, batch.id).state is BatchState.PENDING


@pytest.mark.parametrize(
    ("choice", "words"),
    [("post_none", "Refused the last time"), ("post_rest", "taken out of the batch")],
)
def test_refusals_are_listed_with_their_reason(office, build, choice, words):
    bad = build.invoice("7")
    bad.invoice_date = bad.due_date = None
    batch = filled(build.invoice("80"), bad)

    answer(office, batch, choice)
    run_waiting()
    page = office.get(f"/staff/batches/{batch.id}").text

    assert words in page
    assert "Give the invoice a date before posting." in page
    assert f'href="/staff/invoices/{bad.id}">{bad.number}' in page


def test_a_posted_batch_is_taken_back_with_a_reason(office, build):
    invoice = build.invoice("80")
    batch = post(filled(invoice))
    here = f"/staff/batches/{batch.id}/unposting"
    assert "Unpost batch B-2026-00001?" in office.get(here).text

    refused = office.post(here, data={"because": ""})
    assert refused.status_code == 422
    assert "Say why" in refused.text
    office.post(here, data={"because": "Wrong month"})
    waiting = office.get(f"/staff/batches/{batch.id}").text
    assert "Unposting …" in waiting
    assert f"{here[: -len('/unposting')]}/progress" in waiting
    assert f'href="{here}"' not in waiting
    progress = f"/staff/batches/{batch.id}/progress"
    assert "HX-Refresh" not in office.get(progress).headers
    run_waiting()
    assert office.get(progress).headers["HX-Refresh"] == "true"

    db.session.expire_all()
    assert invoice.state is InvoiceState.PENDING
    assert invoice.document_number == "INV-2026-00001"


def test_who_may_not_post_payments_posts_no_batch_with_them(app, build):
    clerk = staff_client(app, build, "Accountant")
    batch = filled(build.payment(build.customer(), "5"))
    role = db.session.scalars(sa.select(Role).where(Role.name == "Accountant")).one()
    role.abilities = [one for one in role.abilities if one != "post payments"]
    db.session.commit()

    reply = answer(clerk, batch)

    assert reply.status_code == 403
    assert db.session.get_one(Batch, batch.id).state is BatchState.PENDING


def test_the_workbook_is_downloaded(office, build):
    batch = filled(build.invoice("80"))

    reply = office.get(f"/staff/batches/{batch.id}/batch.xlsx")

    assert "B-2026-00001.xlsx" in reply.headers["Content-Disposition"]
    assert openpyxl.load_workbook(io.BytesIO(reply.data)).sheetnames == ["Invoices", "Payments"]
    reply.close()


def test_all_are_printed_as_one_pdf_with_progress_and_a_way_to_stop(office, build):
    batch = post(filled(build.invoice("80"), build.invoice("20")))

    reply = office.post(f"/staff/batches/{batch.id}/print-runs")
    page = office.get(reply.location).text
    assert "0 of 2 documents are ready." in page
    assert "Stop" in page
    assert office.get(f"{reply.location}/documents.pdf").status_code == 404
    run_waiting()

    assert "Open the PDF" in office.get(reply.location).text
    assert office.get(f"{reply.location}/documents.pdf").data.startswith(b"%PDF")
    assert "Batch B-2026-00001" in office.get("/staff/print-runs").text


def test_printing_is_stopped_from_its_page(office, build):
    batch = filled(build.invoice("80"))
    address = office.post(f"/staff/batches/{batch.id}/print-runs").location

    office.post(f"{address}/stop")
    run_waiting()

    assert db.session.scalars(sa.select(PrintRun.state)).one() is PrintState.STOPPED


def test_printing_is_stopped_by_who_works_with_batches_or_asked_for_it(app, office, build):
    batch = filled(build.invoice("80"))
    batch_id = batch.id
    address = office.post(f"/staff/batches/{batch_id}/print-runs").location
    reader = staff_client(app, build, "Read-only")

    assert f"{address}/stop" not in reader.get(address).text
    assert reader.post(f"{address}/stop").status_code == 403
    assert reader.post(f"/staff/batches/{batch_id}/print-runs").status_code == 403
    assert 'print-runs"' not in reader.get(f"/staff/batches/{batch_id}").text.split("<main")[1]
    run = db.session.scalars(sa.select(PrintRun)).one()
    run.started_by_id = person_of_email("read-only@acme.example").id
    db.session.commit()
    assert f"{address}/stop" in reader.get(address).text
    reader.post(f"{address}/stop")
    assert db.session.scalars(sa.select(PrintRun.state)).one() is PrintState.STOPPED


def test_rules_are_kept_in_settings(office):
    assert "No rules yet" in office.get("/staff/batching-rules").text
    data = {"name": "Daily", "subject": "invoices", "only_reviewed": "y", "active": "y"}

    office.post("/staff/batching-rules", data=data)
    rule = db.session.scalars(sa.select(AutoBatchRule)).one()
    taken = office.post("/staff/batching-rules", data=data)
    here = f"/staff/batching-rules/{rule.id}"
    office.post(here, data=data | {"posts": "y", "version": rule.version})

    assert taken.status_code == 422
    assert "Another rule already has this name." in taken.text
    assert "posts what is not refused" in office.get("/staff/batching-rules").text
    assert "Daily" in office.get(here).text


def test_the_menu_counts_pending_batches(office, build):
    filled(build.invoice("80"))

    page = office.get("/staff/").text

    assert 'aria-label="1 waiting"' in page.split('href="/staff/batches"')[1][:600]


def test_a_long_batch_needs_no_more_statements(office, build):
    batch = filled(build.invoice("1"))
    with count_statements() as few:
        office.get(f"/staff/batches/{batch.id}")
    add_invoices(batch, [build.invoice("2").id for _ in range(8)])
    db.session.commit()

    with count_statements() as many:
        office.get(f"/staff/batches/{batch.id}")

    assert len(many) <= len(few) + 1


def test_a_batch_says_who_began_it_and_calls_nobody_a_rule(office, build):
    batch = filled(build.invoice("80"))

    page = office.get(f"/staff/batches/{batch.id}").text

    assert "Begun by" in page
    assert "a rule" not in page


def test_the_progress_is_told_in_numbers_people_read(office, build):
    batch = filled(build.invoice("80"))
    batch.state, batch.rows_total, batch.rows_done = BatchState.POSTING, 10_000, 4_200
    db.session.commit()

    assert "4,200 of 10,000." in office.get(f"/staff/batches/{batch.id}").text
