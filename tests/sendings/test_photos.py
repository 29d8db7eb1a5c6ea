"""Photos go along only when they are shared and small enough."""

import pytest
import sqlalchemy as sa

from portal.db import db
from portal.invoices import Sending, invoice_of_job, send_invoice
from portal.jobs import attach_upload, complete_job, share_photo, start_job
from portal.kernel.errors import DomainError, NotFound
from portal.models import Message, SendingItem
from portal.sendings import photo_bytes, shared_photos, start_run
from portal.tasks import run_waiting
from tests.jobs.test_logging import picture


@pytest.fixture
def invoice(build):
    """Of a done job with two photos, one of them shared."""
    job = build.job(items=(build.item(),))
    hidden, shared = (attach_upload(job, picture(), name="p.png", by=None) for _ in range(2))
    share_photo(job, shared, shared=True)
    start_job(job)
    complete_job(job)
    db.session.commit()
    assert hidden.shared is False
    return invoice_of_job(job)


def names():
    messages = db.session.scalars(sa.select(Message)).all()
    return [[one.filename for one in message.attachments] for message in messages]


def test_shared_photos_leave_with_the_mail(invoice, smtp):
    box = smtp()
    send_invoice(invoice, Sending(photos=shared_photos(invoice)))
    db.session.commit()
    run_waiting()

    assert names() == [[f"invoice-{invoice.number}.pdf", "photo-1.jpg"]]
    assert "Content-Type: image/jpeg" in box.mails[0]


def test_too_many_bytes_are_refused_with_a_sentence(invoice):
    (photo,) = shared_photos(invoice)
    photo.file.size = 11 * 1024 * 1024

    with pytest.raises(DomainError, match=r"11\.0 MB together; mail takes at most 10 MB"):
        send_invoice(invoice, Sending(photos=[photo]))


def test_a_photo_no_longer_shared_does_not_leave(invoice):
    (photo,) = shared_photos(invoice)
    assert photo_bytes(photo.id).startswith(b"\xff\xd8")
    photo.shared = False

    with pytest.raises(NotFound, match="no longer shared"):
        photo_bytes(photo.id)


def test_a_sending_takes_photos_along_when_asked(invoice, office):
    run = start_run([invoice.id], with_photos=True)
    db.session.commit()
    run_waiting()

    assert db.session.scalars(sa.select(SendingItem.run_id)).all() == [run.id]
    assert names() == [[f"invoice-{invoice.number}.pdf", "photo-1.jpg"]]
    message = db.session.scalars(sa.select(Message)).one()
    photo = message.attachments[1]
    reply = office.get(f"/staff/outbox/{message.id}/attachments/{photo.id}")
    assert reply.mimetype == "image/jpeg"


def test_ticking_the_box_sends_them(invoice, office):
    page = office.get(f"/staff/invoices/{invoice.id}/sending").text
    assert "The shared photo of the job" in page
    seen = {"confirmed": "yes", "seen": f"{invoice.id}.{invoice.version}", "photos": "yes",
            "to": [invoice.customer.email], "subject": "S", "body": "B"}  # fmt: skip

    office.post(f"/staff/invoices/{invoice.id}/sending", data=seen)

    assert names() == [[f"invoice-{invoice.number}.pdf", "photo-1.jpg"]]
