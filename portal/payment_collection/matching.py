"""Whose money a movement was: matched to our payment, refund or dispute to the cent, or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from portal.db import db
from portal.kernel.money import ZERO, Money
from portal.ledger import account_id_for
from portal.models import (
    Dispute,
    DisputeMovement,
    GatewayMovement,
    GatewayRefund,
    GatewayRefundState,
    JournalEntry,
    JournalLine,
    MovementKind,
    Payment,
    Payout,
    PayoutState,
)
from portal.payment_collection.movements import AT_A_TIME, clearing_of
from portal.payment_collection.unmatched import is_foreign_money, said_in

K = MovementKind


@dataclass(frozen=True)
class Ours:
    """What our books moved through clearing for a movement, its fee included."""

    net: Money
    payment_id: int | None = None
    problem: str = ""


def match_movements(rows: Sequence[GatewayMovement]) -> Money:
    """Match each row, say in `problem` why one is not, return what our books moved for all.

    A payment, refund or dispute movement answers for one movement only. Idempotent; needs a
    constant number of statements per 500 rows.
    """
    total = ZERO
    for start in range(0, len(rows), AT_A_TIME):
        part = rows[start : start + AT_A_TIME]
        ours = [row for row in part if not _is_foreign(row)]
        for kinds, find in FINDERS:
            wanted = [row for row in ours if row.kind in kinds]
            for row, mine in zip(wanted, find(wanted) if wanted else [], strict=True):
                row.payment_id, row.problem = mine.payment_id, mine.problem
                total += mine.net
            db.session.flush()
    return total


def _is_foreign(row: GatewayMovement) -> bool:
    """Nothing of ours can match another currency; the row says so."""
    if not is_foreign_money(row.currency):
        return False
    row.problem = (
        f"The processor moved {said_in(row.amount, row.currency)}, which is not our currency: "
        "nothing was booked for it."
    )
    return True


def _charges(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    found = {
        one.provider_ref: one
        for one in db.session.scalars(
            sa.select(Payment).where(
                Payment.provider == rows[0].gateway,
                Payment.provider_ref.in_([row.payment_ref for row in rows]),
            )
        )
    }
    taken = _taken([one.id for one in found.values()], rows)
    return [_charge(row, found.get(row.payment_ref), taken) for row in rows]


def _charge(row: GatewayMovement, payment: Payment | None, taken: dict[int, int]) -> Ours:
    fees = -row.fee  # booked when the movement was kept
    if payment is None:
        return Ours(fees, None, f"The processor received {row.amount}; no payment here is it.")
    if taken.setdefault(payment.id, row.id) != row.id:
        return Ours(
            fees, None,
            f"The processor received {row.amount} once more for payment {payment.id}, which is "
            "matched already.",
        )  # fmt: skip
    if payment.returned_on is not None:
        return Ours(
            fees, payment.id,
            f"The processor received {row.amount}; payment {payment.id} was returned here.",
        )  # fmt: skip
    ours = payment.amount + fees
    if payment.amount != row.amount:
        return Ours(
            ours, payment.id,
            f"The processor received {row.amount}; payment {payment.id} here says "
            f"{payment.amount}.",
        )  # fmt: skip
    return Ours(ours, payment.id)


def _refunds(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    query = sa.select(GatewayRefund).where(
        GatewayRefund.gateway == rows[0].gateway,
        GatewayRefund.refund_ref.in_([row.source_ref for row in rows]),
    )
    found = {one.refund_ref: one for one in db.session.scalars(query)}
    return [_refund(row, found.get(row.source_ref)) for row in rows]


def _refund(row: GatewayMovement, refund: GatewayRefund | None) -> Ours:
    gave = row.kind is K.REFUND
    what = f"The processor {'gave back' if gave else 'got back'} {abs(row.amount)}"
    fees = -row.fee
    if refund is None:
        return Ours(fees, None, f"{what}; no refund here is it.")
    ours = -refund.amount if gave else refund.amount
    failed = refund.state is GatewayRefundState.FAILED
    if gave and refund.state is not GatewayRefundState.SUCCEEDED and not failed:
        return Ours(fees, refund.refund_id, f"{what}; the refund is still on its way here.")
    if not gave and not failed:
        return Ours(fees, refund.refund_id, f"{what}; the refund did not fail here.")
    if ours != row.amount:
        return Ours(ours + fees, refund.refund_id, f"{what}; the refund here says {refund.amount}.")
    return Ours(ours + fees, refund.refund_id)


def _disputes(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    query = (
        sa.select(Dispute.dispute_ref, Dispute.payment_id, DisputeMovement)
        .outerjoin(DisputeMovement, DisputeMovement.dispute_id == Dispute.id)
        .where(
            Dispute.gateway == rows[0].gateway,
            Dispute.dispute_ref.in_([row.source_ref for row in rows]),
        )
        .order_by(DisputeMovement.id)
    )
    known: dict[str, int] = {}
    booked: dict[str, list[DisputeMovement]] = {}
    for ref, payment_id, movement in db.session.execute(query):
        known[ref] = payment_id
        booked.setdefault(ref, []).extend([movement] if movement else [])
    return [_dispute(row, known.get(row.source_ref), booked.get(row.source_ref, []))
            for row in rows]  # fmt: skip


def _dispute(row: GatewayMovement, payment_id: int | None, booked: list[DisputeMovement]) -> Ours:
    """By its reference; else by direction, each of our movements once."""
    held = row.kind is K.DISPUTE
    what = f"The processor {'held' if held else 'freed'} {abs(row.amount)} (fee {row.fee})"
    if payment_id is None:
        return Ours(ZERO, None, f"{what}; no dispute here is it.")
    same = [one for one in booked if one.movement_ref == row.movement_ref]
    alike = [one for one in booked if (one.amount < ZERO) == (row.amount < ZERO)]
    if not (same or alike):
        return Ours(ZERO, payment_id, f"{what}; the dispute here books nothing for it yet.")
    ours = (same or alike)[0]
    booked.remove(ours)
    problem = ""
    if (ours.amount, ours.fee) != (row.amount, row.fee):
        problem = f"{what}; the dispute here says {abs(ours.amount)} (fee {ours.fee})."
    return Ours(ours.amount - ours.fee, payment_id, problem)


def _fees(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    return [Ours(row.net) for row in rows]  # booked when they were kept


def _payouts(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    """A payout's own line: its amount is the payout, only a fee is a movement of its own."""
    return [Ours(-row.fee) for row in rows]


