"""What was used, noted and photographed on a job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import IO

from portal.audit import record
from portal.company import today
from portal.db import db
from portal.files import keep_photo
from portal.kernel import clock
from portal.kernel.errors import InvalidFields, InvalidTransition
from portal.kernel.money import Money
from portal.kernel.numbers import Quantity, UnitPrice
from portal.models import (
    EstimateLine,
    Job,
    JobLog,
    JobNote,
    JobPhoto,
    PriceBookItem,
    StoredFile,
    User,
)


@dataclass(frozen=True)
class LogWords:
    """Labor (hours), material, equipment or a fee: an item, or words with a price."""

    quantity: Quantity
    item: PriceBookItem | None = None
    description: str = ""
    unit_price: UnitPrice | None = None
    technician_id: int | None = None
    logged_on: date | None = None


def add_log(job: Job, words: LogWords) -> JobLog:
    """Log something used; InvalidFields without quantity, or without item and price."""
    _require_open(job)
    errors = _problems(words)
    if errors:
        raise InvalidFields(errors)
    log = JobLog(
        item=words.item,
        technician_id=words.technician_id or job.technician_id,
        logged_on=words.logged_on or today(),
        description=words.description.strip(),
        quantity=words.quantity,
        unit_price=words.unit_price,
    )
    job.logs.append(log)
    what = words.item.name if words.item else log.description
    record("logged", job, f"{words.quantity} × {what} was logged.")
    return log


def remove_log(job: Job, log: JobLog) -> None:
    """Take a log entry off an open job."""
    _require_open(job)
    job.logs.remove(log)
    record("log removed", job, f"{log.quantity} × {log.description} was taken off.")


def add_estimate_line(job: Job, words: LogWords) -> None:
    """Add to what the customer was told it would cost."""
    _require_open(job)
    errors = _problems(words)
    if errors:
        raise InvalidFields(errors)
    price = words.unit_price
    if price is None:
        price = words.item.unit_price if words.item else UnitPrice(0)
    name = words.item.name if words.item else ""
    job.estimate.append(
        EstimateLine(
            item=words.item,
            description=words.description.strip() or name,
            quantity=words.quantity,
            unit_price=price,
        )
    )


def estimate_total(job: Job) -> Money:
    return Money.total(line.unit_price.extend(line.quantity) for line in job.estimate)


def add_note(job: Job, text: str, *, author: User | None) -> None:
    """Add a note; allowed in every state of the job."""
    if not text.strip():
        raise InvalidFields({"text": "Write something first."})
    job.notes.append(JobNote(text=text.strip(), author=author, written_at=clock.now()))


def add_photo(job: Job, file: StoredFile, *, caption: str) -> JobPhoto:
    """Attach a stored photo; the office decides later whether the customer sees it."""
    photo = JobPhoto(file=file, caption=caption.strip())
    job.photos.append(photo)
    db.session.flush()
    record("photo added", job, f"Photo “{file.original_name}” was added.")
    return photo


def share_photo(job: Job, photo: JobPhoto, *, shared: bool) -> None:
    """Show a photo to the customer, or stop showing it."""
    photo.shared = shared
    word = "shared with the customer" if shared else "no longer shared"
    record("photo shared", job, f"Photo “{photo.file.original_name}” is {word}.")


def _problems(words: LogWords) -> dict[str, str]:
    errors = {}
    if words.quantity.scaled <= 0:
        errors["quantity"] = "Give a quantity above zero."
    if words.item is None and not words.description.strip():
        errors["description"] = "Choose an item or say what it was."
    if words.item is None and words.unit_price is None:
        errors["unit_price"] = "Give a price: this is not from the price book."
    elif words.unit_price is not None and words.unit_price < UnitPrice(0):
        errors["unit_price"] = "Give a price of zero or more; the office gives discounts."
    return errors


def _require_open(job: Job) -> None:
    db.session.flush()
    # locked, so that nothing is logged on a job that somebody completes at this moment
    db.session.refresh(job, ["state", "version"], with_for_update={"of": Job})
    if not job.is_open:
        raise InvalidTransition(f"Job {job.number} is {job.state}; nothing more can be logged.")


def attach_upload(
    job: Job, upload: IO[bytes], *, name: str, by: User | None, caption: str = ""
) -> JobPhoto:
    """Keep an uploaded photo re-encoded and attach it; InvalidFields when it is no picture."""
    kept = keep_photo(upload)
    file = StoredFile(
        key=kept.key,
        content_type=kept.content_type,
        size=kept.size,
        width=kept.width,
        height=kept.height,
        original_name=name,
        uploaded_by_id=by.id if by else None,
    )
    db.session.add(file)
    return add_photo(job, file, caption=caption)
