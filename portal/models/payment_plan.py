"""Payment plans: what is owed now, agreed to be paid on several days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.models.customer import Customer
from portal.models.invoice import Invoice, InvoiceState
from portal.models.saved_method import Consent, SavedMethod


class PlanRhythm(StrEnum):
    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    MONTHLY = "monthly"


class PlanState(StrEnum):
    """ASKED by a customer, PROPOSED by staff; BROKEN falls back to the invoices' own terms."""

    ASKED = "asked"
    PROPOSED = "proposed"
    ACTIVE = "active"
    KEPT = "kept"
    BROKEN = "broken"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"  # re-aged: another plan took over


_OFFERED = frozenset({PlanState.ASKED, PlanState.PROPOSED})
PLAN = Lifecycle[PlanState](
    "this payment plan",
    {
        "propose": (_OFFERED, PlanState.PROPOSED),
        "accept": (frozenset({PlanState.PROPOSED}), PlanState.ACTIVE),
        "decline": (_OFFERED, PlanState.DECLINED),
        "withdraw": (_OFFERED | {PlanState.ACTIVE}, PlanState.WITHDRAWN),
        "keep": (frozenset({PlanState.ACTIVE}), PlanState.KEPT),
        "break": (frozenset({PlanState.ACTIVE}), PlanState.BROKEN),
        "replace": (frozenset({PlanState.ACTIVE, PlanState.BROKEN}), PlanState.REPLACED),
    },
)
LIVE_PLANS = frozenset({PlanState.ASKED, PlanState.PROPOSED, PlanState.ACTIVE})


class InstalmentState(StrEnum):
    """Derived from what was paid on the plan's invoices, never stored."""

    PLANNED = "planned"
    DUE = "due"  # today
    PAID = "paid"
    MISSED = "missed"


@dataclass(frozen=True)
class InstalmentProgress:
    """How far one instalment is paid, as of a day."""

    instalment: PlanInstalment
    paid: Money
    open: Money
    state: InstalmentState


class PaymentPlan(Versioned, Base):
    """What one customer pays when; the instalments add up to `amount` to the cent.

    Whatever is paid on its invoices counts for the oldest instalment first, so no row says
    "paid": it follows from the invoices' balances. `automatic` charges `method`, or the primary
    one. `reasons` says in words why it was proposed so.
    """

    __tablename__ = "payment_plans"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.CheckConstraint("fee >= 0", name="fee_not_negative"),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    state: Mapped[PlanState] = mapped_column(named_enum(PlanState), index=True)
    rhythm: Mapped[PlanRhythm] = mapped_column(named_enum(PlanRhythm))
    amount: Mapped[Money]
    fee: Mapped[Money] = mapped_column(default=ZERO)
    automatic: Mapped[bool] = mapped_column(default=False)
    method_id: Mapped[int | None] = mapped_column(sa.ForeignKey("saved_methods.id"))
    consent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("consents.id"))
    grace_days: Mapped[int] = mapped_column(default=5)
    reasons: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)
    asked_by: Mapped[str] = mapped_column(default="")
    proposed_by: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")
    offer_ends_on: Mapped[date | None]
    accepted_at: Mapped[datetime | None]
    ended_on: Mapped[date | None]
    ended_because: Mapped[str] = mapped_column(default="")
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_plans.id"), unique=True)

    customer: Mapped[Customer] = relationship()
    method: Mapped[SavedMethod | None] = relationship()
    consent: Mapped[Consent | None] = relationship()
    replaces: Mapped[PaymentPlan | None] = relationship(remote_side="PaymentPlan.id")
    shares: Mapped[list[PlanShare]] = relationship(
        back_populates="plan", order_by="PlanShare.invoice_id"
    )
    instalments: Mapped[list[PlanInstalment]] = relationship(
        back_populates="plan", order_by="PlanInstalment.number"
    )

    @property
    def number(self) -> str:
        """P-000017; counted with the plans, not gapless."""
        return f"P-{self.id:06}"

    @property
    def paid(self) -> Money:
        """What was paid, credited or given up on its invoices since it was offered."""
        return self.amount - self.open

    @property
    def open(self) -> Money:
        return Money.total(share.open for share in self.shares)

    def progress(self, on: date) -> Sequence[InstalmentProgress]:
        """Its instalments with what was paid on each: the oldest first."""
        left, found = self.paid, []
        for one in self.instalments:
            paid = min(left, one.amount)
            left -= paid
            found.append(InstalmentProgress(one, paid, one.amount - paid, one.state(paid, on)))
        return found

    def next_unpaid(self, on: date) -> InstalmentProgress | None:
        return next((one for one in self.progress(on) if one.open), None)

    def deadline(self, instalment: PlanInstalment) -> date:
        """The last day on which this instalment can still be paid without breaking the plan."""
        return instalment.due_on + timedelta(days=self.grace_days)


class PlanShare(Base):
    """How much of an invoice a plan covers; `live` while the plan is offered or active.

    `owed` was the invoice's balance when the plan was offered: what it fell by since was paid.
    While the plan runs it follows the invoice's total (payment_plans/following.py), so that a
    correction takes away nothing that was paid.
    """

    __tablename__ = "plan_shares"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "invoice_id"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(
            "uq_plan_shares_live",
            "invoice_id",
            unique=True,
            sqlite_where=sa.text("live"),
            postgresql_where=sa.text("live"),
        ),
    )

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("payment_plans.id"))
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    amount: Mapped[Money]
    owed: Mapped[Money]
    live: Mapped[bool] = mapped_column(default=True)

    plan: Mapped[PaymentPlan] = relationship(back_populates="shares")
    invoice: Mapped[Invoice] = relationship()

    @property
    def open(self) -> Money:
        """What is still to pay of it, never more than the invoice's balance.

        A bounced payment makes it rise again; what the invoice costs less counts as paid.
        """
        if self.invoice.state is InvoiceState.CANCELLED:
            return ZERO
        paid = max(max(self.owed, self.amount) - self.invoice.balance, ZERO)
        return max(self.amount - paid, ZERO)


class PlanInstalment(Base):
    """One agreed day and amount.

    `reminded_at` is when its reminder went out, or the letter that its charge failed.
    """

    __tablename__ = "plan_instalments"
    __table_args__ = (
        sa.UniqueConstraint("plan_id", "number"),
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(None, "due_on", "plan_id"),
    )

    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("payment_plans.id"))
    number: Mapped[int]
    due_on: Mapped[date]
    amount: Mapped[Money]
    reminded_at: Mapped[datetime | None]

    plan: Mapped[PaymentPlan] = relationship(back_populates="instalments")

    def state(self, paid: Money, on: date) -> InstalmentState:
        """What to call it when that much of it was paid by this day."""
        if paid >= self.amount:
            return InstalmentState.PAID
        if self.due_on < on:
            return InstalmentState.MISSED
        return InstalmentState.DUE if self.due_on == on else InstalmentState.PLANNED
