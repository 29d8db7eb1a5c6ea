"""Who did what, in sentences, append-only and hash-chained."""

from portal.audit.chain import Break, seal_at_commit, verify_audit
from portal.audit.since import mark_of, trail_since
from portal.audit.trail import (
    Happening,
    acting_as,
    current_actor,
    record,
    record_changes,
    record_many,
    trail_of,
)

__all__ = [
    "Break",
    "Happening",
    "acting_as",
    "current_actor",
    "mark_of",
    "record",
    "record_changes",
    "record_many",
    "seal_at_commit",
    "trail_of",
    "trail_since",
    "verify_audit",
]
