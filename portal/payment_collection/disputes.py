"""What payers' banks ask back: heard of by webhook, known from the gateway, booked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.audit import record
from portal.db import (
    NO_MONEY,
    Page,
    PageRequest,
    db,
    in_transaction,
    insert_once,
    lock_rows,
    paginate,
)
from portal.kernel import clock
from portal.kernel.errors import NotFound, OutsideFailure
from portal.models import (
    DifferenceKind,
    Dispute,
    DisputeMovement,
    DisputeState,
    GatewayEventState,
    Payment,
)
from portal.payment_collection.dispute_booking import book_loss, book_movements, lost_beyond
from portal.payment_collection.gateway import DisputeSeen, gateway, has_gateway
from portal.payment_collection.patience import patiently
from portal.payment_collection.refunds_elsewhere import payment_of
from portal.payment_collection.unmatched import (
    Found,
    is_foreign_money,
    keep_found,
    said_in,
)

S = DisputeState
HOLDS = frozenset({S.OPEN, S.UNDER_REVIEW})  # the payment is marked while one of these
LIVE = HOLDS | {S.INQUIRY}
# Older news never undo newer ones: an inquiry may end, or become a dispute, which is decided.
_RANK = {S.INQUIRY: 0, S.CLOSED: 1, S.OPEN: 2, S.UNDER_REVIEW: 2, S.WON: 3, S.LOST: 3}
_SAID = {
    S.INQUIRY: "The payer's bank asks about {a}: {r}. It holds no money for it.",
    S.OPEN: "The payer's bank disputes {a}: {r}.",
    S.UNDER_REVIEW: "The dispute over {a} is under review at the bank.",
    S.WON: "The dispute over {a} was won.",
    S.LOST: "The dispute over {a} was lost.",
    S.CLOSED: "The bank's inquiry about {a} was closed.",
}
_VERBS = {
    S.INQUIRY: "inquiry", S.OPEN: "disputed", S.UNDER_REVIEW: "dispute reviewed",
    S.WON: "dispute won", S.LOST: "dispute lost", S.CLOSED: "inquiry closed",
}  # fmt: skip


@dataclass(frozen=True)
class DisputeFilter:
    """What the list of disputes is narrowed to."""

    state: DisputeState | None = None


def look_at_dispute(dispute_ref: str) -> tuple[GatewayEventState, str]:
    """Ask the gateway about a dispute and record exactly that, once, in any order.

    WAITING while its payment is not known here, PARKED when the gateway knows no such dispute.
    Ends the session's transaction. Raises OutsideFailure.
    """
    db.session.rollback()
    try:
        seen = gateway().look_up_dispute(dispute_ref)
    except OutsideFailure as failure:
        if not failure.missing:
            raise
        return GatewayEventState.PARKED, str(failure)
    return record_dispute(seen)


def record_dispute(seen: DisputeSeen) -> tuple[GatewayEventState, str]:
    """Write down what the gateway said; idempotent, safe against racing callers."""
    apart = in_transaction(lambda: _set_apart(seen))
    dispute_id = in_transaction(lambda: _begin(seen, is_ours=not apart))
    if dispute_id is None and not apart:
        return GatewayEventState.WAITING, "No payment of ours belongs to this dispute."
    if dispute_id is None:
        return GatewayEventState.PARKED, apart
    state = patiently(lambda: _follow(dispute_id, seen, is_ours=not apart))
    if apart:
        return GatewayEventState.PARKED, apart
    return GatewayEventState.HANDLED, f"The dispute is {state}."


def recheck_dispute(dispute_id: int) -> DisputeState:
    """One look of the worker, the daily turn, or a person who pressed the button."""
    dispute = db.session.get(Dispute, dispute_id, populate_existing=True)
    if dispute is None:
        raise NotFound("No such dispute.")
    if has_gateway() and dispute.gateway == gateway().name:
        look_at_dispute(dispute.dispute_ref)
    return db.session.get_one(Dispute, dispute_id, populate_existing=True).state


def recheck_disputes() -> None:
    """Every dispute that is not over, or whose money is not where its outcome says; daily."""
    over = Dispute.state.in_((S.WON, S.CLOSED))
    unmoved = ~sa.exists(
        sa.select(DisputeMovement.id).where(DisputeMovement.dispute_id == Dispute.id)
    )
    open_ = sa.or_(
        Dispute.state.in_(LIVE),
        sa.and_(over, Dispute.held != NO_MONEY),
        sa.and_(unmoved, Dispute.held != NO_MONEY),  # booked by its status, long ago
        sa.and_(Dispute.state == S.LOST, lost_beyond()),  # a refund may have come back since
    )
    ids = list(db.session.scalars(sa.select(Dispute.id).where(open_).order_by(Dispute.id)))
    db.session.rollback()
    for dispute_id in ids:
        try:
            recheck_dispute(dispute_id)
        except OutsideFailure:
            db.session.rollback()  # tomorrow again


def find_disputes(wanted: DisputeFilter, page: PageRequest) -> Page[Dispute]:
    """One page of disputes; those to answer first by their day."""
    query = sa.select(Dispute).options(joinedload(Dispute.payment).joinedload(Payment.customer))
    if wanted.state:
        query = query.where(Dispute.state == wanted.state)
    sorts = {"heard": Dispute.id, "due": Dispute.answer_by, "amount": Dispute.amount}
    return paginate(query, page, sorts=sorts, default="-heard")


def get_dispute(dispute_id: int) -> Dispute:
    """One dispute with its payment; NotFound otherwise."""
    options = [joinedload(Dispute.payment).joinedload(Payment.customer)]
    dispute = db.session.get(Dispute, dispute_id, options=options)
    if dispute is None:
        raise NotFound("No such dispute.")
    return dispute


def disputes_of(payment: Payment) -> list[Dispute]:
    """Every dispute about this money, oldest first."""
    query = sa.select(Dispute).where(Dispute.payment_id == payment.id).order_by(Dispute.id)
    return list(db.session.scalars(query))


def movements_of(dispute: Dispute) -> Sequence[DisputeMovement]:
    """What the gateway moved for it, in order."""
    query = sa.select(DisputeMovement).where(DisputeMovement.dispute_id == dispute.id)
    return list(db.session.scalars(query.order_by(DisputeMovement.moved_at, DisputeMovement.id)))


def to_answer() -> int:
    """How many disputes wait for our answer."""
    return db.session.scalar(_to_answer(), {"now": clock.now()}) or 0


@cache
def _to_answer() -> sa.Select[int]:
    """Every page of the office asks it: put together once; it is told what is `now`."""
    return sa.select(sa.func.count()).where(
        Dispute.state.in_((S.OPEN, S.INQUIRY)),
        Dispute.answered_at.is_(None),
        Dispute.file_key == "",
        sa.or_(Dispute.answer_by.is_(None), Dispute.answer_by > sa.bindparam("now")),
    )


def _set_apart(seen: DisputeSeen) -> str:
    """What a bank asks back in another currency is booked by a person; the sentence for them."""
    every = {seen.currency, *(one.currency for one in seen.movements)}
    other = next((one for one in sorted(every) if is_foreign_money(one)), "")
    if not other:
        return ""
    words = (
        f"The payer's bank disputes {said_in(seen.amount, seen.currency or other)}, or money moved "
        f"for it, in {other}: that is not our currency, so it is not booked. See to it there."
    )
    keep_found([Found(DifferenceKind.OTHER_CURRENCY, seen.dispute_ref, words)])
    return words


def _begin(seen: DisputeSeen, *, is_ours: bool) -> int | None:
    """The dispute's row, made when it is first heard of; None before its payment is known.

    One whose money is not ours is about the whole payment: its amount would be of another kind.
    """
    payment = payment_of(seen.payment_ref)
    if payment is None:
        return None
    known = sa.select(Dispute.id).where(Dispute.dispute_ref == seen.dispute_ref)
    if (dispute_id := db.session.scalar(known)) is not None:
        return dispute_id
    lock_rows(Payment, [payment.id])
    first = S.INQUIRY if seen.outcome in (S.INQUIRY, S.CLOSED) else S.OPEN
    dispute = Dispute(
        gateway=gateway().name, dispute_ref=seen.dispute_ref, payment_id=payment.id,
        amount=seen.amount if is_ours else payment.amount, reason=seen.reason, state=first,
        answer_by=seen.answer_by,
    )  # fmt: skip
    if insert_once(dispute):
        _tell(dispute, payment)
        _mark(payment)
    return db.session.scalars(known).one()


def _follow(dispute_id: int, seen: DisputeSeen, *, is_ours: bool) -> DisputeState:
    """Its state and mark; what moved for it is booked only when the money `is_ours`."""
    dispute = lock_rows(Dispute, [dispute_id])[0]
    payment = db.session.get_one(Payment, dispute.payment_id)
    if is_ours:
        book_movements(dispute, payment, seen.movements)
    state = DisputeState(seen.outcome)
    if state is not dispute.state and _RANK[state] >= _RANK[dispute.state]:
        dispute.state = state
        _tell(dispute, payment)
    dispute.answer_by = seen.answer_by or dispute.answer_by
    db.session.flush()
    if is_ours:
        book_loss(dispute, payment)
    lock_rows(Payment, [payment.id])
    _mark(payment)
    return dispute.state


def _mark(payment: Payment) -> None:
    """Money a bank asks back is nobody's to use; the payment must be locked."""
    db.session.flush()
    query = sa.select(sa.func.count()).where(
        Dispute.payment_id == payment.id, Dispute.state.in_(HOLDS)
    )
    payment.disputed = bool(db.session.scalar(query))
    db.session.flush()


def _tell(dispute: Dispute, payment: Payment) -> None:
    words = _SAID[dispute.state].format(a=dispute.amount, r=dispute.reason)
    record(_VERBS[dispute.state], payment, words)
    db.session.flush()
    record(_VERBS[dispute.state], dispute, words)
