"""The one company row and its business day."""

from __future__ import annotations

from datetime import date

from portal.db import db
from portal.kernel import clock
from portal.models import Company


def company() -> Company:
    """The company row; the session remembers it, so asking again costs nothing.

    Raises LookupError in a database that was never founded.
    """
    row = db.session.get(Company, 1)
    if row is None:
        raise LookupError("This database holds no company yet: run `flask found`.")
    return row


def today() -> date:
    """The business date in the company's zone."""
    return clock.today(company().zone)
