"""A dispute on the books: what the gateway really moved, and what a lost one takes.

Funds held: Dr Disputed Payments, Cr clearing. Its fee: Dr Processing Fees, Cr clearing. Given
back: the other way round. Lost: the payment counts less, Dr Customer Deposits, Cr Disputed
Payments, so that what it paid is owed again (decisions/0007). Of money that already went back
nothing can be taken: the rest is bad debt.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from portal.audit import record
from portal.company import business_day, today
from portal.db import NO_MONEY, db, insert_once
from portal.kernel.money import ZERO, Money
from portal.ledger import (
    Leg,
    account_id_for,
    entries_of,
    next_open_day,
    post_entry,
    reverse_entry,
)
from portal.models import (
    LIVE_REFUNDS,
    AccountRole,
    Dispute,
    DisputeMovement,
    DisputeState,
    GatewayRefund,
    JournalEntry,
    JournalLine,
    Payment,
)
from portal.payment_collection.port.payouts import MovementSeen
from portal.payments import MoneyGone, losses_of, record_money_gone, undo_refund

REASON = "Dispute lost"
LOOKED_FOR = timedelta(weeks=8)  # a refund that was paid out comes back from a closed account


def book_movements(dispute: Dispute, payment: Payment, seen: Sequence[MovementSeen]) -> None:
    """Book each balance transaction once; the dispute must be locked."""
    known = set(
        db.session.scalars(
            sa.select(DisputeMovement.movement_ref).where(DisputeMovement.dispute_id == dispute.id)
        )
    )
    if seen and not known and dispute.held:
        _forget_estimate(dispute)
    for one in seen:
        if one.movement_ref not in known:
            _book_movement(dispute, payment, one)


def _book_movement(dispute: Dispute, payment: Payment, seen: MovementSeen) -> None:
    row = DisputeMovement(
        dispute_id=dispute.id, movement_ref=seen.movement_ref, amount=seen.amount,
        fee=seen.fee, moved_at=seen.moved_at,
    )  # fmt: skip
    if not insert_once(row):
        return
    dispute.held -= seen.amount
    dispute.fee += seen.fee
    post_entry(
        on=next_open_day(min(business_day(seen.moved_at), today())),
        memo=f"Dispute {dispute.dispute_ref}: {'held' if seen.amount < ZERO else 'given back'}",
        source=("disputemovement", row.id),
        legs=[
            Leg(AccountRole.DISPUTED, -seen.amount),
            Leg(AccountRole.PROCESSING_FEES, seen.fee),
            Leg(payment.type.account_id, seen.amount - seen.fee),
        ],
    )


def book_loss(dispute: Dispute, payment: Payment) -> None:
    """Bring the books to what the outcome says, whatever they say now; idempotent.

    Locks the invoices of the payment, then the payment. Raises Conflict when it was applied to
    one more meanwhile.
    """
    wanted = dispute.held if dispute.state is DisputeState.LOST else ZERO
    key = f"{dispute.gateway}:dispute:{dispute.dispute_ref}:"
    losses = losses_of(key)
    taken = -Money.total(one.counts for one in losses)
    if taken > wanted:
        for one in losses:
            undo_refund(one, on=today(), because="the dispute was won after all")
        taken = ZERO
    if wanted > taken:
        gone = MoneyGone(
            amount=wanted - taken, on=today(), reason=REASON, out_of=AccountRole.DISPUTED,
            key=f"{key}{len(losses) + 1}", reference=dispute.dispute_ref,
        )  # fmt: skip
        more = record_money_gone(payment, gone)
        taken -= more.amount if more else ZERO
    _book_excess(dispute, payment, wanted - taken)


def lost_beyond() -> sa.ColumnElement[bool]:
    """Disputes that lost more than was left of their payment: money that comes back to it, e.g.
    by a refund that failed, is taken first, whether or not anybody was told of it.

    Looked for as long as a refund of that payment may fail, and some weeks after it was booked.
    """
    may_fail = sa.exists(
        sa.select(GatewayRefund.id).where(
            GatewayRefund.payment_id == Dispute.payment_id, GatewayRefund.state.in_(LIVE_REFUNDS)
        )
    )
    sums = (
        sa.select(JournalEntry.source_id)
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalEntry.source_kind == "dispute",
            JournalLine.account_id == account_id_for(AccountRole.BAD_DEBT),
        )
        .group_by(JournalEntry.source_id)
        .having(sa.func.sum(JournalLine.amount) > NO_MONEY)
    )
    lately = sums.having(sa.func.max(JournalEntry.entry_date) >= today() - LOOKED_FOR)
    return sa.or_(Dispute.id.in_(lately), sa.and_(may_fail, Dispute.id.in_(sums)))


def _book_excess(dispute: Dispute, payment: Payment, wanted: Money) -> None:
    """What was lost beyond what the payment still had is a loss of ours."""
    booked = (
        sa.select(sa.func.sum(JournalLine.amount))
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(
            JournalEntry.source_kind == "dispute",
            JournalEntry.source_id == dispute.id,
            JournalLine.account_id == account_id_for(AccountRole.BAD_DEBT),
        )
    )
    missing = wanted - (db.session.scalar(booked) or ZERO)
    if not missing:
        return
    post_entry(
        on=next_open_day(today()),
        memo=f"Dispute {dispute.dispute_ref}: lost beyond what was left of the payment",
        source=("dispute", dispute.id),
        legs=[Leg(AccountRole.BAD_DEBT, missing), Leg(AccountRole.DISPUTED, -missing)],
    )
    if missing > ZERO:
        what = f"{missing} were lost that had already been given back: they are bad debt."
        record("dispute lost", payment, what)


def _forget_estimate(dispute: Dispute) -> None:
    """Before movements were known, disputes were booked by their status: that is taken back."""
    entries = entries_of(dispute)
    undone = {one.reverses_id for one in entries}
    for entry in entries:
        if entry.reverses_id is None and entry.id not in undone:
            reverse_entry(
                entry,
                on=next_open_day(max(today(), entry.entry_date)),
                memo="Booked by what really moved",
            )
    dispute.held = ZERO
