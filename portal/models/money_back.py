"""Money that goes back through the gateway: refunds on their way, disputes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.models.user import User


class RefundRequestState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"


REFUND_REQUEST = Lifecycle[RefundRequestState](
    "this request",
    {
        "approve": (frozenset({RefundRequestState.WAITING}), RefundRequestState.APPROVED),
        "decline": (frozenset({RefundRequestState.WAITING}), RefundRequestState.DECLINED),
    },
)


class RefundRequest(Versioned, Base):
    """A refund above the limit, waiting for a second person; `words` is the filled-in form.

    Nothing is booked before it is approved; the money is checked again then.
    """

    __tablename__ = "refund_requests"

    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    source_key: Mapped[str]  # which money of the payment: RefundSource.key
    amount: Mapped[Money]
    words: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    state: Mapped[RefundRequestState] = mapped_column(
        named_enum(RefundRequestState), default=RefundRequestState.WAITING, index=True
    )
    asked_by_id: Mapped[int] = mapped_column(sa.ForeignKey("users.id"))
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str] = mapped_column(default="")
    refund_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"), unique=True)

    payment: Mapped[Payment] = relationship(foreign_keys=[payment_id])
    refund: Mapped[Payment | None] = relationship(foreign_keys=[refund_id])
    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])


class GatewayRefundState(StrEnum):
    """Unknown is not failed: only a definite answer of the gateway makes `failed`."""

    CREATED = "created"
    IN_TRANSIT = "in_transit"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


LIVE_REFUNDS = frozenset(
    {GatewayRefundState.CREATED, GatewayRefundState.IN_TRANSIT, GatewayRefundState.UNKNOWN}
)
GATEWAY_REFUND = Lifecycle[GatewayRefundState](
    "this refund",
    {
        "accept": (LIVE_REFUNDS, GatewayRefundState.IN_TRANSIT),
        "lose_track_of": (LIVE_REFUNDS, GatewayRefundState.UNKNOWN),
        "settle": (LIVE_REFUNDS, GatewayRefundState.SUCCEEDED),
        # a refund that was paid out may still come back from a closed account
        "fail": (LIVE_REFUNDS | {GatewayRefundState.SUCCEEDED}, GatewayRefundState.FAILED),
    },
)


class GatewayRefund(Base):
    """A refund on its way through the gateway; persisted before the gateway hears of it.

    `refund` is its negative row of payments, booked to Refunds in Transit until it settles.
    `public_id` is the reference and idempotency key. `invoice` is what it was taken off, and
    where the money goes again should the refund fail.
    """

    __tablename__ = "gateway_refunds"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.UniqueConstraint("gateway", "refund_ref"),
        sa.Index(
            "ix_gateway_refunds_due",
            "next_check_at",
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        ),
    )

    public_id: Mapped[str] = mapped_column(sa.String(43), unique=True)
    refund_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), unique=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    gateway: Mapped[str]
    livemode: Mapped[bool]
    payment_ref: Mapped[str]
    refund_ref: Mapped[str | None]
    amount: Mapped[Money]
    currency: Mapped[str]
    state: Mapped[GatewayRefundState] = mapped_column(
        named_enum(GatewayRefundState), default=GatewayRefundState.CREATED, index=True
    )
    failure: Mapped[str] = mapped_column(default="")
    settled_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    misses: Mapped[int] = mapped_column(default=0)
    invoice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))

    refund: Mapped[Payment] = relationship(foreign_keys=[refund_id])
    payment: Mapped[Payment] = relationship(foreign_keys=[payment_id])
    invoice: Mapped[Invoice | None] = relationship()


class DisputeState(StrEnum):
    """INQUIRY: the bank asks and holds no funds (yet)."""

    INQUIRY = "inquiry"
    OPEN = "open"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    CLOSED = "closed"  # an inquiry that came to nothing


class Dispute(Versioned, Base):
    """A payer's bank asks a payment back; funds are held until it is won or lost.

    `held` is what the gateway's balance transactions took so far (positive cents), `fee` what
    they cost; both follow from `dispute_movements`, never from a status.
    """

    __tablename__ = "disputes"

    gateway: Mapped[str]
    dispute_ref: Mapped[str] = mapped_column(unique=True)
    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    amount: Mapped[Money]
    reason: Mapped[str] = mapped_column(default="")
    state: Mapped[DisputeState] = mapped_column(named_enum(DisputeState), default=DisputeState.OPEN)
    held: Mapped[Money] = mapped_column(default=ZERO)
    fee: Mapped[Money] = mapped_column(default=ZERO)
    answer_by: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(default="")
    answer_kept_at: Mapped[datetime | None]
    file_key: Mapped[str] = mapped_column(default="")  # the evidence as it was sent

    payment: Mapped[Payment] = relationship()


class DisputeMovement(Base):
    """One balance transaction of a dispute, booked once: funds held, given back, or a fee."""

    __tablename__ = "dispute_movements"

    dispute_id: Mapped[int] = mapped_column(sa.ForeignKey("disputes.id"), index=True)
    movement_ref: Mapped[str] = mapped_column(unique=True)
    amount: Mapped[Money]  # negative: taken from us
    fee: Mapped[Money] = mapped_column(default=ZERO)
    moved_at: Mapped[datetime]

    dispute: Mapped[Dispute] = relationship()
