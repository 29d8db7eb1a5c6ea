"""What the TEST GATEWAY moved: its balance transactions, computed from what happened there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from portal.kernel.money import ZERO, Money
from portal.models import MovementKind, TestCheckout, TestGatewayObject
from portal.payment_collection.port.payouts import MovementSeen

CARD_SHARE, CARD_FIXED = Decimal("0.029"), Money.of("0.30")
DEBIT_SHARE, DEBIT_MOST = Decimal("0.008"), Money.of("5.00")


def fee_of(amount: Money, method: str) -> Money:
    """2.9 % + 30¢ for a card, 0.8 % but at most $5 for a bank debit."""
    if method == "bank_debit":
        return min(amount.times(DEBIT_SHARE), DEBIT_MOST)
    return amount.times(CARD_SHARE) + CARD_FIXED


def all_movements(session: Session) -> Iterator[MovementSeen]:
    """Everything that ever moved there, in no order."""
    yield from _paid_pages(session)
    yield from _charges(session)
    for row in _objects(session, "refund"):
        yield from refund_movements(row)
    for row in _objects(session, "dispute_movement"):
        yield dispute_movement(row)
    for row in _objects(session, "payout"):
        if row.state == "failed":
            at = datetime.fromisoformat(row.data["failed_at"])
            yield _movement(row, MovementKind.PAYOUT_REVERSAL, row.amount, at, payment_ref="")


def _paid_pages(session: Session) -> Iterator[MovementSeen]:
    query = sa.select(TestCheckout).where(TestCheckout.state == "succeeded")
    for row in session.scalars(query):
        assert row.pressed_at is not None
        said = row.currency
        yield _charge(row.payment_ref, row.amount, row.method, row.pressed_at, said)


def _charges(session: Session) -> Iterator[MovementSeen]:
    """Charges of saved methods; how one was paid is told by its method, which is its parent."""
    charge, method = TestGatewayObject, aliased(TestGatewayObject)
    query = (
        sa.select(charge, method)
        .outerjoin(method, method.ref == charge.parent_ref)
        .where(charge.kind == "charge", charge.state == "succeeded")
    )
    for row, its_method in session.execute(query):
        kind = its_method.data.get("kind", "card") if its_method else "card"
        said = row.data.get("currency", "")
        yield _charge(row.ref, row.amount, kind, _moment(row, "settled_at"), said)


def refund_movements(row: TestGatewayObject) -> Iterator[MovementSeen]:
    """Money leaves when a refund is paid out; one that fails afterwards brings it back."""
    if row.state not in ("succeeded", "failed"):
        return
    at = _moment(row, "moved_at")
    yield _movement(row, MovementKind.REFUND, -row.amount, at)
    if row.state == "failed":
        yield _movement(row, MovementKind.REFUND_FAILURE, row.amount, at, suffix="_back")


def dispute_movement(row: TestGatewayObject) -> MovementSeen:
    """What a dispute took or gave back, kept there as a row of its own whose parent it is."""
    return MovementSeen(
        movement_ref=row.ref,
        kind=row.state,
        amount=row.amount,
        fee=Money(int(row.data.get("fee", 0))),
        moved_at=_moment(row, "moved_at"),
        payment_ref=row.data.get("payment_ref", ""),
        source_ref=row.parent_ref,
        currency=row.data.get("currency", ""),
    )


def _charge(
    payment_ref: str, amount: Money, method: str, at: datetime, currency: str
) -> MovementSeen:
    return MovementSeen(
        movement_ref=f"tbt_{payment_ref}",
        kind=MovementKind.CHARGE.value,
        amount=amount,
        fee=fee_of(amount, method),
        moved_at=at,
        payment_ref=payment_ref,
        source_ref=payment_ref,
        currency=currency,
    )


def _movement(
    row: TestGatewayObject,
    kind: MovementKind,
    amount: Money,
    at: datetime,
    *,
    suffix: str = "",
    payment_ref: str | None = None,
) -> MovementSeen:
    return MovementSeen(
        movement_ref=f"tbt_{row.ref}{suffix}",
        kind=kind.value,
        amount=amount,
        fee=ZERO,
        moved_at=at,
        payment_ref=row.parent_ref if payment_ref is None else payment_ref,
        source_ref=row.ref,
        currency=row.data.get("currency", ""),
    )


def _objects(session: Session, kind: str) -> Iterator[TestGatewayObject]:
    query = sa.select(TestGatewayObject).where(TestGatewayObject.kind == kind)
    yield from session.scalars(query.order_by(TestGatewayObject.id))


def _moment(row: TestGatewayObject, name: str) -> datetime:
    told = row.data.get(name)
    return datetime.fromisoformat(told) if told else row.created_at
