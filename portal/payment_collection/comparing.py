"""The nightly comparison: the gateway's own list of payments and refunds beside ours.

A look back overlaps the days before, so that nothing falls between two nights. Each difference
is told once and stays until it is gone, or somebody explained it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import sqlalchemy as sa

from portal.company import business_day
from portal.db import db, in_transaction, lock_alone
from portal.kernel import clock
from portal.kernel.money import Money
from portal.models import (
    DifferenceKind,
    GatewayDifference,
    GatewayRefund,
    GatewayRefundState,
    MovementKind,
    Payment,
)
from portal.payment_collection.gateway import MovementSeen, PaymentListed, gateway, has_gateway
from portal.payment_collection.matching import match_movements
from portal.payment_collection.movements import keep_movements
from portal.payment_collection.unheard import hear_of
from portal.payment_collection.unmatched import (
    HOUSE,
    Found,
    is_foreign_money,
    keep_found,
    said_in,
)

COMPARED = timedelta(days=4)  # the last day, and three more that overlap
LISTED = timedelta(days=14)  # a debit begun that long ago may be received in the days compared
LOCK = "comparison with the gateway"
AT_A_TIME = 500
D, REFUND = DifferenceKind, MovementKind.REFUND
COMPARED_KINDS = (
    D.MISSING_HERE, D.MISSING_THERE, D.AMOUNT_DIFFERS, D.REFUND_MISSING_HERE,
    D.REFUND_MISSING_THERE,
)  # fmt: skip  # the others are found by settling


def compare_with_gateway() -> int:
    """Compare the last days and return how many differences are open; idempotent.

    What the processor moved in these days is kept and its fees are booked too, without waiting
    for a payout. Ends the session's transaction. Raises OutsideFailure.
    """
    if not has_gateway():
        return 0
    db.session.rollback()
    now = clock.now()
    end = now + timedelta(minutes=1)
    payments = list(gateway().payments_between(now - LISTED, end))
    movements = list(gateway().movements_between(now - LISTED, end))
    hear_of(movements)
    return in_transaction(lambda: _compare(payments, movements, since=now - COMPARED))


def _compare(
    payments: list[PaymentListed], movements: list[MovementSeen], *, since: datetime
) -> int:
    lock_alone(LOCK)
    gate = gateway()
    recent = [one for one in movements if one.moved_at >= since]
    match_movements(keep_movements(gate.name, gate.livemode, recent))
    found = [
        *_payments_missing_here(payments, since),
        *_payments_missing_there(payments, since),
        *_refunds(movements, since),
    ]
    keep_found(found)
    listed = {one.payment_ref: one.received for one in payments}
    listed |= {one.source_ref: abs(one.amount) for one in movements if one.kind == REFUND}
    _forget_what_is_gone({(one.kind, one.ref) for one in found}, listed)
    db.session.flush()
    still = sa.select(sa.func.count()).select_from(GatewayDifference)
    open_ones = GatewayDifference.resolved_at.is_(None), GatewayDifference.kind.in_(COMPARED_KINDS)
    return db.session.scalar(still.where(*open_ones)) or 0


def _payments_missing_here(listed: list[PaymentListed], since: datetime) -> Iterator[Found]:
    """Theirs beside ours: missing, or of another amount."""
    ours = _our_payments([one.payment_ref for one in listed])
    for one in listed:
        if one.received_at is not None and one.received_at < since:
            continue
        mine = ours.get(one.payment_ref)
        if is_foreign_money(one.currency):
            words = (
                f"The processor received {said_in(one.received, one.currency)}, which is not our "
                "currency: it is not recorded here."
            )
            yield Found(D.OTHER_CURRENCY, one.payment_ref, words)
        elif mine is None:
            words = f"The processor received {one.received}; it is not recorded here."
            yield Found(D.MISSING_HERE, one.payment_ref, words, None, one.received)
        elif mine.amount != one.received:
            words = f"The processor received {one.received}; we recorded {mine.amount}."
            yield Found(
                D.AMOUNT_DIFFERS, one.payment_ref, words, mine.amount, one.received, mine.id
            )


def _our_payments(refs: list[str]) -> dict[str, Payment]:
    found: dict[str, Payment] = {}
    for start in range(0, len(refs), AT_A_TIME):
        query = sa.select(Payment).where(
            Payment.provider == gateway().name,
            Payment.provider_ref.in_(refs[start : start + AT_A_TIME]),
        )
        found.update({one.provider_ref or "": one for one in db.session.scalars(query)})
    return found


def _payments_missing_there(listed: list[PaymentListed], since: datetime) -> Iterator[Found]:
    """Ours that the processor does not list: recorded by mistake, or begun long ago."""
    theirs = {one.payment_ref for one in listed}
    gate = gateway()
    query = sa.select(Payment).where(
        Payment.provider == gate.name,
        Payment.livemode == gate.livemode,
        Payment.received_on > business_day(since),
        Payment.returned_on.is_(None),
        Payment.created_at >= since,
    )
    for mine in db.session.scalars(query.order_by(Payment.id)):
        if mine.provider_ref not in theirs:
            words = f"We recorded {mine.amount}; the processor does not list it."
            yield Found(D.MISSING_THERE, mine.provider_ref or "", words, mine.amount, None, mine.id)


def _refunds(movements: list[MovementSeen], since: datetime) -> Iterator[Found]:
    theirs = {one.source_ref: one for one in movements if one.kind == REFUND}
    ours = _our_refunds(list(theirs))
    for ref, one in theirs.items():
        mine = ours.get(ref)
        if is_foreign_money(one.currency):
            if one.moved_at >= since:
                yield Found(D.OTHER_CURRENCY, ref, _gave_back_abroad(one))
        elif one.moved_at >= since and mine is None:
            words = f"The processor gave back {abs(one.amount)}; it is not recorded here."
            yield Found(D.REFUND_MISSING_HERE, ref, words, None, abs(one.amount))
        elif one.moved_at >= since and mine is not None and mine.amount != abs(one.amount):
            words = f"The processor gave back {abs(one.amount)}; we recorded {mine.amount}."
            yield Found(D.AMOUNT_DIFFERS, ref, words, mine.amount, abs(one.amount), mine.payment_id)
    for mine in _our_recent_refunds(since):
        if mine.refund_ref not in theirs:
            words = f"We recorded {mine.amount} as given back; the processor does not list it."
            ref = mine.refund_ref or mine.public_id
            yield Found(
                D.REFUND_MISSING_THERE, ref, words, mine.amount, None, mine.payment_id
            )  # fmt: skip


def _gave_back_abroad(one: MovementSeen) -> str:
    return (
        f"The processor gave back {said_in(abs(one.amount), one.currency)}, which is not our "
        "currency: it is not recorded here."
    )


def _our_refunds(refs: list[str]) -> dict[str, GatewayRefund]:
    found: dict[str, GatewayRefund] = {}
    for start in range(0, len(refs), AT_A_TIME):
        query = sa.select(GatewayRefund).where(
            GatewayRefund.gateway == gateway().name,
            GatewayRefund.refund_ref.in_(refs[start : start + AT_A_TIME]),
        )
        found.update({one.refund_ref or "": one for one in db.session.scalars(query)})
    return found


def _our_recent_refunds(since: datetime) -> Iterable[GatewayRefund]:
    gate = gateway()
    query = sa.select(GatewayRefund).where(
        GatewayRefund.gateway == gate.name,
        GatewayRefund.livemode == gate.livemode,
        GatewayRefund.state == GatewayRefundState.SUCCEEDED,
        GatewayRefund.settled_at >= since,
    )
    return db.session.scalars(query.order_by(GatewayRefund.id))


def _forget_what_is_gone(found: set[tuple[DifferenceKind, str]], listed: dict[str, Money]) -> None:
    """What agrees now is resolved by itself; `listed` is what the processor says per reference."""
    query = sa.select(GatewayDifference).where(
        GatewayDifference.gateway == gateway().name, GatewayDifference.resolved_at.is_(None)
    )
    for row in db.session.scalars(query).all():
        if row.kind is D.OVERPAID:
            if row.payment is None or not row.payment.unapplied:
                _resolve(row, "The credit was used or given back.")
        elif row.kind not in COMPARED_KINDS:
            continue  # a person says what became of it
        elif (row.kind, row.ref) not in found and _agrees(row, listed.get(row.ref, row.theirs)):
            _resolve(row, "Both lists agree now.")


def _resolve(row: GatewayDifference, words: str) -> None:
    row.resolved_at, row.resolved_by, row.resolution = clock.now(), HOUSE, words


def _agrees(row: GatewayDifference, theirs: Money | None) -> bool:
    """Whether what we hold of it by now is what they say; None is nothing, on either side."""
    payment = _our_payments([row.ref]).get(row.ref)
    refund = _our_refunds([row.ref]).get(row.ref)
    ours: Money | None = None
    if payment is not None and payment.returned_on is None:
        ours = payment.amount
    elif refund is not None and refund.state is not GatewayRefundState.FAILED:
        ours = refund.amount
    return ours == theirs
