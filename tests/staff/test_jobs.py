import io

import pytest
from PIL import Image

from portal.db import db
from portal.invoices import invoice_of_job
from portal.jobs import complete_job, get_job
from portal.models import InvoiceState, Job, JobState
from tests.conftest import count_statements, staff_client

HOSTILE = "<script>alert(1)</script>"


def text(response):
    return response.get_data(as_text=True)


def again(job):
    db.session.expire_all()
    return get_job(job.id)


@pytest.fixture
def job(build):
    job = build.job(location=build.location(build.customer("Ada Lovelace")))
    db.session.commit()
    return job


def test_from_booking_to_a_filled_invoice(office, build):
    customer = build.customer("Ada Lovelace")
    place = build.location(customer)
    build.item("100", code="LAB-1")
    db.session.commit()

    chosen = office.post("/staff/jobs/new", data={"customer": "lovelace"})
    assert chosen.location.endswith(f"/staff/jobs/new?customer_id={customer.id}")
    booked = office.post(
        f"/staff/jobs?customer_id={customer.id}",
        data={"location_id": place.id, "summary": "Fix it", "scheduled_on": "2026-03-03"},
    )
    assert "its invoice begun" in text(office.get(booked.location))
    office.post(f"{booked.location}/start")
    office.post(f"{booked.location}/logs", data={"item": "LAB-1", "quantity": "1.5"})
    office.post(
        f"{booked.location}/logs", data={"item": "Odd part", "quantity": "2", "unit_price": "9.99"}
    )
    office.post(f"{booked.location}/completion")

    job = db.session.query(Job).one()
    invoice = invoice_of_job(job)
    assert job.state is JobState.DONE
    assert [str(one.total) for one in invoice.lines] == ["$150.00", "$19.98"]
    assert "Done" in text(office.get(booked.location))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"item": "", "quantity": "1", "unit_price": "5"}, "Choose an item or say what it was."),
        ({"item": "Odd part", "quantity": "1"}, "this is not from the price book"),
        ({"item": "Odd part", "quantity": "none", "unit_price": "5"}, "Give a number"),
        ({"item": "Odd part", "quantity": "-1", "unit_price": "5"}, "Give a quantity above zero."),
    ],
)
def test_a_log_that_cannot_be_billed_is_refused_and_kept(office, job, data, sentence):
    answer = office.post(f"/staff/jobs/{job.id}/logs", data=data)

    assert answer.status_code == 422
    assert sentence in text(answer)
    assert f'value="{data["quantity"]}"' in text(answer)
    assert again(job).logs == []


def test_an_estimate_is_told_before_the_work(office, job):
    office.post(
        f"/staff/jobs/{job.id}/logs",
        data={"item": "New pump", "quantity": "1", "unit_price": "450", "to": "estimate"},
    )

    page = text(office.get(f"/staff/jobs/{job.id}"))
    assert "$450.00" in page
    assert again(job).logs == []


def test_cancelling_says_why(office, job):
    path = f"/staff/jobs/{job.id}/cancellation"
    assert office.post(path, data={"because": " "}).status_code == 422

    office.post(path, data={"because": HOSTILE})

    page = text(office.get(f"/staff/jobs/{job.id}"))
    assert "Cancelled: &lt;script&gt;" in page
    assert HOSTILE not in page
    assert invoice_of_job(again(job)).state is InvoiceState.CANCELLED


@pytest.mark.parametrize("verb", ["start", "completion", "cancellation", "logs"])
def test_a_done_job_refuses_in_words(office, job, verb):
    complete_job(job)
    db.session.commit()

    answer = office.post(
        f"/staff/jobs/{job.id}/{verb}",
        data={"because": "x", "item": "Odd part", "quantity": "1", "unit_price": "1"},
    )

    assert answer.status_code == 422
    assert "done" in text(answer)
    assert again(job).state is JobState.DONE


def test_hostile_words_are_shown_as_text(office, job):
    office.post(f"/staff/jobs/{job.id}/notes", data={"text": HOSTILE})
    version = again(job).version
    office.post(
        f"/staff/jobs/{job.id}/edit",
        data={"version": version, "location_id": job.location_id, "summary": HOSTILE,
              "job_type": HOSTILE, "purchase_order": HOSTILE},
    )  # fmt: skip

    for path in (f"/staff/jobs/{job.id}", "/staff/jobs"):
        page = text(office.get(path))
        assert HOSTILE not in page
        assert "&lt;script&gt;" in page


