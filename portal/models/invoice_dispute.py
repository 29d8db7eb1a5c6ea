"""Invoices, or lines of them, that a customer says they do not owe.

Not to be confused with `Dispute`, where a payer's bank asks a payment back.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import Money
from portal.models.invoice import Invoice, InvoiceLine
from portal.models.user import User


class InvoiceDisputeState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"  # decided, for the customer or against; a correction is its own document
    WITHDRAWN = "withdrawn"  # the customer took it back, or it was a mistake


INVOICE_DISPUTE = Lifecycle[InvoiceDisputeState](
    "this dispute",
    {
        "resolve": (frozenset({InvoiceDisputeState.OPEN}), InvoiceDisputeState.RESOLVED),
        "withdraw": (frozenset({InvoiceDisputeState.OPEN}), InvoiceDisputeState.WITHDRAWN),
    },
)


class InvoiceDisputeReason(StrEnum):
    PRICE = "price"
    QUANTITY = "quantity"
    NOT_DONE = "not_done"
    QUALITY = "quality"
    NOT_ORDERED = "not_ordered"
    PAID_ALREADY = "paid_already"
    WRONG_CUSTOMER = "wrong_customer"
    OTHER = "other"


# Written out, not bound: the engines use a partial index only for its very words.
IN_DISPUTE = sa.text("invoice_disputes.state = 'open'")


class InvoiceDispute(Versioned, Base):
    """What a customer contests: `amount` of an invoice, or of one of its lines.

    While it is open, nobody is reminded of that part and no interest is charged on it. Whose
    line was deleted since keeps its words.
    """

    __tablename__ = "invoice_disputes"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended_is_dated"),
        sa.Index(
            "ix_invoice_disputes_open",
            "invoice_id",
            "amount",
            sqlite_where=sa.text("state = 'open'"),
            postgresql_where=sa.text("state = 'open'"),
        ),
        sa.Index(
            "uq_invoice_disputes_open_line",
            "line_id",
            unique=True,
            sqlite_where=sa.text("state = 'open' AND line_id IS NOT NULL"),
            postgresql_where=sa.text("state = 'open' AND line_id IS NOT NULL"),
        ),
    )

    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    line_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("invoice_lines.id", ondelete="SET NULL")
    )
    line_words: Mapped[str] = mapped_column(default="")
    amount: Mapped[Money]
    reason: Mapped[InvoiceDisputeReason] = mapped_column(named_enum(InvoiceDisputeReason))
    words: Mapped[str] = mapped_column(default="")  # what the customer says
    state: Mapped[InvoiceDisputeState] = mapped_column(
        named_enum(InvoiceDisputeState), default=InvoiceDisputeState.OPEN, index=True
    )
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"), index=True)
    opened_on: Mapped[date]
    opened_by: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")  # how it was decided, in words

    invoice: Mapped[Invoice] = relationship()
    line: Mapped[InvoiceLine | None] = relationship(passive_deletes=True)
    owner: Mapped[User | None] = relationship()

    @property
    def about(self) -> str:
        """The line it is about, or the whole invoice."""
        return self.line_words or f"invoice {self.invoice.number}"
