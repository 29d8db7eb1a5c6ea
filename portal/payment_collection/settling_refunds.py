"""The one function that turns a gateway's answer about a refund into entries on the books.

The worker, webhooks, the janitor and staff all call `settle_refund`, in any order and any
number of times.
"""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa

from portal.audit import record
from portal.company import business_day, today
from portal.db import db, in_transaction, lock_rows, reading
from portal.kernel import clock
from portal.kernel.errors import NotFound, OutsideFailure
from portal.ledger import Leg, entries_of, next_open_day, post_entry, reverse_entry
from portal.models import (
    GATEWAY_REFUND,
    LIVE_REFUNDS,
    AccountRole,
    DifferenceKind,
    Dispute,
    DisputeState,
    GatewayRefund,
    GatewayRefundState,
)
from portal.payment_collection.gateway import RefundOrder, RefundSeen, RefundState, gateway
from portal.payment_collection.retries import KEY_LIFETIME, next_look
from portal.payment_collection.unmatched import (
    Found,
    is_foreign_money,
    keep_found,
    said_in,
)
from portal.payments import undo_refund
from portal.tasks import wake


def recheck_refund(refund_id: int) -> GatewayRefundState:
    """One look of the worker, the janitor, or a person who pressed the button; idempotent."""
    if db.session.get(GatewayRefund, refund_id) is None:
        raise NotFound("No such refund.")
    db.session.rollback()
    in_transaction(lambda: _count(refund_id))
    return settle_refund(refund_id)


def settle_refund(refund_id: int) -> GatewayRefundState:
    """Ask the gateway what became of a refund, or for it, and record exactly that, once.

    The gateway is asked outside of any transaction. One that was never heard of is asked for
    with the same key; after 23 hours it is only looked for. Only a definite answer fails it; one
    that cannot be heard leaves it unknown. Ends the session's transaction.
    """
    db.session.rollback()
    with reading():
        row = db.session.get_one(GatewayRefund, refund_id, populate_existing=True)
        state, ref, made_at = row.state, row.refund_ref, row.created_at
        order = RefundOrder(row.public_id, row.payment_ref, row.amount)
        foreign = (row.gateway, row.livemode) != (gateway().name, gateway().livemode)
        db.session.rollback()
    if state is GatewayRefundState.FAILED:
        return state
    if foreign:
        words = "The payment processor it went through is no longer used."
        return in_transaction(lambda: _lost_track(refund_id, words))
    try:
        seen = gateway().look_up_refund(ref) if ref else _ask_for(order, made_at)
    except OutsideFailure as failure:
        words = str(failure)
        return in_transaction(lambda: _lost_track(refund_id, words))
    return in_transaction(lambda: record_refund(refund_id, seen))


def _ask_for(order: RefundOrder, made_at: datetime) -> RefundSeen:
    """The refund with this reference: made now, or found; FAILED when it was surely never made."""
    why = "it never reached the payment processor"
    if clock.now() - made_at < KEY_LIFETIME:
        try:
            return gateway().give_back(order)
        except OutsideFailure as failure:
            if not failure.permanent:
                raise
            why = str(failure)  # refused now; an earlier try may have been heard all the same
    found = [one for one in gateway().refunds_of(order.payment_ref)
             if one.reference == order.reference]  # fmt: skip
    if found:
        return found[0]
    return RefundSeen(RefundState.FAILED, "", order.reference, order.payment_ref, order.amount, why)


def record_refund(refund_id: int, seen: RefundSeen) -> GatewayRefundState:
    """Write down what the gateway said; idempotent, safe against racing callers.

    Late news of an earlier state change nothing.
    """
    row = lock_rows(GatewayRefund, [refund_id])[0]
    row.refund_ref = row.refund_ref or seen.refund_ref or None
    if seen.state is not RefundState.FAILED:  # nothing left, in whatever currency
        if is_foreign_money(seen.currency, row.currency):
            return _park(row, _set_apart(row, seen))
        if seen.reference == row.public_id and seen.amount != row.amount:
            return _lost_track(refund_id, _of_another_amount(row, seen))
    row.misses = 0
    match seen.state:
        case RefundState.SUCCEEDED if GATEWAY_REFUND.allows(row.state, "settle"):
            _settle(row, seen)
        case RefundState.FAILED if GATEWAY_REFUND.allows(row.state, "fail"):
            _fail(row, seen)
        case RefundState.IN_TRANSIT if GATEWAY_REFUND.allows(row.state, "accept"):
            row.state, row.failure = GatewayRefundState.IN_TRANSIT, ""
            row.next_check_at = _next(row)
    return row.state


