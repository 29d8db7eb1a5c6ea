"""Interest and late fees by the payment term: what was agreed, what was charged, runs of it."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models.invoice import Invoice
from portal.models.term import PaymentTerm
from portal.models.user import User


class FeeShape(StrEnum):
    FLAT = "flat"
    PERCENT = "percent"
    GREATER = "greater"  # of the two


class FeeFrequency(StrEnum):
    ONCE = "once"
    DAILY = "daily"
    MONTHLY = "monthly"


class FeeBase(StrEnum):
    PRINCIPAL = "principal"
    TOTAL = "total"  # earlier interest bears interest, too; for businesses only


class LateFeeRule(Versioned, Base):
    """What invoices of one payment term are charged when they are late (servicetitan-rules §9.3).

    `rate` is a share of what is owed: per year when charged daily or monthly, else once. `flat`
    is per charge. The first day that is charged is due date + grace days + 1. `cap` is the most
    that all charges of an invoice come to, as a share of its total; 0 is none. Only invoices
    dated from `applies_from` on are charged: a fee must be agreed before the invoice is late.
    """

    __tablename__ = "late_fee_rules"
    __table_args__ = (
        sa.CheckConstraint("flat >= 0 AND rate >= 0 AND cap >= 0", name="not_negative"),
        sa.CheckConstraint("grace_days BETWEEN 0 AND 365", name="grace_range"),
    )

    term_id: Mapped[int] = mapped_column(sa.ForeignKey("payment_terms.id"), unique=True)
    active: Mapped[bool] = mapped_column(default=True)
    shape: Mapped[FeeShape] = mapped_column(named_enum(FeeShape), default=FeeShape.PERCENT)
    flat: Mapped[Money] = mapped_column(default=ZERO)
    rate: Mapped[Rate] = mapped_column(default=Rate(0))
    frequency: Mapped[FeeFrequency] = mapped_column(
        named_enum(FeeFrequency), default=FeeFrequency.MONTHLY
    )
    base: Mapped[FeeBase] = mapped_column(named_enum(FeeBase), default=FeeBase.PRINCIPAL)
    grace_days: Mapped[int] = mapped_column(default=10)
    kinds: Mapped[list[str]] = mapped_column(sa.JSON, default=list)  # InvoiceKind values
    cap: Mapped[Rate] = mapped_column(default=Rate(0))
    applies_from: Mapped[date]

    term: Mapped[PaymentTerm] = relationship()


class LateFeeLimit(Versioned, Base):
    """The most a consumer may be charged per year of what is owed, by state; '' for the rest."""

    __tablename__ = "late_fee_limits"

    region: Mapped[str] = mapped_column(unique=True, default="")
    rate: Mapped[Rate]


class LateFeeExemption(Base):
    """A customer who is charged no late fees, and why."""

    __tablename__ = "late_fee_exemptions"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), unique=True)
    because: Mapped[str]


class FeeRunState(StrEnum):
    LOOKING = "looking"
    PROPOSED = "proposed"
    CHARGING = "charging"
    DONE = "done"
    STOPPED = "stopped"


_LIVE = frozenset({FeeRunState.LOOKING, FeeRunState.PROPOSED, FeeRunState.CHARGING})
FEE_RUN = Lifecycle[FeeRunState](
    "this run of late fees",
    {
        "propose": (frozenset({FeeRunState.LOOKING}), FeeRunState.PROPOSED),
        "charge": (frozenset({FeeRunState.PROPOSED}), FeeRunState.CHARGING),
        "finish": (frozenset({FeeRunState.CHARGING}), FeeRunState.DONE),
        "stop": (_LIVE, FeeRunState.STOPPED),
    },
)


class LateFeeRun(Versioned, Base):
    """One look at what is late: proposals a person goes through, then the charges.

    The worker looks and charges; between the two it waits for a person. `posts`: the interest
    invoices are posted at once instead of staying drafts.
    """

    __tablename__ = "late_fee_runs"
    __table_args__ = (
        sa.Index(
            "uq_late_fee_runs_live",
            "live",
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        ),
    )

    as_of: Mapped[date]
    state: Mapped[FeeRunState] = mapped_column(named_enum(FeeRunState), default=FeeRunState.LOOKING)
    live: Mapped[bool] = mapped_column(default=True)  # one run at a time is not over
    posts: Mapped[bool] = mapped_column(default=True)
    looked_through: Mapped[int] = mapped_column(default=0)  # id of the last invoice looked at
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    started_by: Mapped[User | None] = relationship()


class FeeItemState(StrEnum):
    PROPOSED = "proposed"
    LEFT_OUT = "left_out"  # by a person
    NOT_CHARGED = "not_charged"  # a rule forbids it; the sentence says which
    CHARGED = "charged"
    REFUSED = "refused"  # it changed between the proposal and the charge


class LateFeeItem(Base):
    """One late invoice of a run: what it would be charged and how, or why it is not."""

    __tablename__ = "late_fee_items"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "invoice_id"),
        sa.Index(None, "run_id", "state", "amount"),
        sa.Index(None, "run_id", "amount"),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("late_fee_runs.id"))
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    state: Mapped[FeeItemState] = mapped_column(named_enum(FeeItemState))
    amount: Mapped[Money] = mapped_column(default=ZERO)
    sentence: Mapped[str]
    document_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))

    run: Mapped[LateFeeRun] = relationship()
    invoice: Mapped[Invoice] = relationship(foreign_keys=[invoice_id])
    document: Mapped[Invoice | None] = relationship(foreign_keys=[document_id])


class LateFee(Base):
    """One period of one late invoice that was charged by rule, once and for all.

    A charge that was taken back keeps its row: the same period is not charged again.
    """

    __tablename__ = "late_fees"
    __table_args__ = (sa.UniqueConstraint("invoice_id", "starts_on"),)

    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    amount: Mapped[Money]
    document_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    taken_back_on: Mapped[date | None]
    taken_back_because: Mapped[str] = mapped_column(default="")

    invoice: Mapped[Invoice] = relationship(foreign_keys=[invoice_id])
    document: Mapped[Invoice] = relationship(foreign_keys=[document_id])
