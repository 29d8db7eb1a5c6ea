"""Booking a job and changing what was booked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from portal.audit import record
from portal.company import today
from portal.db import bump, db
from portal.jobs.events import JobBooked
from portal.kernel.errors import DomainError, InvalidFields, InvalidTransition
from portal.kernel.events import tell
from portal.ledger import next_number
from portal.models import Job, Location


@dataclass(frozen=True)
class JobWords:
    """A job as typed."""

    location: Location
    summary: str = ""
    job_type: str = ""
    business_unit_id: int | None = None
    technician_id: int | None = None
    scheduled_on: date | None = None
    purchase_order: str = ""


def book_job(words: JobWords) -> Job:
    """Book a job at a location; its customer is billed and its invoice begins at once.

    Raises DomainError when the customer or location is deactivated.
    """
    location = words.location
    if not location.active or not location.customer.active:
        raise DomainError("This customer or location is deactivated. Reactivate it first.")
    if not words.summary.strip():
        raise InvalidFields({"summary": "Say what is to be done."})
    job = Job(
        number=next_number("J", today())[0],
        customer=location.customer,
        location=location,
        notes=[],
        photos=[],
        logs=[],
        estimate=[],
    )
    _write(job, words)
    db.session.add(job)
    record("booked", job, f"Job {job.number} was booked at {location.one_line_address}.")
    tell(JobBooked(job))
    return job


def change_job(job: Job, words: JobWords, *, version: int) -> None:
    """Save what was booked; only while the job is open."""
    bump(job, version)
    if not job.is_open:
        raise InvalidTransition(f"Job {job.number} is {job.state} and cannot be changed.")
    if words.location.customer_id != job.customer_id:
        raise InvalidFields({"location": "That location belongs to another customer."})
    job.location = words.location
    _write(job, words)
    record("changed", job, f"Job {job.number} was changed.")


def _write(job: Job, words: JobWords) -> None:
    job.summary, job.job_type = words.summary.strip(), words.job_type.strip()
    job.business_unit_id, job.technician_id = words.business_unit_id, words.technician_id
    job.scheduled_on, job.purchase_order = words.scheduled_on, words.purchase_order.strip()
