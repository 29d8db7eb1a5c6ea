"""Payouts and movements for reading: lists, one payout with its proof, a table to download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import IO

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from portal.company import business_day
from portal.db import NO_MONEY, Page, PageRequest, db, paginate, total_of
from portal.documents import Sheet, write_workbook
from portal.kernel.errors import NotFound
from portal.kernel.money import ZERO, Money
from portal.models import (
    AttemptState,
    BankDeposit,
    GatewayDifference,
    GatewayEvent,
    GatewayEventState,
    GatewayMovement,
    MovementKind,
    Payment,
    PaymentAttempt,
    Payout,
    PayoutState,
)


@dataclass(frozen=True)
class PayoutFilter:
    """What the list of payouts is narrowed to."""

    state: PayoutState | None = None
    matched: bool | None = None


@dataclass(frozen=True)
class MovementFilter:
    """What the list of movements is narrowed to; those without a match unless told otherwise."""

    kind: MovementKind | None = None
    every: bool | None = None


@dataclass(frozen=True)
class Proof:
    """Why a payout is right: per kind what moved and what it cost; together, what arrived."""

    rows: list[tuple[MovementKind, int, Money, Money, Money]]  # kind, how many, amount, fee, net
    moved: Money
    payout: Money
    clearing: Money  # what clearing keeps for it

    @property
    def holds(self) -> bool:
        return self.moved == self.payout and not self.clearing


@dataclass(frozen=True)
class Waiting:
    """How many rows wait for a person, per tab of "Online payments"."""

    attempts: int
    events: int
    movements: int
    differences: int
    payouts: int

    @property
    def total(self) -> int:
        return self.attempts + self.events + self.movements + self.differences + self.payouts


def find_payouts_kept(wanted: PayoutFilter, page: PageRequest) -> Page[Payout]:
    query = sa.select(Payout)
    if wanted.state:
        query = query.where(Payout.state == wanted.state)
    if wanted.matched is not None:
        has = Payout.matched_at.is_not(None)
        query = query.where(has if wanted.matched else sa.not_(has))
    sorts = {"arrives": Payout.arrives_on, "amount": Payout.amount}
    return paginate(query, page, sorts=sorts, default="-arrives")


def find_movements(wanted: MovementFilter, page: PageRequest) -> Page[GatewayMovement]:
    query = _movements()
    if not wanted.every:
        query = query.where(IS_UNMATCHED)
    if wanted.kind:
        query = query.where(GatewayMovement.kind == wanted.kind)
    return paginate(query, page, sorts=MOVEMENT_SORTS, default="-moved")


def get_payout(payout_id: int) -> Payout:
    """One payout; NotFound otherwise."""
    payout = db.session.get(Payout, payout_id)
    if payout is None:
        raise NotFound("No such payout.")
    return payout


def movements_in(payout: Payout, page: PageRequest) -> Page[GatewayMovement]:
    query = _movements().where(GatewayMovement.payout_id == payout.id)
    return paginate(query, page, sorts=MOVEMENT_SORTS, default="moved")


def deposit_of(payout: Payout) -> BankDeposit | None:
    """The bank deposit it is, once it arrived."""
    query = sa.select(BankDeposit).where(BankDeposit.payout_id == payout.id)
    return db.session.scalar(query.options(joinedload(BankDeposit.account)))


def proof_of(payout: Payout) -> Proof:
    """The sums, per kind, in one statement; the payout's own line counts with its fee only."""
    own = GatewayMovement.kind == MovementKind.PAYOUT
    query = (
        sa.select(
            GatewayMovement.kind,
            sa.func.count(),
            total_of(sa.case((own, NO_MONEY), else_=GatewayMovement.amount)),
            total_of(GatewayMovement.fee),
        )
        .where(GatewayMovement.payout_id == payout.id)
        .group_by(GatewayMovement.kind)
        .order_by(GatewayMovement.kind)
    )
    rows = [
        (kind, count, amount, fee, amount - fee)
        for kind, count, amount, fee in db.session.execute(query)
    ]
    together = Money.total(net for _kind, _count, _amount, _fee, net in rows)
    return Proof(rows, together, payout.amount, payout.difference)


def workbook_of_payout(payout: Payout) -> IO[bytes]:
    """The payout with every movement, for a spreadsheet; the caller closes the file."""
    return write_workbook([Sheet(payout.payout_ref, COLUMNS, _rows(payout))])


def waiting_online() -> Waiting:
    """What waits for a person behind "Online payments"; one statement."""
    return Waiting(*db.session.execute(_waiting()).one())


@cache
def _waiting() -> sa.Select[int, int, int, int, int]:
    """Every page of the office asks it: put together once."""
    unmatched_payout = sa.and_(Payout.state != PayoutState.ON_ITS_WAY, Payout.matched_at.is_(None))
    return sa.select(
        _count(PaymentAttempt.id, PaymentAttempt.state == AttemptState.UNKNOWN),
        _count(GatewayEvent.id, GatewayEvent.state == GatewayEventState.PARKED),
        _count(GatewayMovement.id, IS_UNMATCHED),
        _count(GatewayDifference.id, GatewayDifference.resolved_at.is_(None)),
        _count(Payout.id, unmatched_payout),
    )


COLUMNS = [
    "Day", "Movement", "Kind", "Customer", "Reference", "Amount", "Fee", "Net", "Problem",
]  # fmt: skip
# Written out, not bound: the engines use a partial index only for its very words.
IS_UNMATCHED = sa.text("gateway_movements.problem <> ''")
MOVEMENT_SORTS = {"moved": GatewayMovement.moved_at, "amount": GatewayMovement.amount}


def _movements() -> sa.Select[GatewayMovement]:
    return sa.select(GatewayMovement).options(
        joinedload(GatewayMovement.payment).joinedload(Payment.customer),
        joinedload(GatewayMovement.payout),
    )


def _rows(payout: Payout) -> Iterator[list[str | date | Money]]:
    query = _movements().where(GatewayMovement.payout_id == payout.id)
    ordered = query.order_by(GatewayMovement.moved_at, GatewayMovement.id)
    for one in db.session.scalars(ordered.execution_options(yield_per=500)):
        customer = one.payment.customer.name if one.payment else ""
        ref = one.payment_ref or one.source_ref
        words = [one.movement_ref, one.kind.value.replace("_", " "), customer, ref]
        yield [business_day(one.moved_at), *words, one.amount, one.fee, one.net, one.problem]
    words = [payout.payout_ref, "payout", "", ""]
    yield [payout.arrives_on, *words, -payout.amount, ZERO, -payout.amount, ""]


def _count(column: object, condition: object) -> sa.ScalarSelect[int]:
    query = sa.select(sa.func.count(column)).where(condition)  # type: ignore[arg-type]
    return query.scalar_subquery()
