"""The one company row and its business day."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from portal.db import db
from portal.kernel import clock
from portal.models import BusinessUnit, Company


def company() -> Company:
    """The company row; the session remembers it, so asking again costs nothing.

    A session holds its rows weakly, so this one is held on to by name.
    Raises LookupError in a database that was never founded.
    """
    held: Company | None = db.session.info.get("company")
    row = held if held is not None and held in db.session else db.session.get(Company, 1)
    if row is None:
        raise LookupError("This database holds no company yet: run `flask found`.")
    db.session.info["company"] = row
    return row


def business_units(*, all_of_them: bool = False) -> list[BusinessUnit]:
    """Business units by name; only active ones unless told otherwise."""
    query = sa.select(BusinessUnit).order_by(BusinessUnit.name)
    return list(db.session.scalars(query if all_of_them else query.where(BusinessUnit.active)))


def today() -> date:
    """The business date in the company's zone."""
    return clock.today(company().zone)


def business_day(instant: datetime) -> date:
    """The date of an instant in the company's zone."""
    return instant.astimezone(ZoneInfo(company().zone)).date()
