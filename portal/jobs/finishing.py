"""Starting, completing, reopening and cancelling a job."""

from __future__ import annotations

from datetime import date

from portal.audit import record
from portal.company import today
from portal.db import claim, db
from portal.jobs.events import JobBooked, JobCancelled, JobCompleted, JobReopened
from portal.kernel.errors import InvalidFields
from portal.kernel.events import tell
from portal.models import JOB, Job

__all__ = [
    "JobBooked",
    "JobCancelled",
    "JobCompleted",
    "JobReopened",
    "cancel_job",
    "complete_job",
    "reopen_job",
    "start_job",
]


def start_job(job: Job) -> None:
    """Booked → in progress; InvalidTransition or Conflict otherwise."""
    claim(job, state=JOB.after(job.state, "start"))
    record("started", job, f"Work on job {job.number} began.")


def complete_job(job: Job, *, on: date | None = None) -> None:
    """Done on that day (today): its invoice is dated and filled in the same transaction.

    Raises InvalidTransition, Conflict, PeriodClosed, or InvalidFields for a day to come.
    """
    day = on or today()
    if day > today():
        raise InvalidFields({"completed_on": "A job cannot be completed in the future."})
    claim(job, state=JOB.after(job.state, "complete"))
    db.session.refresh(job, ["logs"])  # with what was logged until the very moment
    job.completed_on = day
    record("completed", job, f"Job {job.number} was completed on {day.isoformat()}.")
    tell(JobCompleted(job))


def reopen_job(job: Job) -> None:
    """Done → in progress, to log what was forgotten; completing it again refills its invoice.

    Only while that invoice is Pending. Raises InvalidTransition, Conflict or PeriodClosed.
    """
    claim(job, state=JOB.after(job.state, "reopen"))
    job.completed_on = None
    record("reopened", job, f"Job {job.number} was opened again.")
    tell(JobReopened(job))


def cancel_job(job: Job, *, because: str) -> None:
    """Cancel an open job with its Pending invoice; refused while money is applied to that."""
    if not because.strip():
        raise InvalidFields({"because": "Say why the job is cancelled."})
    claim(job, state=JOB.after(job.state, "cancel"))
    job.cancelled_because = because.strip()
    record("cancelled", job, f"Job {job.number} was cancelled: {because.strip()}")
    tell(JobCancelled(job))
