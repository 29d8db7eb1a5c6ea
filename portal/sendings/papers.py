"""Photos that go along with a mail: only those the office shared with the customer."""

from __future__ import annotations

from portal.db import db
from portal.files import open_file
from portal.kernel.errors import NotFound
from portal.models import Invoice, JobPhoto


def shared_photos(invoice: Invoice) -> list[JobPhoto]:
    """The photos of its job that the customer may see."""
    return [photo for photo in invoice.job.photos if photo.shared] if invoice.job else []


def photo_bytes(photo_id: int) -> bytes:
    """A photo as a mail carries it; NotFound when it is gone or no longer shared."""
    photo = db.session.get(JobPhoto, photo_id)
    if photo is None or not photo.shared:
        raise NotFound("This photo is no longer shared with the customer.")
    return open_file(photo.file.key)
