"""What waits for somebody in the office about money that goes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

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
    since = {"since": clock.now() - SEEN_TO_WITHIN}
    requests, failed = db.session.execute(_waiting(), since).one()
    return MoneyBackWaiting(requests, failed, to_answer())


def failed_refunds() -> Sequence[GatewayRefund]:
    """Refunds that came back and nobody saw to yet, newest first."""
    query = sa.select(GatewayRefund).where(_to_see_to()).options(*_OPTIONS)
    newest = query.order_by(GatewayRefund.id.desc()).limit(100)
    return db.session.scalars(newest, {"since": clock.now() - SEEN_TO_WITHIN}).all()


def find_refunds_in_transit(page: PageRequest) -> Page[GatewayRefund]:
    """One page of refunds on their way."""
    query = sa.select(GatewayRefund).where(GatewayRefund.state.in_(LIVE_REFUNDS)).options(*_OPTIONS)
    return paginate(query, page, sorts={"begun": GatewayRefund.id}, default="-begun")


@cache
def _waiting() -> sa.Select[int, int]:
    """Every page of the office asks it: put together once; it is told `since` when."""
    wished = sa.select(sa.func.count()).where(RefundRequest.state == RefundRequestState.WAITING)
    came_back = sa.select(sa.func.count()).where(_to_see_to())
    return sa.select(
        wished.select_from(RefundRequest).scalar_subquery(), came_back.scalar_subquery()
    )


def _to_see_to() -> sa.ColumnElement[bool]:
    """Failed `since` (a parameter), and nothing was given back of the same money after that."""
    again = aliased(Payment)
    since = sa.exists(
        sa.select(again.id).where(
            again.gives_back_id == GatewayRefund.payment_id,
            again.id > GatewayRefund.refund_id,
            again.returned_on.is_(None),
        )
    )
    return sa.and_(FAILED, GatewayRefund.created_at > sa.bindparam("since"), ~since)


_OPTIONS = (joinedload(GatewayRefund.refund).joinedload(Payment.customer),)
