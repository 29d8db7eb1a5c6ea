"""Sending money back the way it came: persisted first, then asked for by the worker."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa

from portal.company import company
from portal.db import db
from portal.kernel import clock
from portal.kernel.errors import DomainError
from portal.models import LIVE_REFUNDS, GatewayRefund, Payment, RefundEffect
from portal.payment_collection.gateway import gateway, has_gateway
from portal.payments import RefundSource, RefundWords, effect_of, refund
from portal.tasks import wake

FIRST_CHECK = timedelta(minutes=5)


def gateway_problem(money: Payment) -> str | None:
    """Why this money cannot go back through the gateway, in words, or None."""
    if money.provider is None or money.provider_ref is None:
        return "This money did not come in online. Choose another way."
    if not has_gateway() or (money.provider, money.livemode) != (
        gateway().name,
        gateway().livemode,
    ):
        return "The payment processor it came by is no longer used here. Choose another way."
    return None


def send_back(source: RefundSource, words: RefundWords) -> Payment:
    """Give money back to the card or bank account it came from; it is in transit until settled.

    Books Dr Customer Deposits, Cr Refunds in Transit; the worker asks the gateway after the
    commit. Raises DomainError for what `gateway_problem` says, and what `refund` raises.
    """
    money = source.gives_back
    if problem := gateway_problem(money):
        raise DomainError(problem, field="type_id")
    reopens = effect_of(source, words) is RefundEffect.REOPENS_INVOICE
    given = refund(source, replace(words, type=money.type, through_gateway=True))
    assert money.provider is not None
    assert money.provider_ref is not None
    row = GatewayRefund(
        public_id=secrets.token_urlsafe(24),
        refund_id=given.id,
        payment_id=money.id,
        gateway=money.provider,
        livemode=money.livemode,
        payment_ref=money.provider_ref,
        amount=-given.amount,
        currency=company().currency,
        invoice=source.invoice if reopens else None,
        next_check_at=clock.now() + FIRST_CHECK,
    )
    db.session.add(row)
    db.session.flush()
    wake("gateway_refund", row.id)
    return given


def due_refunds() -> Iterable[int]:
    """Refunds on their way whose next look is due."""
    if not has_gateway():
        return []
    return db.session.scalars(
        sa.select(GatewayRefund.id)
        .where(GatewayRefund.next_check_at <= clock.now(), GatewayRefund.state.in_(LIVE_REFUNDS))
        .order_by(GatewayRefund.next_check_at)
        .limit(200)
    ).all()


def gateway_refund_of(given: Payment) -> GatewayRefund | None:
    """How this refund fares at the gateway; None for one given back another way."""
    return db.session.scalar(sa.select(GatewayRefund).where(GatewayRefund.refund_id == given.id))


def gateway_refunds_of(refunds: Sequence[Payment]) -> dict[int, GatewayRefund]:
    """The same for many, by the id of the refund."""
    ids = [one.id for one in refunds]
    found = db.session.scalars(sa.select(GatewayRefund).where(GatewayRefund.refund_id.in_(ids)))
    return {one.refund_id: one for one in found}
