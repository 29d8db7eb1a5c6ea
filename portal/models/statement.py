"""Statements as they were sent, the runs that make many of them, and when that happens."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.money import ZERO, Money
from portal.models.customer import Customer
from portal.models.invoice import Invoice
from portal.models.user import User


class StatementKind(StrEnum):
    """Source: servicetitan-rules §11.1."""

    OPEN_ITEM = "open_item"  # what is open as of a day
    BALANCE_FORWARD = "balance_forward"  # opening balance, activity of a range, closing balance


class StatementWay(StrEnum):
    """How statements leave: as each customer prefers, or all alike."""

    AS_PREFERRED = "as_preferred"
    EMAIL = "email"
    PRINT = "print"
    BOTH = "both"


class StatementSettings(Versioned, Base):
    """One row: the monthly run, and how long a customer is left in peace after a statement.

    `day_of_month` beyond a month's end means its last day.
    """

    __tablename__ = "statement_settings"
    __table_args__ = (
        sa.CheckConstraint("id = 1", name="only_one"),
        sa.CheckConstraint("day_of_month BETWEEN 1 AND 31", name="day_of_a_month"),
        sa.CheckConstraint("weeks_between BETWEEN 0 AND 52", name="weeks_of_a_year"),
    )

    monthly: Mapped[bool] = mapped_column(default=False)
    day_of_month: Mapped[int] = mapped_column(default=1)
    weeks_between: Mapped[int] = mapped_column(default=0)
    kind: Mapped[StatementKind] = mapped_column(
        named_enum(StatementKind), default=StatementKind.OPEN_ITEM
    )
    way: Mapped[StatementWay] = mapped_column(
        named_enum(StatementWay), default=StatementWay.AS_PREFERRED
    )
    with_copies: Mapped[bool] = mapped_column(default=False)
    credit_only: Mapped[bool] = mapped_column(default=False)
    least: Mapped[Money] = mapped_column(default=ZERO)  # smaller debts get no monthly statement


class StatementRunState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    STOPPED = "stopped"


class StatementRun(Versioned, Base):
    """Statements for many customers, one item each, made once.

    `credit_only` sends one to who has nothing but credit; `slot` is the month of a scheduled
    run, so that no month has two. `subject` and `body` are words of its own, `recipients` the
    addresses typed for a run of one customer, both when it has any.
    """

    __tablename__ = "statement_runs"
    __table_args__ = (
        sa.CheckConstraint(
            "(kind = 'balance_forward') = (starts_on IS NOT NULL)", name="range_when_forward"
        ),
    )

    state: Mapped[StatementRunState] = mapped_column(
        named_enum(StatementRunState), default=StatementRunState.WAITING, index=True
    )
    kind: Mapped[StatementKind] = mapped_column(named_enum(StatementKind))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date]
    way: Mapped[StatementWay] = mapped_column(named_enum(StatementWay))
    with_copies: Mapped[bool] = mapped_column(default=False)
    credit_only: Mapped[bool] = mapped_column(default=False)
    weeks_between: Mapped[int] = mapped_column(default=0)
    subject: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    recipients: Mapped[str] = mapped_column(default="")  # comma-separated
    narrowed_to: Mapped[str] = mapped_column(default="")  # the filter in words
    slot: Mapped[str | None] = mapped_column(unique=True)
    rows_total: Mapped[int] = mapped_column(default=0)
    started_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))
    finished_at: Mapped[datetime | None]

    started_by: Mapped[User | None] = relationship()


class StatementShare(Base):
    """A part of a run's items that one worker makes at a time, so that several share a run."""

    __tablename__ = "statement_shares"
    __table_args__ = (sa.UniqueConstraint("run_id", "number"),)

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("statement_runs.id"))
    number: Mapped[int]
    state: Mapped[StatementRunState] = mapped_column(
        named_enum(StatementRunState), default=StatementRunState.WAITING, index=True
    )
    claimed_until: Mapped[datetime | None]


class StatementItemState(StrEnum):
    WAITING = "waiting"
    QUEUED = "queued"  # its mail is in the outbox
    TO_PRINT = "to_print"
    LEFT_OUT = "left_out"


class StatementItem(Base):
    """One customer of a run, and what became of it."""

    __tablename__ = "statement_items"
    __table_args__ = (
        sa.UniqueConstraint("run_id", "customer_id"),
        sa.Index(None, "run_id", "share", "state", "id"),
    )

    run_id: Mapped[int] = mapped_column(sa.ForeignKey("statement_runs.id"))
    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"), index=True)
    share: Mapped[int]
    state: Mapped[StatementItemState] = mapped_column(
        named_enum(StatementItemState), default=StatementItemState.WAITING
    )
    sentence: Mapped[str] = mapped_column(default="")

    run: Mapped[StatementRun] = relationship()
    customer: Mapped[Customer] = relationship()


STATEMENT_TO_PRINT = sa.text("statements.to_print AND statements.printed_at IS NULL")


class Statement(Base):
    """One statement as it was sent: the PDF's bytes are kept and never made again.

    `due` is what the paper asks for (negative: credit); `closing` the balance it ends with:
    opening + charges − credits. `token_hash` finds the guest link, which shows and pays only
    the invoices of `StatementInvoice`, until it is revoked. `sent_to` are addresses,
    comma-separated; a paper one is sent once `printed_at` is set.
    """

    __tablename__ = "statements"
    __table_args__ = (
        sa.UniqueConstraint("item_id"),
        sa.UniqueConstraint("token_hash"),
        sa.CheckConstraint("closing = opening + charges - credits", name="adds_up"),
        sa.Index(None, "customer_id", "id"),
        sa.Index(
            "ix_statements_to_print",
            "postal_code",
            "id",
            sqlite_where=sa.text("to_print AND printed_at IS NULL"),
            postgresql_where=sa.text("to_print AND printed_at IS NULL"),
        ),
    )

    customer_id: Mapped[int] = mapped_column(sa.ForeignKey("customers.id"))
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("statement_runs.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("statement_items.id"))
    kind: Mapped[StatementKind] = mapped_column(named_enum(StatementKind))
    starts_on: Mapped[date | None]
    ends_on: Mapped[date]
    customer_name: Mapped[str]
    postal_code: Mapped[str] = mapped_column(default="")
    opening: Mapped[Money]
    charges: Mapped[Money]
    credits: Mapped[Money]
    closing: Mapped[Money]
    due: Mapped[Money]
    file_key: Mapped[str]
    nonce: Mapped[str]
    token_hash: Mapped[str]
    revoked_at: Mapped[datetime | None]
    opened_at: Mapped[datetime | None]
    sent_to: Mapped[str] = mapped_column(default="")
    to_print: Mapped[bool] = mapped_column(default=False)
    printed_at: Mapped[datetime | None]
    sent_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("users.id"))

    customer: Mapped[Customer] = relationship()
    run: Mapped[StatementRun | None] = relationship()
    sent_by: Mapped[User | None] = relationship()
    invoices: Mapped[list[StatementInvoice]] = relationship(order_by="StatementInvoice.id")


class StatementInvoice(Base):
    """An invoice that was open on a statement, and what was open on it."""

    __tablename__ = "statement_invoices"
    __table_args__ = (sa.UniqueConstraint("statement_id", "invoice_id"),)

    statement_id: Mapped[int] = mapped_column(sa.ForeignKey("statements.id"))
    invoice_id: Mapped[int] = mapped_column(sa.ForeignKey("invoices.id"), index=True)
    open_amount: Mapped[Money]

    invoice: Mapped[Invoice] = relationship()
