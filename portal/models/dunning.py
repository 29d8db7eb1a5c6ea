"""Chasing money that is overdue ("Collections"): rules, policies, stages, cases, their steps."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import ZERO, Money
from portal.kernel.numbers import Rate
from portal.models.customer import Customer, CustomerType
from portal.models.invoice import Invoice
from portal.models.message import Message
from portal.models.user import User


class DunningRules(Versioned, Base):
    """One row: how the company collects. Hours are the customer's; days are calendar days.

    The limits of contact begin as Reg F sets them (assistants-and-matching.md §5). Looser ones
    count only with an administrator's reason.
    """

    __tablename__ = "dunning_rules"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    reminders_on: Mapped[bool] = mapped_column(default=False)  # automatic stages are carried out
    most_attempts: Mapped[int] = mapped_column(default=7)
    attempt_days: Mapped[int] = mapped_column(default=7)  # consecutive days they are counted in
    rest_days: Mapped[int] = mapped_column(default=7)  # after a conversation
    first_hour: Mapped[int] = mapped_column(default=8)
    last_hour: Mapped[int] = mapped_column(default=21)  # from then on nobody is reached
    counts_email: Mapped[bool] = mapped_column(default=False)  # emails count as attempts too
    looser_because: Mapped[str] = mapped_column(default="")
    looser_by: Mapped[str] = mapped_column(default="")
    looser_at: Mapped[datetime | None]
    days_between: Mapped[int] = mapped_column(default=3)  # two reminders are that far apart
    promise_grace_days: Mapped[int] = mapped_column(default=2)
    control_percent: Mapped[int] = mapped_column(default=0)  # not reminded, to measure the effect
    control_days: Mapped[int] = mapped_column(default=30)  # how long they are left alone
    sees_assigned_only: Mapped[bool] = mapped_column(default=False)  # a collector's view


class DunningPolicy(Versioned, Base):
    """When and how customers of a type are reminded; without a type, everybody else."""

    __tablename__ = "dunning_policies"
    __table_args__ = (
        sa.Index(
            "uq_dunning_policies_default",
            "active",
            unique=True,
            sqlite_where=sa.text("active AND customer_type_id IS NULL"),
            postgresql_where=sa.text("active AND customer_type_id IS NULL"),
        ),
        sa.Index(
            "uq_dunning_policies_type",
            "customer_type_id",
            unique=True,
            sqlite_where=sa.text("active AND customer_type_id IS NOT NULL"),
            postgresql_where=sa.text("active AND customer_type_id IS NOT NULL"),
        ),
    )

    name: Mapped[str] = mapped_column(unique=True)
    customer_type_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customer_types.id"))
    active: Mapped[bool] = mapped_column(default=True)

    customer_type: Mapped[CustomerType | None] = relationship()
    stages: Mapped[list[DunningStage]] = relationship(
        back_populates="policy", order_by="(DunningStage.days, DunningStage.id)"
    )


class StageAction(StrEnum):
    EMAIL = "email"
    SMS = "sms"
    CALL = "call"
    LETTER = "letter"
    MANAGER = "manager"
    WRITE_OFF = "write_off"


class Tone(StrEnum):
    """How a reminder speaks; each tone has message texts of its own."""

    COURTESY = "courtesy"
    FRIENDLY = "friendly"
    FIRM = "firm"
    FINAL = "final"


BY_ITSELF = frozenset({StageAction.EMAIL, StageAction.SMS})


class DunningStage(Base):
    """One stage of a policy: `days` after the due date of the oldest invoice, negative: before.

    A stage that is taken out of its policy stays, retired: cases keep what was done by it.
    """

    __tablename__ = "dunning_stages"

    policy_id: Mapped[int] = mapped_column(sa.ForeignKey("dunning_policies.id"), index=True)
    days: Mapped[int]
    action: Mapped[StageAction] = mapped_column(named_enum(StageAction))
    tone: Mapped[Tone] = mapped_column(named_enum(Tone), default=Tone.FRIENDLY)
    name: Mapped[str]
    automatic: Mapped[bool] = mapped_column(default=True)  # else a person does it
    retired: Mapped[bool] = mapped_column(default=False)

    policy: Mapped[DunningPolicy] = relationship(back_populates="stages")

    @property
    def by_itself(self) -> bool:
        """Whether the house carries it out; calls and letters wait for a person."""
        return self.automatic and self.action in BY_ITSELF


class CaseState(StrEnum):
    OPEN = "open"
    WITH_MANAGER = "with_manager"
    CLOSED = "closed"


LIVE_CASES = frozenset({CaseState.OPEN, CaseState.WITH_MANAGER})
DUNNING_CASE = Lifecycle[CaseState](
    "this case",
    {
        "hand over": (frozenset({CaseState.OPEN}), CaseState.WITH_MANAGER),
        "give back": (frozenset({CaseState.WITH_MANAGER}), CaseState.OPEN),
        "close": (LIVE_CASES, CaseState.CLOSED),
    },
)


class CaseEnd(StrEnum):
    PAID = "paid"
    GONE = "gone"  # credited, written off, moved, unposted: nothing is owed any more
    STOPPED = "stopped"  # by a person


class DunningCase(Versioned, Base):
    """One customer's overdue money being chased, from the day its oldest invoice asks for it.

    One live case per customer. It is over when what it was opened for is paid; what became due
    later opens the next. `owed`, `chance` and `expected` are refreshed by the hour and whenever
    something happens, so that the worklist is one query. A `control` case gets no reminders.
    """

    __tablename__ = "dunning_cases"
    __table_args__ = (
        sa.CheckConstraint("(state = 'closed') = (closed_on IS NOT NULL)", name="closed_is_dated"),
        sa.Index(
            "uq_dunning_cases_live",
            "customer_id",
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        ),
        sa.Index(
            "ix_dunning_cases_worklist",
            "expected",
            "id",
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        ),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    policy_id: Mapped[int] = mapped_column(sa.ForeignKey("dunning_policies.id"))
    state: Mapped[CaseState] = mapped_column(named_enum(CaseState), default=CaseState.OPEN)
    control: Mapped[bool] = mapped_column(default=False)
    opened_on: Mapped[date]
    owed_at_start: Mapped[Money] = mapped_column(default=ZERO)
    oldest_due_on: Mapped[date]
    owed: Mapped[Money] = mapped_column(default=ZERO)  # overdue, not disputed, on no kept plan
    chance: Mapped[Rate] = mapped_column(default=Rate(0))  # of not being paid
    expected: Mapped[Money] = mapped_column(default=ZERO)  # owed × chance
    reasons: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # of the chance, in words
    waits_because: Mapped[str] = mapped_column(default="")  # why nobody is to be asked just now
    next_step: Mapped[str] = mapped_column(default="")  # what a person should do next, in words
    snoozed_until: Mapped[date | None]
    snoozed_because: Mapped[str] = mapped_column(default="")
    handed_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    handed_because: Mapped[str] = mapped_column(default="")
    closed_on: Mapped[date | None]
    ended: Mapped[CaseEnd | None] = mapped_column(named_enum(CaseEnd))
    closed_because: Mapped[str] = mapped_column(default="")

    customer: Mapped[Customer] = relationship()
    policy: Mapped[DunningPolicy] = relationship()
    handed_to: Mapped[User | None] = relationship()
    steps: Mapped[list[DunningStep]] = relationship(
        back_populates="case", order_by="DunningStep.id"
    )


class StepState(StrEnum):
    WAITING = "waiting"  # carried out by itself, as soon as the guard rails allow it
    TO_DO = "to_do"  # a person does it
    DONE = "done"
    SKIPPED = "skipped"  # a later stage came first, or the case is over
    REFUSED = "refused"  # it cannot be done; the sentence says why


_UNDONE = frozenset({StepState.WAITING, StepState.TO_DO})
DUNNING_STEP = Lifecycle[StepState](
    "this stage",
    {
        "do": (_UNDONE, StepState.DONE),
        "skip": (_UNDONE, StepState.SKIPPED),
        "refuse": (frozenset({StepState.WAITING}), StepState.REFUSED),
    },
)


class DunningStep(Base):
    """One stage of one case, once. `not_before` is when the guard rails allow the next look."""

    __tablename__ = "dunning_steps"
    __table_args__ = (
        sa.UniqueConstraint("case_id", "stage_id"),
        sa.Index(
            "ix_dunning_steps_waiting",
            "not_before",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )

    case_id: Mapped[int] = mapped_column(sa.ForeignKey("dunning_cases.id"))
    stage_id: Mapped[int] = mapped_column(sa.ForeignKey("dunning_stages.id"))
    state: Mapped[StepState] = mapped_column(named_enum(StepState), default=StepState.WAITING)
    not_before: Mapped[datetime | None]
    claimed_until: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    sentence: Mapped[str] = mapped_column(default="")  # what became of it, in words
    message_id: Mapped[int | None] = mapped_column(sa.ForeignKey("messages.id"))

    case: Mapped[DunningCase] = relationship(back_populates="steps")
    stage: Mapped[DunningStage] = relationship()
    message: Mapped[Message | None] = relationship()


class WriteOffProposalState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


_ASKED = frozenset({WriteOffProposalState.WAITING})
WRITE_OFF_PROPOSAL = Lifecycle[WriteOffProposalState](
    "this proposal",
    {
        "approve": (_ASKED, WriteOffProposalState.APPROVED),
        "decline": (_ASKED, WriteOffProposalState.DECLINED),
        "withdraw": (_ASKED, WriteOffProposalState.WITHDRAWN),
    },
)


class WriteOffProposal(Versioned, Base):
    """A collector asks to give up an amount of an invoice; booked once somebody approves it."""

    __tablename__ = "write_off_proposals"
    __table_args__ = (
        sa.CheckConstraint("amount > 0", name="amount_positive"),
        sa.Index(
            "uq_write_off_proposals_waiting",
            "invoice_id",
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        ),
    )

    case_id: Mapped[int | None] = mapped_column(sa.ForeignKey("dunning_cases.id"), index=True)
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    amount: Mapped[Money]
    because: Mapped[str]
    state: Mapped[WriteOffProposalState] = mapped_column(
        named_enum(WriteOffProposalState), default=WriteOffProposalState.WAITING, index=True
    )
    proposed_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    decided_at: Mapped[datetime | None]
    decided_because: Mapped[str] = mapped_column(default="")
    document_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"), unique=True)

    case: Mapped[DunningCase | None] = relationship()
    invoice: Mapped[Invoice] = relationship(foreign_keys=[invoice_id])
    document: Mapped[Invoice | None] = relationship(foreign_keys=[document_id])
    proposed_by: Mapped[User | None] = relationship(foreign_keys=[proposed_by_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