def _set_apart(row: GatewayRefund, seen: RefundSeen) -> str:
    """Money that left in another currency is booked by a person; the sentence for them."""
    words = (
        f"The processor gave back {said_in(seen.amount, seen.currency)}; {row.amount} was asked "
        "for. It is another currency, so it is not booked: see to it there."
    )
    ref = seen.refund_ref or row.public_id
    other = DifferenceKind.OTHER_CURRENCY
    keep_found([Found(other, ref, words, row.amount, payment_id=row.payment_id)])
    return words


def _of_another_amount(row: GatewayRefund, seen: RefundSeen) -> str:
    words = f"The payment processor gave back {seen.amount} instead of {row.amount}."
    ref, other = seen.refund_ref or row.public_id, DifferenceKind.OTHER_AMOUNT
    keep_found([Found(other, ref, words, row.amount, seen.amount, row.payment_id)])
    return words


def parked_refund(gateway_name: str, ref: str) -> GatewayRefund | None:
    """The refund that waits for somebody to see to what left in another currency, locked."""
    query = sa.select(GatewayRefund.id).where(
        GatewayRefund.gateway == gateway_name,
        sa.or_(GatewayRefund.refund_ref == ref, GatewayRefund.public_id == ref),
        GatewayRefund.state.in_(LIVE_REFUNDS),
    )
    found = lock_rows(GatewayRefund, db.session.scalars(query))
    return found[0] if found and found[0].state in LIVE_REFUNDS else None


def end_parked_refund(row: GatewayRefund, *, by: str) -> None:
    """A person saw to what left in another currency: it counts as gone; it must be locked.

    Booked at what was asked for. What the processor took for it differs by the exchange, and is
    matched with its payout.
    """
    _book_settled(row, today())
    words = f"{by} saw to what went back in another currency: it counts as {row.amount}."
    record("settled", row.refund, words)


def _settle(row: GatewayRefund, seen: RefundSeen) -> None:
    _book_settled(row, _day(seen))
    record("settled", row.refund, f"{row.amount} went back to where they came from.")


def _book_settled(row: GatewayRefund, day: date) -> None:
    """Dr Refunds in Transit, Cr the clearing account: the money has left."""
    row.state = GATEWAY_REFUND.after(row.state, "settle")
    row.settled_at, row.next_check_at, row.failure = clock.now(), None, ""
    post_entry(
        on=next_open_day(max(day, row.refund.received_on)),
        memo=f"Refund to {row.payment.customer.name} settled",
        source=("gatewayrefund", row.id),
        legs=[
            Leg(AccountRole.REFUNDS_IN_TRANSIT, row.amount),
            Leg(row.payment.type.account_id, -row.amount),
        ],
    )


def _fail(row: GatewayRefund, seen: RefundSeen) -> None:
    """It came back, or never left: what was booked is reversed, the money is where it was."""
    row.state = GATEWAY_REFUND.after(row.state, "fail")
    row.next_check_at, row.failure = None, seen.failure
    entries = entries_of(row)
    undone = {one.reverses_id for one in entries}
    for entry in entries:
        if entry.reverses_id is None and entry.id not in undone:
            on = next_open_day(max(today(), entry.entry_date))
            reverse_entry(entry, on=on, memo="Refund failed after it had settled")
    undo_refund(row.refund, on=today(), because=seen.failure or "it failed", off=row.invoice)
    lost = sa.select(Dispute.id).where(
        Dispute.payment_id == row.payment_id, Dispute.state == DisputeState.LOST
    )
    for dispute_id in db.session.scalars(lost):  # what was lost may now be taken from it
        wake("dispute", dispute_id)


def _park(row: GatewayRefund, words: str) -> GatewayRefundState:
    """No more looks: a person ends it, or the gateway tells that it failed after all."""
    if row.state in LIVE_REFUNDS:
        row.failure, row.next_check_at = words, None
        if row.state is not GatewayRefundState.IN_TRANSIT:
            row.state = GATEWAY_REFUND.after(row.state, "lose_track_of")
    return row.state


def _lost_track(refund_id: int, words: str) -> GatewayRefundState:
    """We could not hear the truth: unknown, never failed; what is on its way stays so."""
    row = lock_rows(GatewayRefund, [refund_id])[0]
    if row.state not in LIVE_REFUNDS:
        return row.state
    row.misses += 1
    row.failure = words
    if row.state is not GatewayRefundState.IN_TRANSIT:
        row.state = GATEWAY_REFUND.after(row.state, "lose_track_of")
    row.next_check_at = _next(row)
    return row.state


def _count(refund_id: int) -> None:
    lock_rows(GatewayRefund, [refund_id])[0].checks += 1


def _day(seen: RefundSeen) -> date:
    return min(business_day(seen.moved_at), today()) if seen.moved_at else today()


def _next(row: GatewayRefund) -> datetime | None:
    """Ever more rarely, but a refund on its way is never forgotten."""
    return next_look(checks=row.checks, misses=row.misses, is_pending=True)
