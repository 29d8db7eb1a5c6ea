"""The gateway's balance transactions: each kept once, what it costs booked once.

Refunds and disputes are booked by what they are about; here only the processor's fees are, and
what it charges or corrects by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import sqlalchemy as sa

from portal.audit import record
from portal.company import business_day, today
from portal.db import db, lock_alone, lock_rows
from portal.kernel.errors import DomainError, NotFound
from portal.kernel.money import Money
from portal.ledger import Entry, Leg, next_open_day, post_entries
from portal.models import AccountRole, GatewayMovement, MovementKind, Payout
from portal.payment_collection.port.payouts import MovementSeen
from portal.payment_collection.unmatched import is_foreign_money

AT_A_TIME = 500  # names in one statement
BOOKED_ELSEWHERE = frozenset({MovementKind.DISPUTE, MovementKind.DISPUTE_REVERSAL})
NOBODYS = frozenset({MovementKind.ADJUSTMENT, MovementKind.OTHER})
LOCK = "gateway movements"


def keep_movements(
    gateway_name: str, livemode: bool, seen: Sequence[MovementSeen], payout: Payout | None = None
) -> list[GatewayMovement]:
    """Store what is new and book its fees; what is known learns its payout. Idempotent.

    Returns the rows of all of them. One at a time, so that no fee is booked twice.
    """
    lock_alone(LOCK)
    known = _known(gateway_name, [one.movement_ref for one in seen])
    fresh = {
        one.movement_ref: _row(gateway_name, livemode, one)
        for one in seen
        if one.movement_ref not in known
    }
    rows = [*known.values(), *fresh.values()]
    if payout is not None:
        for row in rows:
            row.payout_id = row.payout_id or payout.id
    db.session.add_all(fresh.values())
    db.session.flush()
    post_entries([entry for row in fresh.values() for entry in _entries(row)])
    return rows


def clearing_of(livemode: bool) -> AccountRole:
    """Where money waits between the payer and the bank; test money has its own."""
    return AccountRole.GATEWAY_CLEARING if livemode else AccountRole.TEST_CLEARING


def book_as_fees(movement_id: int) -> GatewayMovement:
    """A person says that what the processor moved by itself was a cost of processing.

    Raises NotFound, or DomainError when it is no such movement or is booked already.
    """
    found = lock_rows(GatewayMovement, [movement_id])
    if not found:
        raise NotFound("No such movement.")
    movement = found[0]
    if movement.kind not in NOBODYS or not movement.problem:
        raise DomainError("Only what the processor moved by itself can be booked as its fees.")
    if is_foreign_money(movement.currency):
        raise DomainError("It moved in another currency, which these books do not keep.")
    post_entries([_entry(movement, -movement.amount, "as a person decided")])
    movement.problem = ""
    record("booked", movement, f"{movement.amount} of the processor's was booked as its fees.")
    return movement


def _known(gateway_name: str, refs: Sequence[str]) -> dict[str, GatewayMovement]:
    rows: dict[str, GatewayMovement] = {}
    for start in range(0, len(refs), AT_A_TIME):
        query = sa.select(GatewayMovement).where(
            GatewayMovement.gateway == gateway_name,
            GatewayMovement.movement_ref.in_(refs[start : start + AT_A_TIME]),
        )
        found = db.session.scalars(query.execution_options(populate_existing=True))
        rows.update({row.movement_ref: row for row in found})
    return rows


def _row(gateway_name: str, livemode: bool, seen: MovementSeen) -> GatewayMovement:
    return GatewayMovement(
        gateway=gateway_name,
        livemode=livemode,
        movement_ref=seen.movement_ref,
        kind=MovementKind(seen.kind),
        amount=seen.amount,
        fee=seen.fee,
        net=seen.amount - seen.fee,
        currency=seen.currency,
        moved_at=seen.moved_at,
        payment_ref=seen.payment_ref,
        source_ref=seen.source_ref,
        problem="It was not compared yet.",
    )


def _entries(row: GatewayMovement) -> Iterator[Entry]:
    cost = -row.net if row.kind is MovementKind.FEE else row.fee
    if cost and row.kind not in BOOKED_ELSEWHERE and not is_foreign_money(row.currency):
        yield _entry(row, cost, row.kind.value.replace("_", " "))


def _entry(row: GatewayMovement, cost: Money, what: str) -> Entry:
    return Entry(
        on=_day(row),
        memo=f"Processing fee {row.movement_ref} ({what})",
        source=("gatewaymovement", row.id),
        legs=[Leg(AccountRole.PROCESSING_FEES, cost), Leg(clearing_of(row.livemode), -cost)],
    )


def _day(row: GatewayMovement) -> date:
    """The day it moved; one in a closed month is booked on the next open day."""
    return next_open_day(min(business_day(row.moved_at), today()))
