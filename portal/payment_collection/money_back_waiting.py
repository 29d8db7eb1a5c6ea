"""What waits for somebody in the office about money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from portal.db import Page, PageRequest, db, paginate
from portal.kernel import clock
from portal.models import (
    LIVE_REFUNDS,
    GatewayRefund,
    GatewayRefundState,
    Payment,
    RefundRequest,
    RefundRequestState,
)
from portal.payment_collection.disputes import to_answer

SEEN_TO_WITHIN = timedelta(days=30)
FAILED = GatewayRefund.state == GatewayRefundState.FAILED


@dataclass(frozen=True)
class MoneyBackWaiting:
    """How much waits: requests to decide, refunds that came back, disputes to answer."""

    requests: int
    failed: int
    disputes: int

    @property
    def total(self) -> int:
        return self.requests + self.failed + self.disputes


def money_back_waiting() -> MoneyBackWaiting:
    """Counted now; a refund that came back waits until the same money goes back another way."""
    requests, failed = db.session.execute(
        sa.select(
            sa.select(sa.func.count())
            .where(RefundRequest.state == RefundRequestState.WAITING)
            .select_from(RefundRequest)
            .scalar_subquery(),
            sa.select(sa.func.count()).where(_to_see_to()).scalar_subquery(),
        )
    ).one()
    return MoneyBackWaiting(requests, failed, to_answer())


def failed_refunds() -> Sequence[GatewayRefund]:
    """Refunds that came back and nobody saw to yet, newest first."""
    query = sa.select(GatewayRefund).where(_to_see_to()).options(*_OPTIONS)
    return db.session.scalars(query.order_by(GatewayRefund.id.desc()).limit(100)).all()


def find_refunds_in_transit(page: PageRequest) -> Page[GatewayRefund]:
    """One page of refunds on their way."""
    query = sa.select(GatewayRefund).where(GatewayRefund.state.in_(LIVE_REFUNDS)).options(*_OPTIONS)
    return paginate(query, page, sorts={"begun": GatewayRefund.id}, default="-begun")


def _to_see_to() -> sa.ColumnElement[bool]:
    """Failed this month, and nothing was given back of the same money since."""
    again = aliased(Payment)
    since = sa.exists(
        sa.select(again.id).where(
            again.gives_back_id == GatewayRefund.payment_id,
            again.id > GatewayRefund.refund_id,
            again.returned_on.is_(None),
        )
    )
    return sa.and_(FAILED, GatewayRefund.created_at > clock.now() - SEEN_TO_WITHIN, ~since)


_OPTIONS = (joinedload(GatewayRefund.refund).joinedload(Payment.customer),)
