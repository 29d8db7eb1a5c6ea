"""What a careful colleague would mention before a batch is posted, asked of the database.

The same conditions serve one page of members and the count over ten thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from flask_babel import lazy_gettext as later

from portal.batches.readiness import JOB_DONE
from portal.company import company, today
from portal.db import NO_MONEY, db
from portal.ledger import closed_days
from portal.models import (
    Batch,
    Customer,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    ItemKind,
    ReviewState,
    TaxRate,
)


class BatchWarning(StrEnum):
    """In the order they are told."""

    NO_DATE = "no_date"
    JOB_NOT_DONE = "job_not_done"
    CLOSED_PERIOD = "closed_period"
    PENDING_APPROVAL = "pending_approval"
    REJECTED = "rejected"
    NO_LINES = "no_lines"
    NOT_REVIEWED = "not_reviewed"
    ON_HOLD = "on_hold"
    NO_ZONE = "no_zone"
    STALE_TAX = "stale_tax"
    NO_TECHNICIAN = "no_technician"
    ZERO_TOTAL = "zero_total"

    @property
    def sentence(self) -> Any:
        return SENTENCES[self]


W = BatchWarning
REFUSED = frozenset(
    {W.NO_DATE, W.JOB_NOT_DONE, W.CLOSED_PERIOD, W.PENDING_APPROVAL, W.REJECTED, W.ON_HOLD}
)
NAMED = 20  # members of a batch that are named beside a warning
SENTENCES = {
    W.NO_DATE: later("It has no date."),
    W.JOB_NOT_DONE: later("Its job is not completed yet."),
    W.CLOSED_PERIOD: later("Its accounting period is closed."),
    W.PENDING_APPROVAL: later("It waits for approval."),
    W.REJECTED: later("It was rejected."),
    W.NO_LINES: later("It has no lines: it will be bypassed."),
    W.NOT_REVIEWED: later("Nobody reviewed it yet."),
    W.ON_HOLD: later("It is on hold."),
    W.NO_ZONE: later("It has no tax zone: no sales tax is charged."),
    W.STALE_TAX: later("The tax zone or its rate changed since the tax was computed."),
    W.NO_TECHNICIAN: later("Material or equipment has no technician."),
    W.ZERO_TOTAL: later("Its total is zero."),
}


def warnings_of(invoice_ids: Sequence[int]) -> dict[int, list[BatchWarning]]:
    """What to look out for on each of some invoices: two statements, however many."""
    conditions = _conditions()
    query = sa.select(Invoice.id, *conditions.values()).where(Invoice.id.in_(invoice_ids))
    return {
        row[0]: [one for one, holds in zip(conditions, row[1:], strict=True) if holds]
        for row in db.session.execute(_joined(query))
    }


def refused_warnings() -> frozenset[BatchWarning]:
    """Members with one of these are refused when the batch is posted."""
    return REFUSED | {W.NOT_REVIEWED} if company().only_reviewed_posts else REFUSED


def named_in(batch: Batch, warnings: Iterable[BatchWarning]) -> dict[BatchWarning, list[Invoice]]:
    """The first members each of these is about, by number; a statement per warning."""
    conditions = _conditions()
    mine = sa.select(Invoice).where(Invoice.batch_id == batch.id).order_by(Invoice.id).limit(NAMED)
    return {one: list(db.session.scalars(_joined(mine.where(conditions[one])))) for one in warnings}


def count_warnings(batch: Batch) -> dict[BatchWarning, int]:
    """How many invoices of a batch each warning is about, those about none left out."""
    conditions = _conditions()
    sums = [sa.func.sum(sa.case((holds, 1), else_=0)) for holds in conditions.values()]
    query = sa.select(*sums).select_from(Invoice).where(Invoice.batch_id == batch.id)
    counts = db.session.execute(_joined(query)).one()
    return {one: count for one, count in zip(conditions, counts, strict=True) if count}


def _joined(query: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    return query.join(Customer, Customer.id == Invoice.customer_id)


def _conditions() -> dict[BatchWarning, sa.ColumnElement[bool]]:
    reviewed = Invoice.review_state
    return {
        W.NO_DATE: Invoice.invoice_date.is_(None),
        W.JOB_NOT_DONE: sa.not_(JOB_DONE),
        W.CLOSED_PERIOD: closed_days().where(Invoice.invoice_date),
        W.PENDING_APPROVAL: reviewed == ReviewState.PENDING_APPROVAL,
        W.REJECTED: reviewed == ReviewState.REJECTED,
        W.NO_LINES: ~sa.exists().where(InvoiceLine.invoice_id == Invoice.id),
        W.NOT_REVIEWED: reviewed == ReviewState.NEEDS_REVIEW,
        W.ON_HOLD: reviewed == ReviewState.ON_HOLD,
        W.NO_ZONE: sa.and_(Invoice.tax_zone_id.is_(None), ~_exempt()),
        W.STALE_TAX: sa.or_(_rate_without_tax(), _tax_without_rate()),
        W.NO_TECHNICIAN: sa.exists().where(
            InvoiceLine.invoice_id == Invoice.id,
            InvoiceLine.kind.in_([ItemKind.MATERIAL, ItemKind.EQUIPMENT]),
            InvoiceLine.technician_id.is_(None),
        ),
        W.ZERO_TOTAL: sa.and_(
            Invoice.total == NO_MONEY, sa.exists().where(InvoiceLine.invoice_id == Invoice.id)
        ),
    }


def _day() -> sa.ColumnElement[Any]:
    return sa.func.coalesce(Invoice.invoice_date, today())


def _exempt() -> sa.ColumnElement[bool]:
    expires = Customer.exemption_expires_on
    return sa.and_(Customer.tax_exempt, sa.or_(expires.is_(None), _day() <= expires))


def _in_force() -> sa.ColumnElement[bool]:
    """A rate of the invoice's zone on its day; nothing for who is exempt."""
    return sa.and_(
        TaxRate.zone_id == Invoice.tax_zone_id,
        TaxRate.starts_on <= _day(),
        sa.or_(TaxRate.ends_on.is_(None), TaxRate.ends_on >= _day()),
        ~_exempt(),
    )


def _same_tax() -> sa.ColumnElement[bool]:
    return sa.and_(
        InvoiceTax.invoice_id == Invoice.id,
        InvoiceTax.authority == TaxRate.authority,
        InvoiceTax.base == TaxRate.base,
        InvoiceTax.rate == TaxRate.rate,
    )


def _rate_without_tax() -> sa.ColumnElement[bool]:
    taxed = sa.select(InvoiceTax.id).where(_same_tax()).correlate(Invoice, TaxRate).exists()
    found = sa.select(TaxRate.id).where(_in_force(), ~taxed)
    return found.correlate(Invoice, Customer).exists()


def _tax_without_rate() -> sa.ColumnElement[bool]:
    rated = sa.select(TaxRate.id).where(_in_force(), _same_tax())
    found = sa.select(InvoiceTax.id).where(
        InvoiceTax.invoice_id == Invoice.id,
        ~rated.correlate(Invoice, Customer, InvoiceTax).exists(),
    )
    return found.correlate(Invoice, Customer).exists()
