"""The office's list of saved methods: what expires, what has expired, what its bank ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.db import Page, PageRequest, paginate
from portal.models import Customer, MethodState, SavedMethod
from portal.payment_collection.method_letters import last_day_of_month


class MethodWorry(StrEnum):
    """Why somebody should write to the customer."""

    EXPIRING = "expiring"
    EXPIRED = "expired"
    ENDED = "ended"


@dataclass(frozen=True)
class MethodFilter:
    """What the list of methods is narrowed to."""

    worry: MethodWorry | None = None


def find_methods(wanted: MethodFilter, page: PageRequest, *, on: date) -> Page[SavedMethod]:
    """Methods nobody removed; those that expire first come first."""
    query = (
        sa.select(SavedMethod)
        .join(Customer)
        .where(SavedMethod.state != MethodState.REMOVED)
        .options(joinedload(SavedMethod.customer))
    )
    active = SavedMethod.state == MethodState.ACTIVE
    match wanted.worry:
        case MethodWorry.EXPIRING:
            query = query.where(active, SavedMethod.expires_on == last_day_of_month(on))
        case MethodWorry.EXPIRED:
            query = query.where(active, SavedMethod.expires_on < on)
        case MethodWorry.ENDED:
            query = query.where(SavedMethod.state == MethodState.GONE)
    sorts = {"customer": Customer.name, "saved": SavedMethod.id, "expires": SavedMethod.expires_on}
    return paginate(query, page, sorts=sorts, default="expires")
