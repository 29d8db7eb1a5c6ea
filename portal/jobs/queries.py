"""Finding jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from portal.db import Page, PageRequest, db, holds, holds_code, paginate
from portal.kernel.errors import NotFound
from portal.models import Customer, Job, JobLog, JobNote, JobPhoto, JobState, User


@dataclass(frozen=True)
class JobFilter:
    """What the list of jobs is narrowed to; `technician_id` also guards own jobs."""

    q: str = ""
    state: JobState | None = None
    open: bool | None = None
    technician_id: int | None = None
    customer_id: int | None = None
    scheduled_from: date | None = None
    scheduled_to: date | None = None


def get_job(job_id: int) -> Job:
    """One job with all that was logged; NotFound otherwise."""
    job = db.session.get(
        Job,
        job_id,
        options=[
            selectinload(Job.logs).joinedload(JobLog.item),
            selectinload(Job.logs).joinedload(JobLog.technician),
            selectinload(Job.notes).joinedload(JobNote.author),
            selectinload(Job.photos).joinedload(JobPhoto.file),
            selectinload(Job.estimate),
            joinedload(Job.customer),
            joinedload(Job.location),
            joinedload(Job.technician),
        ],
    )
    if job is None:
        raise NotFound("No such job.")
    return job


def find_jobs(wanted: JobFilter, page: PageRequest) -> Page[Job]:
    query = sa.select(Job).options(
        joinedload(Job.customer), joinedload(Job.location), joinedload(Job.technician)
    )
    if wanted.q:
        named = sa.select(Customer.id).where(holds(Customer.name, wanted.q))
        query = query.where(
            sa.or_(
                holds_code(Job.number, wanted.q),
                holds(Job.summary, wanted.q),
                Job.customer_id.in_(named),
            )
        )
    for column, value in (
        (Job.state, wanted.state),
        (Job.technician_id, wanted.technician_id),
        (Job.customer_id, wanted.customer_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.open is not None:
        is_open = Job.state.in_([JobState.BOOKED, JobState.IN_PROGRESS])
        query = query.where(is_open if wanted.open else ~is_open)
    if wanted.scheduled_from:
        query = query.where(Job.scheduled_on >= wanted.scheduled_from)
    if wanted.scheduled_to:
        query = query.where(Job.scheduled_on <= wanted.scheduled_to)
    sorts = {"number": Job.id, "scheduled": Job.scheduled_on, "state": Job.state}
    return paginate(query, page, sorts=sorts, default="-number")


def technicians() -> list[User]:
    query = sa.select(User).where(User.active, User.is_technician).order_by(User.name)
    return list(db.session.scalars(query))
