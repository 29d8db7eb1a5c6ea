"""Charging saved methods by itself or in bulk: autopay, planned charges, runs, the rules."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.lifecycle import Lifecycle
from portal.kernel.money import Money
from portal.models.collection import PaymentAttempt
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.payment_plan import PlanInstalment
from portal.models.saved_method import Consent, SavedMethod
from portal.models.user import User


class CollectionRules(Versioned, Base):
    """One row: how the company collects. Days are calendar days."""

    __tablename__ = "collection_rules"
    __table_args__ = (sa.CheckConstraint("id = 1", name="only_one"),)

    notice_days: Mapped[int] = mapped_column(default=3)  # told before autopay charges
    retry_days: Mapped[str] = mapped_column(default="3,5,7")  # after each failure, then given up
    refund_limit: Mapped[Money | None]  # a refund above needs a second person; None: no limit
    plan_most_payments: Mapped[int] = mapped_column(default=4)  # consumers; Reg Z counts the first
    plan_longest_days: Mapped[int] = mapped_column(default=180)
    plan_least_amount: Mapped[Money | None]  # of one instalment
    plan_grace_days: Mapped[int] = mapped_column(default=5)
    lawful_process: Mapped[bool] = mapped_column(default=False)  # more than four, or a fee
    lawful_process_by: Mapped[str] = mapped_column(default="")
    lawful_process_at: Mapped[datetime | None]


class AutopayMoment(StrEnum):
    DUE_DATE = "due_date"
    INVOICE_DATE = "invoice_date"


class Autopay(Versioned, Base):
    """A customer's standing consent to charge what becomes due; one row per customer.

    `method` None is the primary one at the moment of the charge. `most` bounds one charge.
    """

    __tablename__ = "autopays"

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), unique=True)
    active: Mapped[bool] = mapped_column(default=True, index=True)
    moment: Mapped[AutopayMoment] = mapped_column(
        named_enum(AutopayMoment), default=AutopayMoment.DUE_DATE
    )
    method_id: Mapped[int | None] = mapped_column(sa.ForeignKey("saved_methods.id"))
    most: Mapped[Money | None]
    starts_on: Mapped[date]  # invoices from this day on; older ones only when asked for
    consent_id: Mapped[int] = mapped_column(sa.ForeignKey("consents.id"))
    stopped_because: Mapped[str] = mapped_column(default="")

    customer: Mapped[Customer] = relationship()
    method: Mapped[SavedMethod | None] = relationship()
    consent: Mapped[Consent] = relationship()


class ChargeRunState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"


class ChargeRun(Versioned, Base):
    """A bulk charge: many customers' saved methods, one planned charge each, charged once."""

    __tablename__ = "charge_runs"

    state: Mapped[ChargeRunState] = mapped_column(
        named_enum(ChargeRunState), default=ChargeRunState.WAITING, index=True
    )
    rows_total: Mapped[int] = mapped_column(default=0)
    left_out: Mapped[list[Any]] = mapped_column(sa.JSON, default=list)  # name and reason, in words
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    claimed_until: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    started_by: Mapped[User | None] = relationship()


class ChargeSource(StrEnum):
    AUTOPAY = "autopay"
    PLAN = "plan"
    BULK = "bulk"


class ChargeState(StrEnum):
    """WAITING for its day; CHARGING while an attempt lives; FAILED waits for its next try."""

    WAITING = "waiting"
    CHARGING = "charging"
    FAILED = "failed"
    SUCCEEDED = "succeeded"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"


LIVE_CHARGES = frozenset({ChargeState.WAITING, ChargeState.CHARGING, ChargeState.FAILED})
_CHARGING = frozenset({ChargeState.CHARGING})
_BEFORE = frozenset({ChargeState.WAITING, ChargeState.FAILED})
CHARGE = Lifecycle[ChargeState](
    "this planned charge",
    {
        "charge": (_BEFORE, ChargeState.CHARGING),
        "succeed": (LIVE_CHARGES, ChargeState.SUCCEEDED),
        "fail": (_CHARGING, ChargeState.FAILED),
        "give up": (_CHARGING | _BEFORE, ChargeState.GIVEN_UP),
        "cancel": (_BEFORE, ChargeState.CANCELLED),
        "try again": (frozenset({ChargeState.GIVEN_UP}), ChargeState.WAITING),
        "plan again": (  # an instalment that is open again
            frozenset({ChargeState.SUCCEEDED, ChargeState.CANCELLED}),
            ChargeState.WAITING,
        ),
    },
)


class PlannedCharge(Versioned, Base):
    """Money we mean to take from a saved method: when, what for, how often tried.

    Autopay names its invoice, a plan its instalment, a bulk charge its run (and takes what the
    customer then owes). `next_try_on` is the visible schedule; `outcome` the last one in words.
    """

    __tablename__ = "planned_charges"
    __table_args__ = (
        sa.CheckConstraint(
            "(source = 'autopay') = (invoice_id IS NOT NULL) AND "
            "(source = 'plan') = (instalment_id IS NOT NULL) AND "
            "(source = 'bulk') = (run_id IS NOT NULL)",
            name="one_source",
        ),
        sa.UniqueConstraint("run_id", "customer_id"),
        sa.Index(
            "uq_planned_charges_live_invoice",
            "invoice_id",
            unique=True,
            sqlite_where=sa.text("state IN ('waiting', 'charging', 'failed')"),
            postgresql_where=sa.text("state IN ('waiting', 'charging', 'failed')"),
        ),
        sa.Index(
            "ix_planned_charges_due",
            "next_try_on",
            sqlite_where=sa.text("next_try_on IS NOT NULL"),
            postgresql_where=sa.text("next_try_on IS NOT NULL"),
        ),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    source: Mapped[ChargeSource] = mapped_column(named_enum(ChargeSource))
    invoice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"))
    instalment_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("plan_instalments.id"), unique=True
    )
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("charge_runs.id"))
    amount: Mapped[Money | None]  # as previewed; less is charged when less is owed by then
    state: Mapped[ChargeState] = mapped_column(named_enum(ChargeState), default=ChargeState.WAITING)
    charge_on: Mapped[date]
    next_try_on: Mapped[date | None]
    tries: Mapped[int] = mapped_column(default=0)
    noticed_at: Mapped[datetime | None]
    called_off: Mapped[bool] = mapped_column(default=False)  # by a person: not planned again
    claimed_until: Mapped[datetime | None]
    attempt_id: Mapped[int | None] = mapped_column(sa.ForeignKey("payment_attempts.id"), index=True)
    outcome: Mapped[str] = mapped_column(default="")  # for the office
    reason: Mapped[str] = mapped_column(default="")  # its code: what customers are told
    reason_parts: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)

    customer: Mapped[Customer] = relationship()
    invoice: Mapped[Invoice | None] = relationship()
    instalment: Mapped[PlanInstalment | None] = relationship()
    run: Mapped[ChargeRun | None] = relationship()
    attempt: Mapped[PaymentAttempt | None] = relationship()