def test_a_photo_is_kept_small_shared_and_shown_only_as_a_picture(office, job):
    picture = io.BytesIO()
    Image.new("RGB", (30, 20), "navy").save(picture, "PNG")
    picture.seek(0)
    photos = f"/staff/jobs/{job.id}/photos"

    office.post(photos, data={"photo": (picture, f"{HOSTILE}.png"), "caption": HOSTILE})
    wrong = office.post(photos, data={"photo": (io.BytesIO(b"<svg/>"), "x.svg")})

    photo = again(job).photos[0]
    assert wrong.status_code == 422
    assert HOSTILE not in text(office.get(f"/staff/jobs/{job.id}"))
    shown = office.get(f"{photos}/{photo.id}.jpg")
    assert (shown.status_code, shown.mimetype) == (200, "image/jpeg")
    office.post(f"{photos}/{photo.id}/sharing")
    assert again(job).photos[0].shared


def test_what_belongs_to_another_job_is_not_found(office, build, job):
    other = build.job(items=(build.item(),))
    db.session.commit()

    assert office.post(f"/staff/jobs/{job.id}/logs/{other.logs[0].id}/removal").status_code == 404
    assert office.get(f"/staff/jobs/{job.id}/photos/1.jpg").status_code == 404
    assert office.post("/staff/jobs/999/completion").status_code == 404


def test_another_customers_location_is_not_booked(office, build, job):
    foreign = build.location(build.customer("Bob"))
    db.session.commit()

    answer = office.post(
        f"/staff/jobs?customer_id={job.customer_id}",
        data={"location_id": foreign.id, "summary": "x"},
    )

    assert answer.status_code == 422
    assert db.session.query(Job).count() == 1


def test_a_technician_sees_their_own_jobs_and_no_customer_list(app, build, job):
    browser = staff_client(app, build, "Technician")
    mine = build.job(location=build.location(build.customer("Zoe")))
    from portal.access import person_of_email

    mine.technician_id = person_of_email("technician@acme.example").id
    db.session.commit()

    page = text(browser.get("/staff/jobs"))
    assert mine.number in page
    assert job.number not in page
    assert browser.get(f"/staff/jobs/{mine.id}").status_code == 200
    assert browser.get(f"/staff/jobs/{job.id}").status_code == 404
    assert browser.post(f"/staff/jobs/{job.id}/completion").status_code == 404
    for path in ("/staff/jobs/new", f"/staff/jobs/new?customer_id={job.customer_id}"):
        answer = browser.get(path)
        assert answer.status_code == 403
        assert "Ada" not in text(answer)
    assert browser.post("/staff/jobs/new", data={"customer": "Ada"}).status_code == 403


def test_a_retired_technician_stays_on_the_job(office, build, job):
    tom = build.person("Tom", is_technician=True)
    job.technician_id = tom.id
    db.session.flush()
    tom.active = False
    db.session.commit()

    saved = office.post(
        f"/staff/jobs/{job.id}/edit",
        data={"version": job.version, "location_id": job.location_id, "summary": "Changed",
              "technician_id": tom.id},
    )  # fmt: skip

    assert saved.status_code == 303
    assert again(job).technician_id == tom.id


def test_a_second_save_is_refused_and_keeps_what_was_typed(office, job):
    path = f"/staff/jobs/{job.id}/edit"
    data = {"version": job.version, "location_id": job.location_id, "summary": "First"}
    office.post(path, data=data)

    late = office.post(path, data={**data, "summary": "Second"})

    assert late.status_code == 422
    assert "Second" in text(late)
    assert "Saved now: First" in text(late)


def test_the_job_page_sends_the_same_statements_however_much_was_logged(office, build, job):
    def statements():
        office.get(f"/staff/jobs/{job.id}")
        with count_statements() as sent:
            office.get(f"/staff/jobs/{job.id}")
        return len(sent)

    build_log = {"quantity": "1"}
    build.item("5", code="A")
    db.session.commit()
    office.post(f"/staff/jobs/{job.id}/logs", data={"item": "A", **build_log})
    office.post(f"/staff/jobs/{job.id}/notes", data={"text": "Note"})
    few = statements()
    for n in range(4):
        build.item("5", code=f"B{n}")
        db.session.commit()
        office.post(f"/staff/jobs/{job.id}/logs", data={"item": f"B{n}", **build_log})
        office.post(f"/staff/jobs/{job.id}/notes", data={"text": "Note"})

    assert len(again(job).logs) == 5
    assert statements() == few
