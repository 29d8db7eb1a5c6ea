"""Cards and bank accounts kept at the gateway, and the consent each of them rests on."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.models.customer import Customer


class ConsentKind(StrEnum):
    SAVE_METHOD = "save_method"
    AUTOPAY = "autopay"
    PAYMENT_PLAN = "payment_plan"


class Consent(Base):
    """What somebody agreed to, word for word, when (`created_at`), and from where.

    Evidence: nothing of it changes but `revoked_at`. `given_by` names the contact or, when
    agreed by phone, the staff member who wrote it down and whom they spoke to.
    """

    __tablename__ = "consents"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    kind: Mapped[ConsentKind] = mapped_column(named_enum(ConsentKind))
    text: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    given_by: Mapped[str]
    address: Mapped[str] = mapped_column(default="")  # the internet address it came from
    agent: Mapped[str] = mapped_column(default="")  # the browser
    revoked_at: Mapped[datetime | None]

    customer: Mapped[Customer] = relationship()


class GatewayCustomer(Base):
    """Under which name a gateway knows a customer; one per gateway and mode."""

    __tablename__ = "gateway_customers"
    __table_args__ = (
        sa.UniqueConstraint("customer_id", "gateway", "livemode"),
        sa.UniqueConstraint("gateway", "customer_ref"),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    gateway: Mapped[str]
    livemode: Mapped[bool]
    customer_ref: Mapped[str]


class MethodKind(StrEnum):
    CARD = "card"
    BANK_DEBIT = "bank_debit"


class MethodState(StrEnum):
    """GONE: detached at the gateway, or its mandate ended."""

    ACTIVE = "active"
    GONE = "gone"
    REMOVED = "removed"


class SavedMethod(Versioned, Base):
    """A card or bank account the gateway keeps; we know what is printed on a receipt of it.

    `expires_on` is the last day of a card's last month; `detached_at` is set when the gateway
    does not keep one that was removed any more. One active method per customer,
    gateway and mode is the primary one.
    """

    __tablename__ = "saved_methods"
    __table_args__ = (
        sa.UniqueConstraint("gateway", "method_ref"),
        sa.CheckConstraint("NOT is_primary OR state = 'active'", name="primary_is_active"),
        sa.Index(
            "uq_saved_methods_primary",
            "customer_id",
            "gateway",
            "livemode",
            unique=True,
            sqlite_where=sa.text("is_primary"),
            postgresql_where=sa.text("is_primary"),
        ),
        sa.Index(
            "ix_saved_methods_to_detach",
            "id",
            sqlite_where=sa.text("state = 'removed' AND detached_at IS NULL"),
            postgresql_where=sa.text("state = 'removed' AND detached_at IS NULL"),
        ),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    gateway: Mapped[str]
    livemode: Mapped[bool]
    customer_ref: Mapped[str]
    method_ref: Mapped[str]
    kind: Mapped[MethodKind] = mapped_column(named_enum(MethodKind))
    brand: Mapped[str] = mapped_column(default="")  # Visa, or the bank's name
    last4: Mapped[str] = mapped_column(default="")
    expires_on: Mapped[date | None]
    is_primary: Mapped[bool] = mapped_column(default=False)
    state: Mapped[MethodState] = mapped_column(named_enum(MethodState), default=MethodState.ACTIVE)
    detached_at: Mapped[datetime | None]
    consent_id: Mapped[int] = mapped_column(sa.ForeignKey("consents.id"))

    customer: Mapped[Customer] = relationship()
    consent: Mapped[Consent] = relationship()

    @property
    def label(self) -> str:
        """As on a receipt: Visa •••• 4242."""
        return " ".join(part for part in (self.brand, self.last4 and f"•••• {self.last4}") if part)

    def has_expired(self, on: date) -> bool:
        """A card is good through the last day of its last month."""
        return self.expires_on is not None and on > self.expires_on


class SetupState(StrEnum):
    """Unknown is not failed: only a definite answer of the gateway makes `failed`."""

    CREATED = "created"
    OPEN = "open"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


LIVE_SETUPS = frozenset({SetupState.CREATED, SetupState.OPEN, SetupState.UNKNOWN})
SETUP = Lifecycle[SetupState](
    "saving this payment method",
    {
        "open": (frozenset({SetupState.CREATED, SetupState.UNKNOWN}), SetupState.OPEN),
        "lose_track_of": (LIVE_SETUPS, SetupState.UNKNOWN),
        "save": (frozenset(SetupState), SetupState.SUCCEEDED),
        "fail": (LIVE_SETUPS, SetupState.FAILED),
        "expire": (LIVE_SETUPS, SetupState.EXPIRED),
    },
)


class MethodSetup(Base):
    """One visit to the gateway's page that saves a method; persisted before it is opened.

    `public_id` is the reference and the idempotency key. `with_autopay` turns autopay on
    with the saved method, under the same consent.
    """

    __tablename__ = "method_setups"
    __table_args__ = (
        sa.Index(
            "ix_method_setups_due",
            "next_check_at",
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        ),
    )

    public_id: Mapped[str] = mapped_column(sa.String(43), unique=True)
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    consent_id: Mapped[int] = mapped_column(sa.ForeignKey("consents.id"))
    state: Mapped[SetupState] = mapped_column(named_enum(SetupState), default=SetupState.CREATED)
    gateway: Mapped[str]
    livemode: Mapped[bool]
    customer_ref: Mapped[str] = mapped_column(default="")
    session_ref: Mapped[str | None] = mapped_column(unique=True)
    checkout_url: Mapped[str] = mapped_column(default="")
    return_url: Mapped[str]
    email: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    started_by: Mapped[str] = mapped_column(default="")
    make_primary: Mapped[bool] = mapped_column(default=False)
    with_autopay: Mapped[bool] = mapped_column(default=False)
    method_id: Mapped[int | None] = mapped_column(sa.ForeignKey("saved_methods.id"))
    failure: Mapped[str] = mapped_column(default="")
    expires_at: Mapped[datetime | None]
    next_check_at: Mapped[datetime | None]
    checks: Mapped[int] = mapped_column(default=0)
    misses: Mapped[int] = mapped_column(default=0)

    customer: Mapped[Customer] = relationship()
    consent: Mapped[Consent] = relationship()
    method: Mapped[SavedMethod | None] = relationship()
