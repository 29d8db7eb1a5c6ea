"""Jobs: book, log, complete, cancel."""

from portal.jobs.booking import JobWords, book_job, change_job
from portal.jobs.finishing import (
    JobBooked,
    JobCancelled,
    JobCompleted,
    JobReopened,
    cancel_job,
    complete_job,
    reopen_job,
    start_job,
)
from portal.jobs.logging import (
    LogWords,
    add_estimate_line,
    add_log,
    add_note,
    add_photo,
    attach_upload,
    estimate_total,
    remove_log,
    share_photo,
)
from portal.jobs.queries import JobFilter, find_jobs, get_job, technicians

__all__ = [
    "JobBooked",
    "JobCancelled",
    "JobCompleted",
    "JobFilter",
    "JobReopened",
    "JobWords",
    "LogWords",
    "add_estimate_line",
    "add_log",
    "add_note",
    "add_photo",
    "attach_upload",
    "book_job",
    "cancel_job",
    "change_job",
    "complete_job",
    "estimate_total",
    "find_jobs",
    "get_job",
    "remove_log",
    "reopen_job",
    "share_photo",
    "start_job",
    "technicians",
]
