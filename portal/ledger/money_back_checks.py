"""Do refunds on their way and disputes hold against the accounts they wait on?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import sqlalchemy as sa

from portal.db import NO_MONEY, as_money, db
from portal.kernel.money import ZERO, Money
from portal.ledger.accounts import account_id_for
from portal.models import (
    LIVE_REFUNDS,
    AccountRole,
    Dispute,
    DisputeMovement,
    DisputeState,
    GatewayRefund,
    JournalLine,
    Payment,
)


def _refunds_in_transit() -> Iterator[str]:
    """What waits on the account is what the refunds on their way add up to."""
    on_way = _sum(
        sa.select(sa.func.sum(GatewayRefund.amount)).where(GatewayRefund.state.in_(LIVE_REFUNDS))
    )
    booked = -_booked(AccountRole.REFUNDS_IN_TRANSIT)  # a liability is a credit
    if booked != on_way:
        yield f"Refunds in Transit holds {booked}; the refunds on their way are {on_way}."


@cache
def _gateway_refunds_query() -> sa.Executable:
    counts = sa.case((Payment.returned_on.is_(None), as_money(-Payment.amount)), else_=NO_MONEY)
    failed = GatewayRefund.state.not_in([*LIVE_REFUNDS, "succeeded"])
    wanted = sa.case((failed, NO_MONEY), else_=GatewayRefund.amount)
    return (
        sa.select(GatewayRefund.refund_id, GatewayRefund.state, counts, wanted)
        .join(Payment, Payment.id == GatewayRefund.refund_id)
        .where(counts != wanted)
        .order_by(GatewayRefund.id)
    )


def _gateway_refunds() -> Iterator[str]:
    """Each has its refund of just that amount, which counts until it failed."""
    for refund_id, state, counted, should in db.session.execute(_gateway_refunds_query()):
        yield f"Refund {refund_id} is {state} and counts {counted}; it should count {should}."


@cache
def _disputes_query() -> sa.Executable:
    moved = (
        sa.select(
            DisputeMovement.dispute_id,
            sa.func.sum(DisputeMovement.amount).label("amount"),
            sa.func.sum(DisputeMovement.fee).label("fee"),
        )
        .group_by(DisputeMovement.dispute_id)
        .subquery()
    )
    return (
        sa.select(Dispute.dispute_ref, Dispute.held, as_money(-moved.c.amount))
        .join(moved, moved.c.dispute_id == Dispute.id)
        .where(sa.or_(Dispute.held != -moved.c.amount, Dispute.fee != moved.c.fee))
        .order_by(Dispute.id)
    )


def _disputes() -> Iterator[str]:
    """Each dispute holds what its movements say; the account holds what is not decided."""
    for ref, held, should in db.session.execute(_disputes_query()):
        yield f"Dispute {ref} says {held} are held; what the gateway moved says {should}."
    undecided = sa.select(sa.func.sum(Dispute.held)).where(Dispute.state != DisputeState.LOST)
    holds, booked = _sum(undecided), _booked(AccountRole.DISPUTED)
    if booked != holds:
        yield f"Disputed Payments holds {booked}; disputes that are not lost hold {holds}."


def _booked(role: AccountRole) -> Money:
    mine = JournalLine.account_id == account_id_for(role)
    return _sum(sa.select(sa.func.sum(JournalLine.amount)).where(mine))


def _sum(query: sa.Select[Money]) -> Money:
    return db.session.scalar(query) or ZERO


MONEY_BACK_CHECKS = (_refunds_in_transit, _gateway_refunds, _disputes)
