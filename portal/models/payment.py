"""Money received and what it was applied to."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, aliased, column_property, mapped_column, relationship

from portal.db import Base, Versioned, named_enum, total_of
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.models.batch import Batch
from portal.models.customer import Customer
from portal.models.invoice import Invoice, InvoiceKind
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
        "unpost": (frozenset({PaymentState.POSTED}), PaymentState.PENDING),
        "export": (frozenset({PaymentState.POSTED}), PaymentState.EXPORTED),
    },
)


# Written out, not bound: the engines use a partial index only for its very words.
IS_UNPOSTED = sa.text("payments.state = 'pending'")


class PaymentOrigin(StrEnum):
    """Where an amount that can be applied comes from."""

    MONEY = "money"
    DOCUMENT = "document"  # a credit note, write-off or negative adjustment: no money moved


class PaymentType(Versioned, Base):
    """A way to pay and the ledger account its money lands on.

    `refunds` offers it for giving money back too.
    """

    __tablename__ = "payment_types"

    name: Mapped[str] = mapped_column(unique=True)
    method: Mapped[PaymentMethod] = mapped_column(named_enum(PaymentMethod))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    online: Mapped[bool] = mapped_column(
        default=False
    )  # used by the gateway, not offered at the desk
    refunds: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)

    account: Mapped[Account] = relationship()


class RefundEffect(StrEnum):
    """What giving money back does beside paying it out (servicetitan-rules §8.1)."""

    PAYS_OUT_CREDIT = "pays_out_credit"  # unapplied money leaves; invoices stay as they are
    REOPENS_INVOICE = "reopens_invoice"  # taken off the invoice first, which is owed again
    LOWERS_REVENUE = "lowers_revenue"  # a refund document takes revenue and tax back with it


class RefundReason(Versioned, Base):
    """Why money is given back, and what that means for payment and revenue.

    With `asks` whoever gives it back chooses the effect; `effect` is only proposed then.
    """

    __tablename__ = "refund_reasons"

    name: Mapped[str] = mapped_column(unique=True)
    effect: Mapped[RefundEffect] = mapped_column(named_enum(RefundEffect))
    asks: Mapped[bool] = mapped_column(default=False)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("price_book_items.id"))
    active: Mapped[bool] = mapped_column(default=True)


class Payment(Versioned, Base):
    """Money really received, in full; `unapplied` is the customer's credit.

    `livemode` is false for TEST GATEWAY money, which is no money. A row of origin DOCUMENT is
    the credit a posted document gave: no money. A refund is a negative row that took its amount
    out of `refunds` (the row whose unapplied part left) for money that came in as `gives_back`;
    it is never applied itself. A returned row (bounced, entered in error, unposted document)
    keeps its amount and counts for nothing from `returned_on`:
    unapplied = (amount, or 0 once returned) − applications − refunded out of it.
    """

    __tablename__ = "payments"
    __table_args__ = (
        sa.UniqueConstraint("provider", "provider_ref"),
        sa.CheckConstraint("(refunds_id IS NULL) = (amount > 0)", name="amount_positive"),
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.CheckConstraint(
            "unapplied >= 0 AND (unapplied <= amount OR (amount < 0 AND unapplied = 0))",
            name="unapplied_in_amount",
        ),
        sa.CheckConstraint("(origin = 'document') = (document_id IS NOT NULL)", name="whence"),
        sa.Index(
            "ix_payments_document",
            "document_id",
            unique=True,
            sqlite_where=sa.text("document_id IS NOT NULL AND returned_on IS NULL"),
            postgresql_where=sa.text("document_id IS NOT NULL AND returned_on IS NULL"),
        ),
        sa.Index(  # also those that count no more
            "ix_payments_of_document",
            "document_id",
            sqlite_where=sa.text("document_id IS NOT NULL"),
            postgresql_where=sa.text("document_id IS NOT NULL"),
        ),
        sa.Index(
            "ix_payments_batched",
            "batch_id",
            sqlite_where=sa.text("batch_id IS NOT NULL"),
            postgresql_where=sa.text("batch_id IS NOT NULL"),
        ),
        sa.Index(  # covers what waits for a batch
            "ix_payments_unbatched",
            "received_on",
            "id",
            "origin",
            "state",
            "batch_id",
            sqlite_where=sa.text("state = 'pending' AND batch_id IS NULL"),
            postgresql_where=sa.text("state = 'pending' AND batch_id IS NULL"),
        ),
        sa.Index(
            "ix_payments_returned",
            "returned_on",
            sqlite_where=sa.text("returned_on IS NOT NULL"),
            postgresql_where=sa.text("returned_on IS NOT NULL"),
        ),
        sa.Index(None, "received_on", "origin", "amount"),
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
    origin: Mapped[PaymentOrigin] = mapped_column(
        named_enum(PaymentOrigin), default=PaymentOrigin.MONEY
    )
    document_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))
    refunds_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    gives_back_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    refund_reason_id: Mapped[int | None] = mapped_column(sa.ForeignKey("refund_reasons.id"))
    returned_on: Mapped[date | None]
    returned_because: Mapped[str] = mapped_column(default="")
    batch_id: Mapped[int | None] = mapped_column(sa.ForeignKey("batches.id"))
    bypass: Mapped[bool] = mapped_column(default=False)

    document: Mapped[Invoice | None] = relationship()
    refunds: Mapped[Payment | None] = relationship(
        foreign_keys=[refunds_id], remote_side="Payment.id"
    )
    gives_back: Mapped[Payment | None] = relationship(
        foreign_keys=[gives_back_id], remote_side="Payment.id"
    )
    refund_reason: Mapped[RefundReason | None] = relationship()
    batch: Mapped[Batch | None] = relationship()
    customer: Mapped[Customer] = relationship()
    type: Mapped[PaymentType] = relationship()
    applications: Mapped[list[PaymentApplication]] = relationship(
        back_populates="payment", order_by="PaymentApplication.id"
    )

    @property
    def applied(self) -> Money:
        """What left it for invoices, and, of money refunded or returned, what went back."""
        return self.amount - self.unapplied

    @property
    def is_refund(self) -> bool:
        return self.amount < ZERO

    @property
    def counts(self) -> Money:
        """What it is worth: nothing once it was returned."""
        return ZERO if self.returned_on else self.amount


class PaymentApplication(Base):
    """A dated share of a payment on an invoice; taking it back adds a negative row.

    One that a return took back names the entry that returned the payment: undoing that very
    return puts back exactly those.
    """

    __tablename__ = "payment_applications"
    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.CheckConstraint("(reverses_id IS NULL) = (amount > 0)", name="negative_reverses"),
        sa.CheckConstraint(
            "returned_with_id IS NULL OR reverses_id IS NOT NULL", name="return_reverses"
        ),
        sa.Index(None, "invoice_id", "applied_on", "amount"),
    )

    payment_id: Mapped[int] = mapped_column(sa.ForeignKey("payments.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"))
    amount: Mapped[Money] = mapped_column(default=ZERO)
    applied_on: Mapped[date]
    reverses_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("payment_applications.id"), unique=True
    )
    returned_with_id: Mapped[int | None] = mapped_column(sa.ForeignKey("journal_entries.id"))

    payment: Mapped[Payment] = relationship(back_populates="applications")
    invoice: Mapped[Invoice] = relationship()


# What corrects an invoice and lowers what is owed on it; a financing is payment by somebody else.
CREDITS = (InvoiceKind.CREDIT_NOTE, InvoiceKind.ADJUSTMENT, InvoiceKind.REFUND)
_document = aliased(Invoice, flat=True)


def _taken_off(*kinds: InvoiceKind) -> sa.ScalarSelect[Money]:
    """What documents of these kinds took off the invoice they correct."""
    query = (
        sa.select(total_of(PaymentApplication.amount))
        .join(Payment, Payment.id == PaymentApplication.payment_id)
        .join(_document, _document.id == Payment.document_id)
        .where(
            PaymentApplication.invoice_id == Invoice.id,
            _document.adjusts_id == Invoice.id,
            _document.kind.in_(kinds),
        )
    )
    return query.correlate(Invoice).scalar_subquery()


# Read only where a list or a page asks for them.
Invoice.credited = column_property(  # type: ignore[assignment]
    _taken_off(*CREDITS), deferred=True, group="paid_state"
)
Invoice.written_off = column_property(  # type: ignore[assignment]
    _taken_off(InvoiceKind.WRITE_OFF), deferred=True, group="paid_state"
)
