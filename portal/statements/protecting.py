"""Customers whom no run asks for money: bankrupt, represented, or asking for no contact."""

from __future__ import annotations

import sqlalchemy as sa

from portal.db import db
from portal.models import CollectionStanding, Customer

IS_PROTECTED = sa.or_(
    CollectionStanding.bankrupt, CollectionStanding.ceased, CollectionStanding.represented != ""
)


def protected(customer: Customer) -> str:
    """Why a run leaves this customer out, or an empty text.

    Source: assistants-and-matching.md §5. A person may still send one statement by hand, to an
    address typed for it.
    """
    found = db.session.scalars(
        sa.select(CollectionStanding).where(
            CollectionStanding.customer_id == customer.id, IS_PROTECTED
        )
    ).first()
    if found is None:
        return ""
    if found.bankrupt:
        return f"{customer.name} is bankrupt: send one by hand to whom the court named."
    if found.represented:
        return f"Only {found.represented} may be written to: send one by hand."
    return f"{customer.name} asked for no more contact."
