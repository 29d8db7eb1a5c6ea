"""What jobs tell the rest of the house."""

from __future__ import annotations

from dataclasses import dataclass

from portal.kernel.events import Event
from portal.models import Job


@dataclass(frozen=True)
class JobBooked(Event):
    job: Job


@dataclass(frozen=True)
class JobCompleted(Event):
    job: Job


@dataclass(frozen=True)
class JobReopened(Event):
    job: Job


@dataclass(frozen=True)
class JobCancelled(Event):
    job: Job
