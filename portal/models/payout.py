"""What the gateway moved and paid out, matched with our books to the cent."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, named_enum
from portal.kernel.money import ZERO, Money
from portal.models.ledger import Account
from portal.models.payment import Payment


class PayoutState(StrEnum):
    ON_ITS_WAY = "on_its_way"
    PAID = "paid"
    FAILED = "failed"


class Payout(Base):
    """Money the gateway sent to the bank: the sum of its movements, to the cent.

    `difference` is what clearing keeps for it: zero when every movement was matched.
    """

    __tablename__ = "payouts"
    __table_args__ = (sa.UniqueConstraint("gateway", "payout_ref"),)

    gateway: Mapped[str]
    livemode: Mapped[bool]
    payout_ref: Mapped[str]
    amount: Mapped[Money]
    arrives_on: Mapped[date]
    state: Mapped[PayoutState] = mapped_column(named_enum(PayoutState), index=True)
    difference: Mapped[Money] = mapped_column(default=ZERO)
    matched_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(default="")


class MovementKind(StrEnum):
    """What the gateway calls a balance transaction, in our words (its reporting category)."""

    CHARGE = "charge"
    REFUND = "refund"
    REFUND_FAILURE = "refund_failure"
    DISPUTE = "dispute"
    DISPUTE_REVERSAL = "dispute_reversal"
    FEE = "fee"
    ADJUSTMENT = "adjustment"
    PAYOUT = "payout"
    PAYOUT_REVERSAL = "payout_reversal"
    OTHER = "other"


class GatewayMovement(Base):
    """One balance transaction. net = amount − fee; `problem` says why it is not matched.

    `fee` is booked once, when the movement is first seen (source: this row).
    """

    __tablename__ = "gateway_movements"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "movement_ref"),
        sa.CheckConstraint("net = amount - fee", name="net"),
        sa.Index(
            "ix_gateway_movements_unmatched",
            "id",
            sqlite_where=sa.text("problem <> ''"),
            postgresql_where=sa.text("problem <> ''"),
        ),
    )

    gateway: Mapped[str]
    livemode: Mapped[bool]
    movement_ref: Mapped[str]
    kind: Mapped[MovementKind] = mapped_column(named_enum(MovementKind))
    amount: Mapped[Money]
    fee: Mapped[Money] = mapped_column(default=ZERO)
    net: Mapped[Money]
    currency: Mapped[str] = mapped_column(default="")  # another than ours is never booked
    moved_at: Mapped[datetime]
    payment_ref: Mapped[str] = mapped_column(default="", index=True)
    source_ref: Mapped[str] = mapped_column(default="")  # charge, refund or dispute
    payout_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payouts.id"), index=True)
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    problem: Mapped[str] = mapped_column(default="")

    payout: Mapped[Payout | None] = relationship()
    payment: Mapped[Payment | None] = relationship()


class BankDeposit(Base):
    """Money that reached a bank account together, as the bank statement will show it."""

    __tablename__ = "bank_deposits"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    deposited_on: Mapped[date]
    amount: Mapped[Money]
    memo: Mapped[str] = mapped_column(default="")
    payout_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payouts.id"), unique=True)

    account: Mapped[Account] = relationship()
    payout: Mapped[Payout | None] = relationship()


class DifferenceKind(StrEnum):
    MISSING_HERE = "missing_here"
    MISSING_THERE = "missing_there"
    AMOUNT_DIFFERS = "amount_differs"
    REFUND_MISSING_HERE = "refund_missing_here"
    REFUND_MISSING_THERE = "refund_missing_there"
    OTHER_CURRENCY = "other_currency"
    OTHER_AMOUNT = "other_amount"
    OVERPAID = "overpaid"
    GIVEN_BACK_TWICE = "given_back_twice"


class GatewayDifference(Base):
    """Money a person has to see to, until it is resolved: what the nightly comparison with the
    gateway's own list found, and what came otherwise than it was asked for."""

    __tablename__ = "gateway_differences"
    __table_args__ = (
        sa.Index(
            "uq_gateway_differences_open",
            "gateway",
            "kind",
            "ref",
            unique=True,
            sqlite_where=sa.text("resolved_at IS NULL"),
            postgresql_where=sa.text("resolved_at IS NULL"),
        ),
    )

    gateway: Mapped[str]
    kind: Mapped[DifferenceKind] = mapped_column(named_enum(DifferenceKind))
    ref: Mapped[str]
    ours: Mapped[Money | None]
    theirs: Mapped[Money | None]
    sentence: Mapped[str]
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"))
    resolved_at: Mapped[datetime | None]
    resolved_by: Mapped[str] = mapped_column(default="")
    resolution: Mapped[str] = mapped_column(default="")

    payment: Mapped[Payment | None] = relationship()
