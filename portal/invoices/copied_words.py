"""What is copied onto an invoice when it becomes final: whom it bills, where, on which term."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict, cast

import sqlalchemy as sa

from portal.db import db
from portal.models import ON_AN_ENVELOPE, Customer, Invoice, Location, PaymentTerm, envelope_lines


class CopiedWords(TypedDict):
    """The columns of the invoice that hold them."""

    bill_to: str
    service_at: str
    term_name: str


INVOICES, PAYERS, PLACES, TERMS = (
    cast(sa.Table, model.__table__) for model in (Invoice, Customer, Location, PaymentTerm)
)
# The words alone, in one statement: the rows they come from are wide, and nothing else of them
# is looked at. Built once, since every posting runs it.
_WORDS = (
    sa.select(
        INVOICES.c.id,
        PAYERS.c.name,
        *(PAYERS.c[name] for name in ON_AN_ENVELOPE),
        PLACES.c.id,
        *(PLACES.c[name] for name in ON_AN_ENVELOPE),
        TERMS.c.name,
    )
    .join_from(INVOICES, PAYERS, INVOICES.c.customer_id == PAYERS.c.id)
    .outerjoin(PLACES, INVOICES.c.location_id == PLACES.c.id)
    .outerjoin(TERMS, INVOICES.c.term_id == TERMS.c.id)
    .where(INVOICES.c.id.in_(sa.bindparam("ids", expanding=True)))
)


def copied_words(ids: Sequence[int]) -> dict[int, CopiedWords]:
    """The words of these invoices by id, as they are now; lock the invoices first."""
    found: dict[int, CopiedWords] = {}
    for row_id, name, *rest in db.session.execute(_WORDS, {"ids": ids}):
        payer, place, service_at, term = rest[:5], rest[5], rest[6:11], rest[11]
        found[row_id] = {
            "bill_to": "\n".join([name, *envelope_lines(*payer)]),
            "service_at": "\n".join(envelope_lines(*service_at)) if place else "",
            "term_name": term or "",
        }
    return found
