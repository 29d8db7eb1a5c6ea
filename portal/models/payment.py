"""Money received and what it was applied to."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.ledger import Account


class PaymentMethod(StrEnum):
    CHECK = "check"
    CASH = "cash"
    CARD = "card"
    BANK_DEBIT = "bank_debit"
    OTHER = "other"


class PaymentState(StrEnum):
    PENDING = "pending"
    POSTED = "posted"
    EXPORTED = "exported"


PAYMENT = Lifecycle[PaymentState](
    "this payment",
    {
        "edit": (frozenset({PaymentState.PENDING}), PaymentState.PENDING),
        "post": (frozenset({PaymentState.PENDING}), PaymentState.POSTED),
        "export": (frozenset({PaymentState.POSTED}), PaymentState.EXPORTED),
    },
)


class PaymentType(Versioned, Base):
    """A way to pay and the ledger account its money lands on."""

    __tablename__ = "payment_types"

    name: Mapped[str] = mapped_column(unique=True)
    method: Mapped[PaymentMethod] = mapped_column(named_enum(PaymentMethod))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    online: Mapped[bool] = mapped_column(
        default=False
    )  # used by the gateway, not offered at the desk
    active: Mapped[bool] = mapped_column(default=True)

    account: Mapped[Account] = relationship()


class Payment(Versioned, Base):
    """Money really received, in full; `unapplied` is the customer's credit.

    `livemode` is false for TEST GATEWAY money, which is no money.
    """

    __tablename__ = "payments"
    __table_args__ = (
        sa.UniqueConstraint("provider", "provider_ref"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("unapplied >= 0 AND unapplied <= amount", name="unapplied_in_amount"),
        sa.Index(None, "received_on", "amount"),
        sa.Index(
            "ix_payments_credit",
            "customer_id",
            sqlite_where=sa.text("unapplied > 0"),
            postgresql_where=sa.text("unapplied > 0"),
        ),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    type_id: Mapped[int] = mapped_column(sa.ForeignKey("payment_types.id"))
    amount: Mapped[Money]
    unapplied: Mapped[Money]
    received_on: Mapped[date]
    reference: Mapped[str] = mapped_column(default="")  # check number, authorisation
    memo: Mapped[str] = mapped_column(default="")
    state: Mapped[PaymentState] = mapped_column(
        named_enum(PaymentState), default=PaymentState.PENDING
    )
    provider: Mapped[str | None]
    provider_ref: Mapped[str | None]
    external_key: Mapped[str | None] = mapped_column(unique=True)
    livemode: Mapped[bool] = mapped_column(default=True)
    disputed: Mapped[bool] = mapped_column(default=False)

    customer: Mapped[Customer] = relationship()
    type: Mapped[PaymentType] = relationship()
    applications: Mapped[list[PaymentApplication]] = relationship(
        back_populates="payment", order_by="PaymentApplication.id"
    )

    @property
    def applied(self) -> Money:
        return self.amount - self.unapplied


class PaymentApplication(Base):
    """A dated share of a payment on an invoice; taking it back adds a negative row."""

    __tablename__ = "payment_applications"
    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.CheckConstraint("(reverses_id IS NULL) = (amount > 0)", name="negative_reverses"),
        sa.Index(None, "invoice_id", "applied_on", "amount"),
    )

    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"))
    amount: Mapped[Money] = mapped_column(default=ZERO)
    applied_on: Mapped[date]
    reverses_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("payment_applications.id"), unique=True
    )

    payment: Mapped[Payment] = relationship(back_populates="applications")
    invoice: Mapped[Invoice] = relationship()
