import io

import pytest
from PIL import Image

from portal.db import PageRequest, db
from portal.jobs import (
    JobFilter,
    LogWords,
    add_estimate_line,
    add_log,
    add_note,
    attach_upload,
    complete_job,
    estimate_total,
    find_jobs,
    get_job,
    remove_log,
    share_photo,
)
from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition, NotFound
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import JobState
from tests.conftest import count_statements

ONE = Quantity.of(1)


def picture():
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), "navy").save(stream, "PNG")
    stream.seek(0)
    return stream


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        (LogWords(quantity=Quantity.of(0)), {"quantity", "description", "unit_price"}),
        (LogWords(quantity=Quantity.of(-1), description="x", unit_price=UnitPrice.of(1)),
         {"quantity"}),
        (LogWords(quantity=ONE, description="Off-catalogue part"), {"unit_price"}),
        (LogWords(quantity=ONE, unit_price=UnitPrice.of(5)), {"description"}),
        (LogWords(quantity=ONE, description="x", unit_price=UnitPrice.of(-1)), {"unit_price"}),
    ],
)  # fmt: skip
def test_a_log_needs_how_many_of_what_at_which_price(build, words, fields):
    with pytest.raises(InvalidFields) as refusal:
        add_log(build.job(), words)
    assert set(refusal.value.errors) == fields


def test_labor_is_the_jobs_technicians_unless_said_otherwise(build):
    tom, tina = (build.person(name, is_technician=True) for name in ("Tom", "Tina"))
    job = build.job()
    job.technician_id = tom.id

    own = add_log(job, LogWords(quantity=ONE, item=build.item()))
    hers = add_log(job, LogWords(quantity=ONE, item=build.item(), technician_id=tina.id))
    db.session.flush()

    assert (own.technician, hers.technician, own.logged_on) == (tom, tina, build.today)


def test_nothing_is_logged_or_taken_off_once_the_job_is_done(build):
    job = build.job(items=(build.item(),))
    complete_job(job)

    for late in (
        lambda: add_log(job, LogWords(quantity=ONE, item=build.item())),
        lambda: remove_log(job, job.logs[0]),
        lambda: add_estimate_line(job, LogWords(quantity=ONE, item=build.item())),
    ):
        with pytest.raises(InvalidTransition, match="nothing more can be logged"):
            late()


def test_a_log_can_be_taken_off_again(build):
    job = build.job(items=(build.item(), build.item()))

    remove_log(job, job.logs[0])
    db.session.flush()

    assert len(get_job(job.id).logs) == 1


def test_an_estimate_keeps_the_price_that_was_told(build):
    job, item = build.job(), build.item("100")
    add_estimate_line(job, LogWords(quantity=Quantity.of("1.5"), item=item))
    add_estimate_line(
        job, LogWords(quantity=ONE, description="Permit", unit_price=UnitPrice.of("12.50"))
    )
    item.unit_price = UnitPrice.of("999")
    db.session.flush()

    assert estimate_total(job) == Money.of("162.50")


def test_notes_are_taken_in_every_state(build):
    job, olive = build.job(), build.person()
    complete_job(job)

    add_note(job, " Gate code 1234 ", author=olive)
    with pytest.raises(InvalidFields):
        add_note(job, " ", author=olive)

    assert [(one.text, one.author) for one in job.notes] == [("Gate code 1234", olive)]


def test_a_photo_is_the_offices_until_it_is_shared(build):
    job = build.job()

    photo = attach_upload(job, picture(), name="<b>before</b>.png", by=build.person())
    assert not photo.shared
    share_photo(job, photo, shared=True)

    assert photo.shared
    assert (photo.file.width, photo.file.height) == (40, 30)


@pytest.mark.parametrize("body", [b"", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>"])
def test_what_is_no_picture_is_refused_and_nothing_kept(build, body):
    job = build.job()
    with pytest.raises(DomainError):
        attach_upload(job, io.BytesIO(body), name="x.png", by=None)
    assert job.photos == []


def test_jobs_are_found_by_number_words_customer_and_state(build):
    furnace = build.job(location=build.location(build.customer("Ada")), summary="Fix furnace 100%")
    drain = build.job(location=build.location(build.customer("Bob")), summary="Clear drain")
    complete_job(drain)

    def found(**wanted):
        return [one.number for one in find_jobs(JobFilter(**wanted), PageRequest()).rows]

    assert found(q=drain.number.lower()) == [drain.number]
    assert found(q="0%") == [furnace.number]
    assert found(q="bob") == [drain.number]
    assert found(state=JobState.BOOKED) == [furnace.number]
    assert found() == [drain.number, furnace.number]  # newest first


def test_the_list_sends_the_same_statements_however_long_it_is(build):
    def statements():
        db.session.commit()
        with count_statements() as sent:
            for job in find_jobs(JobFilter(), PageRequest()).rows:
                assert job.customer.name
                assert job.location.street
        return len(sent)

    build.job()
    few = statements()
    for _ in range(10):
        build.job()
    assert statements() == few


def test_one_that_is_not_there_is_not_found(build):
    with pytest.raises(NotFound):
        get_job(999)


def test_what_is_promised_for_nothing_costs_nothing(build):
    job = build.job()
    gift = LogWords(quantity=ONE, item=build.item("75"), unit_price=UnitPrice(0))

    add_estimate_line(job, gift)

    assert estimate_total(job) == Money.of(0)
