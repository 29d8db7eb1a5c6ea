"""Taking money online: attempts, what gateways told us, guest pay links."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment import Payment
from portal.models.saved_method import SavedMethod


class AttemptState(StrEnum):
    """Unknown is not failed: only a definite answer of the gateway makes `failed`."""

    CREATED = "created"
    OPEN = "open"
    PROCESSING = "processing"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


LIVE_ATTEMPTS = frozenset(
    {
        AttemptState.CREATED,
        AttemptState.OPEN,
        AttemptState.PROCESSING,
        AttemptState.UNKNOWN,
    }
)

ATTEMPT = Lifecycle[AttemptState](
    "this payment attempt",
    {
        "open": (
            frozenset({AttemptState.CREATED, AttemptState.UNKNOWN}),
            AttemptState.OPEN,
        ),
        "process": (LIVE_ATTEMPTS, AttemptState.PROCESSING),
        "lose_track_of": (LIVE_ATTEMPTS, AttemptState.UNKNOWN),
        "settle": (
            frozenset(AttemptState),
            AttemptState.SUCCEEDED,
        ),  # money received is recorded
        "fail": (LIVE_ATTEMPTS, AttemptState.FAILED),
        "expire": (LIVE_ATTEMPTS, AttemptState.EXPIRED),
    },
)


class AttemptPurpose(StrEnum):
    """A checkout is paid by somebody on the gateway's page; the others use a saved method."""

    CHECKOUT = "checkout"
    OFFICE = "office"
    AUTOPAY = "autopay"
    PLAN = "plan"
    BULK = "bulk"


class PaymentAttempt(Base):
    """One try to pay: persisted before the gateway hears of it, settled by `settle` alone.

    `public_id` is the client reference and part of the idempotency key; description, currency,
    email and language are kept, so that a repeated request is the same to the letter.
    `checks` counts looks, `misses` the failed ones in a row. One with a `method` has no page: its
    charge is created, its `payment_ref` kept, and only then confirmed.
    """

    __tablename__ = "payment_attempts"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(
            "ix_payment_attempts_due",
            "next_check_at",
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        ),
    )

    public_id: Mapped[str] = mapped_column(sa.String(43), unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    amount: Mapped[Money]
    state: Mapped[AttemptState] = mapped_column(
        named_enum(AttemptState), default=AttemptState.CREATED, index=True
    )
    gateway: Mapped[str]
    livemode: Mapped[bool]
    purpose: Mapped[AttemptPurpose] = mapped_column(
        named_enum(AttemptPurpose), default=AttemptPurpose.CHECKOUT
    )
    method_id: Mapped[int | None] = mapped_column(sa.ForeignKey("saved_methods.id"))
    started_by: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    currency: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    return_url: Mapped[str] = mapped_column(default="")
    checkout_url: Mapped[str] = mapped_column(default="")
    session_ref: Mapped[str | None] = mapped_column(unique=True)
    payment_ref: Mapped[str | None] = mapped_column(index=True)
    payment_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"), unique=True)
    failure: Mapped[str] = mapped_column(default="")  # for the office
    failure_code: Mapped[str] = mapped_column(default="")  # what payers are told follows from it
    expires_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    misses: Mapped[int] = mapped_column(default=0)

    customer: Mapped[Customer] = relationship()
    payment: Mapped[Payment | None] = relationship()
    method: Mapped[SavedMethod | None] = relationship()
    shares: Mapped[list[AttemptShare]] = relationship(
        back_populates="attempt", order_by="AttemptShare.invoice_id"
    )

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_ATTEMPTS

    @property
    def is_parked(self) -> bool:
        """Nobody knows more, and nobody looks again: a person sees to it."""
        return self.state is AttemptState.UNKNOWN and self.next_check_at is None


class AttemptShare(Base):
    """How much of an attempt is meant for which invoice; one live attempt per invoice.

    `invoice_total` is what the invoice came to when its page was made.
    """

    __tablename__ = "attempt_shares"
    __table_args__ = (
        sa.UniqueConstraint("attempt_id", "invoice_id"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(
            "uq_attempt_shares_live",
            "invoice_id",
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        ),
    )

    attempt_id: Mapped[int] = mapped_column(sa.ForeignKey("payment_attempts.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    amount: Mapped[Money]
    invoice_total: Mapped[Money | None]
    live: Mapped[bool] = mapped_column(default=True)

    attempt: Mapped[PaymentAttempt] = relationship(back_populates="shares")
    invoice: Mapped[Invoice] = relationship()


class GatewayEventState(StrEnum):
    WAITING = "waiting"
    HANDLED = "handled"
    IGNORED = "ignored"
    PARKED = "parked"


class GatewayEvent(Base):
    """One verified webhook, its raw body kept once, handled later by the worker."""

    __tablename__ = "gateway_events"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "event_ref"),
        sa.Index(
            "ix_gateway_events_waiting",
            "id",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )

    gateway: Mapped[str]
    event_ref: Mapped[str]
    kind: Mapped[str]
    object_ref: Mapped[str] = mapped_column(default="")
    body: Mapped[bytes]
    state: Mapped[GatewayEventState] = mapped_column(
        named_enum(GatewayEventState), default=GatewayEventState.WAITING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")


class PayLink(Base):
    """A guest's way to one invoice: see it and pay it, nothing else; revocable."""

    __tablename__ = "pay_links"

    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    token_hash: Mapped[str] = mapped_column(sa.String(64), unique=True)
    nonce: Mapped[str] = mapped_column(sa.String(43))
    revoked_at: Mapped[datetime | None]

    invoice: Mapped[Invoice] = relationship()


class TestCheckout(Base):
    """What the built-in TEST GATEWAY remembers; it stands for a foreign system's storage."""

    __tablename__ = "test_checkouts"
    __test__ = False  # pytest: not a test class

    session_ref: Mapped[str] = mapped_column(unique=True)
    payment_ref: Mapped[str] = mapped_column(unique=True)
    idempotency_key: Mapped[str] = mapped_column(unique=True)
    client_reference: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    amount: Mapped[Money]
    currency: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="open")
    method: Mapped[str] = mapped_column(default="")
    failure: Mapped[str] = mapped_column(default="")
    return_url: Mapped[str]
    expires_at: Mapped[datetime]
    pressed_at: Mapped[datetime | None]


class TestGatewayObject(Base):
    """Everything else the TEST GATEWAY remembers: customers, methods, refunds, disputes, payouts.

    `kind` tells what it is, `key` is the idempotency key it was made with.
    """

    __tablename__ = "test_gateway_objects"
    __table_args__ = (sa.Index(None, "kind", "parent_ref"),)
    __test__ = False  # pytest: not a test class

    ref: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    key: Mapped[str | None] = mapped_column(unique=True)
    parent_ref: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default="")
    amount: Mapped[Money] = mapped_column(default=ZERO)
    data: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
