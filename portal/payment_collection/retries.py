"""When to look again (after Kill Bill's janitor): ever more rarely, then a person is asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from portal.kernel import clock

UNKNOWN_RETRIES = [timedelta(minutes=5), timedelta(hours=1), *[timedelta(days=1)] * 5]
KEY_LIFETIME = timedelta(hours=23)  # gateways forget idempotency keys after a day
PENDING_RETRIES = [timedelta(hours=1), timedelta(days=1)]


def next_look(*, checks: int, misses: int, is_pending: bool) -> datetime | None:
    """`checks` counts looks so far, `misses` the failed ones in a row.

    After a failed look: 5 minutes, an hour, then five times a day later; then None, which parks
    it for a person. What is known to be pending is looked at after an hour and then daily until
    it ends, whatever fails meanwhile.
    """
    if misses and not (is_pending and misses > len(UNKNOWN_RETRIES)):
        if misses > len(UNKNOWN_RETRIES):
            return None
        return clock.now() + UNKNOWN_RETRIES[misses - 1]
    return clock.now() + PENDING_RETRIES[min(checks, len(PENDING_RETRIES) - 1)]
