"""Accounts, the append-only journal, gapless number series and accounting periods."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.db import Base, Versioned, named_enum
from portal.kernel.money import Money


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class AccountRole(StrEnum):
    """Accounts the house posts to by itself; each role names exactly one account."""

    RECEIVABLE = "accounts_receivable"
    UNDEPOSITED = "undeposited_funds"
    CHECKING = "checking"
    GATEWAY_CLEARING = "gateway_clearing"
    TEST_CLEARING = "test_gateway_clearing"
    DISPUTED = "disputed_payments"
    CUSTOMER_DEPOSITS = "customer_deposits"
    SALES_TAX = "sales_tax_payable"
    REVENUE = "revenue"
    DISCOUNTS = "discounts_given"
    BAD_DEBT = "bad_debt_expense"
    PROCESSING_FEES = "processing_fees"
    REFUNDS_IN_TRANSIT = "refunds_in_transit"
    FINANCE_CLEARING = "finance_clearing"
    INTEREST_INCOME = "interest_income"
    OPENING_BALANCE = "opening_balance_equity"


class Account(Versioned, Base):
    """A general-ledger account; one with a role is never deactivated."""

    __tablename__ = "accounts"
    __table_args__ = (sa.CheckConstraint("active OR role IS NULL", name="role_stays_active"),)

    number: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[AccountKind] = mapped_column(named_enum(AccountKind))
    role: Mapped[AccountRole | None] = mapped_column(named_enum(AccountRole), unique=True)
    active: Mapped[bool] = mapped_column(default=True)


class JournalEntry(Base):
    """One balanced entry. Never changed; undone by an entry that reverses it."""

    __tablename__ = "journal_entries"
    __table_args__ = (sa.Index(None, "source_kind", "source_id"),)

    entry_date: Mapped[date] = mapped_column(index=True)
    memo: Mapped[str]
    source_kind: Mapped[str]
    source_id: Mapped[int]
    reverses_id: Mapped[int | None] = mapped_column(
        sa.ForeignKey("journal_entries.id"), unique=True
    )

    lines: Mapped[list[JournalLine]] = relationship(
        back_populates="entry", order_by="JournalLine.id"
    )


class JournalLine(Base):
    """One leg: debits positive, credits negative.

    `customer_id` and `invoice_id` say whose subledger a control-account leg belongs to;
    `entry_date` is the entry's, beside the amount so that one index answers "as of".
    """

    __tablename__ = "journal_lines"
    __table_args__ = (
        sa.CheckConstraint("amount <> 0", name="amount_not_zero"),
        sa.Index(None, "account_id", "entry_date", "id", "amount"),
    )

    entry_id: Mapped[int] = mapped_column(sa.ForeignKey("journal_entries.id"), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    entry_date: Mapped[date]
    amount: Mapped[Money]
    customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("customers.id"))
    invoice_id: Mapped[int | None] = mapped_column(sa.ForeignKey("invoices.id"), index=True)

    entry: Mapped[JournalEntry] = relationship(back_populates="lines")
    account: Mapped[Account] = relationship()


class NumberSeries(Base):
    """The last number given out per kind of document and fiscal year; locked while counting."""

    __tablename__ = "number_series"
    __table_args__ = (sa.UniqueConstraint("series", "fiscal_year"),)

    series: Mapped[str]
    fiscal_year: Mapped[int]
    last_number: Mapped[int] = mapped_column(default=0)


class PeriodState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class AccountingPeriod(Base):
    """A calendar month that was closed or reopened; a month without a row is open."""

    __tablename__ = "accounting_periods"

    starts_on: Mapped[date] = mapped_column(unique=True)
    state: Mapped[PeriodState] = mapped_column(named_enum(PeriodState), default=PeriodState.OPEN)
    changed_at: Mapped[datetime | None]


class ClosingBalance(Base):
    """What an account held when a month was closed; gone when a month before it opens again.

    An account without a row held nothing. Reports add only the lines since.
    """

    __tablename__ = "closing_balances"
    __table_args__ = (sa.UniqueConstraint("ends_on", "account_id"),)

    ends_on: Mapped[date]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("accounts.id"))
    amount: Mapped[Money]
