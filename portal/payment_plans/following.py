"""A plan's shares follow their invoices when those are corrected."""

from __future__ import annotations

import sqlalchemy as sa

from portal.db import db
from portal.invoices import InvoiceChanged
from portal.models import PaymentPlan, PlanShare, PlanState


def follow_total(event: InvoiceChanged) -> None:
    """What a running plan saw owed moves with the total, so what was paid on it stays paid.

    Offers do not follow: accepting one compares it with what is owed by then.
    """
    if not event.dearer_by:
        return
    db.session.flush()  # the invoice is written, and so locked, before its share
    query = (
        sa.select(PlanShare)
        .join(PaymentPlan, PaymentPlan.id == PlanShare.plan_id)
        .where(
            PlanShare.invoice_id == event.invoice.id,
            PlanShare.live,
            PaymentPlan.state == PlanState.ACTIVE,
        )
        .with_for_update(of=PlanShare)
        .execution_options(populate_existing=True)
    )
    for share in db.session.scalars(query).all():
        share.owed += event.dearer_by