def _payout_reversals(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    query = sa.select(Payout).where(
        Payout.gateway == rows[0].gateway, Payout.payout_ref.in_([row.source_ref for row in rows])
    )
    found = {one.payout_ref: one for one in db.session.scalars(query)}
    return [_payout_reversal(row, found.get(row.source_ref)) for row in rows]


def _payout_reversal(row: GatewayMovement, payout: Payout | None) -> Ours:
    what = f"A payout of {row.amount} came back"
    if payout is None:
        return Ours(-row.fee, None, f"{what}; no payout here is it.")
    if payout.state is not PayoutState.FAILED:
        return Ours(-row.fee, None, f"{what}; payout {payout.payout_ref} did not fail here.")
    problem = "" if payout.amount == row.amount else f"{what}; it says {payout.amount} here."
    return Ours(payout.amount - row.fee, None, problem)


def _nobodys(rows: Sequence[GatewayMovement]) -> Iterable[Ours]:
    """What the processor did by itself is matched once a person booked it."""
    clearing = account_id_for(clearing_of(rows[0].livemode))
    query = (
        sa.select(JournalEntry.source_id, sa.func.sum(JournalLine.amount))
        .join(JournalLine, JournalLine.entry_id == JournalEntry.id)
        .where(
            JournalEntry.source_kind == "gatewaymovement",
            JournalEntry.source_id.in_([row.id for row in rows]),
            JournalLine.account_id == clearing,
        )
        .group_by(JournalEntry.source_id)
    )
    booked: dict[int, Money] = {row_id: amount for row_id, amount in db.session.execute(query)}  # noqa: C416
    return [_nobody(row, booked.get(row.id, ZERO)) for row in rows]


def _nobody(row: GatewayMovement, booked: Money) -> Ours:
    if booked == row.net:
        return Ours(booked, row.payment_id)
    words = f"The processor moved {row.amount} by itself. Find out why, then book it."
    return Ours(booked, None, words)


def _taken(payment_ids: Sequence[int], rows: Sequence[GatewayMovement]) -> dict[int, int]:
    """Which payments answer for which movement already: of these and of all others."""
    query = sa.select(GatewayMovement.payment_id, sa.func.min(GatewayMovement.id)).where(
        GatewayMovement.kind == K.CHARGE,
        GatewayMovement.payment_id.in_(payment_ids),
    )
    found = db.session.execute(query.group_by(GatewayMovement.payment_id))
    return {payment_id: row_id for payment_id, row_id in found if payment_id is not None}


Finder = Callable[[Sequence[GatewayMovement]], Iterable[Ours]]
FINDERS: tuple[tuple[frozenset[Any], Finder], ...] = (
    (frozenset({K.CHARGE}), _charges),
    (frozenset({K.REFUND, K.REFUND_FAILURE}), _refunds),
    (frozenset({K.DISPUTE, K.DISPUTE_REVERSAL}), _disputes),
    (frozenset({K.FEE}), _fees),
    (frozenset({K.PAYOUT}), _payouts),
    (frozenset({K.PAYOUT_REVERSAL}), _payout_reversals),
    (frozenset({K.ADJUSTMENT, K.OTHER}), _nobodys),
)
